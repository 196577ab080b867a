import Model
import TestServers
import Testing

@testable import Broker

/// What a dispatcher asks again and again of a thousand lanes and mailings.
@Suite(.timeLimit(.minutes(2)))
struct InspectionTests {
    private static let count = 1000
    private let fleet: TestFleet
    private let lanes = (0..<count).map { Lane(channel: .email, provider: "p\($0)") }

    init() async throws { fleet = try await TestFleet() }

    /// One batch in each lane, all of them with a worker.
    private func takeAll() async throws {
        let epoch = try await fleet.begin()
        try await fleet.renew("a", isKnown: false)
        try await fleet.publish()
        let batches = lanes.enumerated().map { (batch: fleet.batch($0.offset, count: 1), lane: $0.element) }
        #expect(try await fleet.queue.dispatch(batches, epoch: epoch, fencingToken: fleet.token) == Self.count)
        #expect(try await fleet.queue.take(lanes.map { .init(lane: $0, count: 1) }, worker: "a").count == Self.count)
    }

    /// Scripts that were run so far.
    private func evaluations() async throws -> Int {
        let text = try #require(try await fleet.broker.redis.send(["INFO", "commandstats"]).text)
        return text.firstMatch(of: /cmdstat_evalsha:calls=(\d+)/).flatMap { Int($0.output.1) } ?? 0
    }

    @Test func aThousandLanesTakeAFewCommands() async throws {
        try await takeAll()
        // A Redis that does not know a script yet is asked twice.
        for _ in 0..<2 {
            let before = try await evaluations()
            #expect(try await fleet.queue.inspect(lanes, lease: .seconds(300)) == nil)
            #expect(try await fleet.queue.entries(lanes) == Self.count)
            #expect(try await fleet.published.altered([fleet.id: .init(state: .sending, speed: "")]) == [])
            #expect(try await fleet.queue.lacking([(fleet.id, Self.count)]) == [])
            #expect(try await evaluations() - before <= 20)
        }
    }

    @Test func oneLaneOfAThousandThatIsLostIsFound() async throws {
        try await takeAll()
        _ = try await fleet.broker.redis.send(["DEL", .text(fleet.broker.keys.lane(lanes[777]))])
        #expect(try await fleet.queue.entries(lanes) == Self.count - 1)
        #expect(try await fleet.queue.inspect(lanes, lease: .seconds(300)) == lanes[777])
        #expect(try await !fleet.exists(fleet.broker.keys.epoch))
    }

    @Test func oneLaneThatAWorkersRegistrationLacksIsRegistered() async throws {
        try await takeAll()
        let key = RedisArgument.text(fleet.broker.keys.workerLanes("a"))
        _ = try await fleet.broker.redis.send(["SREM", key, .text("\(lanes[999])"), .text("\(lanes[0])")])
        #expect(try await fleet.queue.inspect(lanes, lease: .seconds(300)) == nil)
        #expect(try await fleet.broker.redis.send(["SCARD", key]).int == Int64(Self.count))
    }

    @Test func aMailingThatIsNotAsItWasPublishedIsFoundAmongMany() async throws {
        _ = try await fleet.begin()
        let ids = (0..<600).map { MailingID(milliseconds: Int64($0)) }
        let mailing = Mailing(name: "m", channel: .email, provider: "p")
        try await fleet.published.publish(
            ids.map { .init(id: $0, definition: mailing, state: .sending, speed: "5/s") }, fencingToken: fleet.token)
        var expected = Dictionary(uniqueKeysWithValues: ids.map { ($0, PublishedMailings.Controls(state: .sending, speed: "5/s")) })
        #expect(try await fleet.published.altered(expected) == [])
        expected[ids[30]]?.state = .paused
        expected[ids[330]]?.speed = ""
        _ = try await fleet.broker.redis.send(["HDEL", .text(fleet.broker.keys.mailing(ids[590])), "definition"])
        #expect(try await Set(fleet.published.altered(expected)) == [ids[30], ids[330], ids[590]])
        #expect(try await fleet.queue.lacking(ids.map { ($0, $0 == ids[400] ? 1 : 0) }) == [ids[400]])
    }
}
