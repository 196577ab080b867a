import Logging
import Model
import NIOPosix
import TestServers
import Testing

@testable import Broker
@testable import Delivery

/// How a worker reads who was suppressed lately.
@Suite struct SuppressedLatelyTests {
    private let server: RedisServer
    private let broker: Broker
    private let list: RecentSuppressions

    init() async throws {
        server = try await RedisServer()
        broker = Broker(
            endpoint: RedisEndpoint(place: .unix(path: server.socket)), prefix: "test", partitions: 1, name: "test",
            group: .singletonMultiThreadedEventLoopGroup, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        list = RecentSuppressions(broker)
    }

    private func tell(_ numbers: Range<Int>) async throws {
        try await list.tell(numbers.map { Suppression(.init(.email, "a\($0)@example.com"), reason: .manual, at: 1) }, of: "ours")
    }

    /// How often Redis was asked for entries.
    private func reads() async throws -> Int {
        let text = try await broker.redis.send(["INFO", "commandstats"]).text ?? ""
        guard let start = text.firstRange(of: "cmdstat_xread:calls=")?.upperBound else { return 0 }
        return Int(text[start...].prefix { $0.isNumber }) ?? 0
    }

    private func isKnown(_ number: Int, to suppressed: SuppressedLately) -> Bool {
        suppressed.suppression(of: Array("a\(number)@example.com".utf8), SuppressionTarget(.email), dispatched: 0) != nil
    }

    @Test func oneTaskReadsForAllThatFindNews() async throws {
        let suppressed = SuppressedLately(list)
        try await tell(0..<10)
        for (round, last) in [9, 19].enumerated() {
            let position = suppressed.position
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<20 { group.addTask { try await suppressed.refresh(beyond: position) } }
                try await group.waitForAll()
            }
            #expect(try await reads() == round + 1)
            #expect(suppressed.position != position && isKnown(last, to: suppressed) && !isKnown(last + 1, to: suppressed))
            try await tell(10..<20)
        }
        await broker.close()
    }

    @Test func aLiftedSuppressionIsForgottenAndAListThatBeganAnewIsReadWhole() async throws {
        let suppressed = SuppressedLately(list)
        try await tell(0..<2)
        try await suppressed.refresh(beyond: "")
        try await list.tell([], lifted: [Suppression.Key(.email, "a0@example.com")], of: "ours")
        try await suppressed.refresh(beyond: suppressed.position)
        #expect(!isKnown(0, to: suppressed) && isKnown(1, to: suppressed))
        // A look without news reads no entry twice.
        let (position, before) = (suppressed.position, try await reads())
        try await suppressed.refresh(beyond: position, hasNews: false)
        #expect(try await reads() == before + 1)
        #expect(suppressed.position == position && isKnown(1, to: suppressed))
        _ = try await broker.redis.send(["DEL", .text(broker.keys.suppressed)])
        _ = try await broker.redis.send([
            "XADD", .text(broker.keys.suppressed), "2-1", "c", "email", "a", "a5@example.com", "g", "", "r", "manual",
        ])
        try await suppressed.refresh(beyond: suppressed.position)
        #expect(suppressed.position == "2-1" && !isKnown(1, to: suppressed))
        await broker.close()
    }
}
