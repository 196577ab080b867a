import Broker
import Foundation
import Logging
import Model
import NIOPosix
import Settings
import Signing
import TestServers
import Testing
import Text

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// `flotilla tracker` as its visitors and its operators meet it.
@Suite(.timeLimit(.minutes(10))) struct TrackerCommandTests {
    private let redis: RedisServer
    private let folder: TemporaryFolder
    private let port: Int
    private let keys: SigningKeys
    private let environment: [String: String]
    private let streams: EventStreams

    init() async throws {
        redis = try await RedisServer()
        folder = try TemporaryFolder()
        port = try freePort()
        let file = folder.path("keys")
        try TrackerKeyFile.make(file)
        keys = try TrackerKeyFile(reading: file).keys()
        environment = [
            "FLOTILLA_REDIS_URL": "unix://\(redis.socket)", "FLOTILLA_TRACKER_URL": "https://t.example.com", "FLOTILLA_TRACKER_KEYS": file,
            "FLOTILLA_TRACKER_LISTEN": "127.0.0.1:\(port)", "FLOTILLA_TRACKER_SPOOL": folder.path("spool"),
        ]
        streams = EventStreams(
            Broker(
                endpoint: RedisEndpoint(place: .unix(path: redis.socket)), prefix: "flotilla", partitions: 4, name: "test",
                group: .singletonMultiThreadedEventLoopGroup, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
    }

    private func start(_ arguments: [String] = ["tracker"], environment extra: [String: String] = [:]) async throws -> RunningProgram {
        let program = try RunningProgram(arguments, environment: environment.merging(extra) { $1 })
        try await eventually("the tracker listens: \(program.errors)") { canConnect(port) || !program.process.isRunning }
        return program
    }

    private func path(_ prefix: String, _ purpose: TokenPurpose, index: Int) throws -> String {
        var out = Array("/\(prefix)/".utf8)
        keys.appendToken(purpose, try #require(TokenSubject(mailing: 6, batch: 1, index: index)), to: &out)
        return String(decoding: out, as: UTF8.self)
    }

    @discardableResult
    private func get(_ path: String) async throws -> Int {
        let (_, response) = try await URLSession.shared.data(from: try #require(URL(string: "http://127.0.0.1:\(port)\(path)")))
        return try #require(response as? HTTPURLResponse).statusCode
    }

    /// The recipients' places in the events that are in Redis.
    private func arrived() async throws -> Set<UInt32> {
        let entries = try await streams.read(consumer: "c", count: 10_000, block: nil)
        return Set(entries.compactMap(\.batch).flatMap(\.events).map(\.index))
    }

    /// The recipients' places in the events that are on disk: a length, a checksum and a batch, one after the other.
    private func spooled() throws -> Set<UInt32> {
        var found: Set<UInt32> = []
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path("spool")) where name.hasSuffix(".spool") {
            var rest = try [UInt8](Data(contentsOf: URL(filePath: folder.path("spool/\(name)"))))[...]
            while rest.count >= 8 {
                let length = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
                guard rest.count >= 8 + length else { break }
                found.formUnion(try EventBatch(decoding: Array(rest.dropFirst(8).prefix(length))).events.map(\.index))
                rest = rest.dropFirst(8 + length)
            }
        }
        return found
    }

    @Test func itServesWithoutALedgerAndDrainsAtTheEnd() async throws {
        let tracker = try await start()
        #expect(try await get("/health") == 200)
        for index in 0..<20 { #expect(try await get(path("o", .open, index: index)) == 200) }
        tracker.signal(SIGTERM)
        #expect(try await tracker.end() == 0, "\(tracker.errors)")
        #expect(try await arrived() == Set(0..<20))
        #expect(!FileManager.default.fileExists(atPath: folder.path("flotilla.sqlite")))
    }

    /// What was answered before the last moment is in Redis: the bound is 20 ms and a round trip, and a busy machine gets a second here.
    @Test func aKilledTrackerLosesNoMoreThanTheLastMoment() async throws {
        let tracker = try await start()
        var answered: [(index: Int, at: ContinuousClock.Instant)] = []
        let start = ContinuousClock.now
        while ContinuousClock.now - start < .seconds(3), answered.count < 10_000 {
            let index = answered.count
            #expect(try await get(path("o", .open, index: index)) == 200)
            answered.append((index, .now))
        }
        let end = ContinuousClock.now
        tracker.signal(SIGKILL)
        _ = try await tracker.end()
        let arrived = try await arrived()
        let due = Set(answered.filter { end - $0.at > .seconds(1) }.map { UInt32($0.index) })
        #expect(!due.isEmpty && due.isSubset(of: arrived), "\(due.subtracting(arrived).count) of \(due.count) are lost")
        #expect(arrived.isSubset(of: Set(answered.map { UInt32($0.index) })))
    }

    /// Redis is away, and the tracker is killed: its events are on disk, and the next one sends them.
    @Test func eventsOutliveRedisAndTheTracker() async throws {
        let tracker = try await start()
        #expect(try await get(path("o", .open, index: 0)) == 200)
        try await eventually("it is in Redis") { try await arrived() == [0] }
        redis.stop()
        for index in 1..<50 { #expect(try await get(path("o", .open, index: index)) == 200) }
        try await eventually("they are on disk") { try spooled().isSuperset(of: 1..<50) }
        tracker.signal(SIGKILL)
        _ = try await tracker.end()
        try await redis.start()
        let next = try await start()
        var all: Set<UInt32> = []
        try await eventually("they arrive: \(next.errors)") {
            all.formUnion(try await arrived())
            return all == Set(1..<50)
        }
    }

    @Test func aSecondTrackerOfAFolderOrAnAddressIsRefused() async throws {
        let first = try await start()
        let folder = try await Program.run(["tracker"], environment: environment)
        #expect(folder.status == 1 && folder.errors.contains("tracker.spool"))
        let address = try await Program.run(
            ["tracker"], environment: environment.merging(["FLOTILLA_TRACKER_SPOOL": self.folder.path("b")]) { $1 })
        #expect(address.status == 1 && address.errors.contains("tracker.listen"))
        #expect(first.process.isRunning)
    }

    @Test func withoutAnAddressThereIsNothingToServe() async throws {
        let outcome = try await Program.run(["tracker"], environment: ["FLOTILLA_REDIS_URL": "unix://\(redis.socket)"])
        #expect(outcome.status == 1 && outcome.errors.contains("tracker.url is not set"))
    }

    @Test func oneProcessWithAllRolesServesLinksToo() async throws {
        let up = try await start(["up"], environment: ["FLOTILLA_LEDGER_PATH": folder.path("flotilla.sqlite")])
        #expect(try await get(path("o", .open, index: 3)) == 200, "\(up.errors)")
        up.signal(SIGTERM)
        #expect(try await up.end() == 0)
    }
}
