import Ledger
import Logging
import Model
import NIOPosix
import ServiceLifecycle
import TestServers

@testable import Broker

/// A Redis, and a ledger with a planned mailing, for a collector to work between.
struct CollectorSetup {
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    let server: RedisServer
    let folder: TemporaryFolder
    let broker: Broker
    let ledger: SQLiteLedger
    let id: MailingID

    /// - Parameter count: its recipients.
    init(count: Int = 10) async throws {
        server = try await RedisServer()
        folder = try TemporaryFolder()
        broker = Broker(
            endpoint: RedisEndpoint(place: .unix(path: server.socket)), prefix: "test", partitions: 2, name: "test",
            group: .singletonMultiThreadedEventLoopGroup, logger: Self.quiet)
        ledger = try SQLiteLedger.open(folder.path("ledger.sqlite"), logger: Self.quiet)
        _ = try await EpochStore(broker).hold(FencingToken(ledger: try await ledger.identity(), number: 1), time: .seconds(3600))
        var generator = SystemRandomNumberGenerator()
        id = MailingID(milliseconds: Clock.milliseconds(), using: &generator)
        let mailing = Mailing(name: "m", channel: .email, provider: "p")
        try await ledger.create(id, mailing: mailing, source: nil, origin: "", state: .collecting, now: 1)
        var recipients = Recipients(width: 2)
        for place in 0..<count { recipients.append(row: ["\(place)", "p\(place)@example.com"]) }
        try await ledger.appendPlan(id, batches: [PlannedBatch(number: 0, recipients: recipients)], exclusions: [], rowsRead: count)
        try await ledger.finishPlan(id, now: 2)
    }

    /// Runs a collector until something is so.
    func running(_ collector: some Service, until what: String, _ condition: () async throws -> Bool) async throws {
        let running = Task { try? await collector.run() }
        try await eventually(what) { try await condition() }
        running.cancel()
        _ = await running.value
    }
}
