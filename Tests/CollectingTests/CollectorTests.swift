import Foundation
import Ledger
import Logging
import Model
import NIOPosix
import TestServers
import Testing

@testable import Broker
@testable import Collecting

@Suite(.timeLimit(.minutes(5)))
struct CollectorTests {
    private let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func broker(_ server: RedisServer) -> Broker {
        Broker(
            endpoint: RedisEndpoint(place: .unix(path: server.socket)), prefix: "test", partitions: 2, name: "test",
            group: .singletonMultiThreadedEventLoopGroup, logger: quiet)
    }

    /// A collector with the wrong ledger would take results out of Redis that it cannot write.
    @Test func theResultsOfAnotherLedgerAreLeftAlone() async throws {
        let server = try await RedisServer()
        let folder = try TemporaryFolder()
        let broker = broker(server)
        let ledger = try SQLiteLedger.open(folder.path("ledger.sqlite"), logger: quiet)
        _ = try await EpochStore(broker).hold(FencingToken(ledger: "another", number: 1), time: .seconds(60))
        _ = try await broker.redis.send(["XADD", "test:status:0", "*", "k", "r", "m", "nonsense"])
        let stopping = Collector(broker: broker, ledger: ledger, name: "c", logger: quiet)
        let running = Task { try? await stopping.run() }
        // It looks, finds another's name, and looks again: two keys each time.
        func looks() async throws -> Int {
            let stats = try await broker.redis.send(["INFO", "commandstats"]).text ?? ""
            let line = stats.split(whereSeparator: \.isNewline).first { $0.hasPrefix("cmdstat_get:calls=") }
            return Int(line?.dropFirst("cmdstat_get:calls=".count).prefix { $0.isNumber } ?? "") ?? 0
        }
        let before = try await looks()
        try await eventually("it has looked several times") { try await looks() >= before + 6 }
        #expect(try await StatusStreams(broker).lag().entries.reduce(0, +) == 1)
        // Where the mailings are its own, it takes them.
        _ = try await broker.redis.send(["DEL", "test:fence"])
        _ = try await EpochStore(broker).hold(FencingToken(ledger: try await ledger.identity(), number: 1), time: .seconds(60))
        try await eventually("it is taken") { try await StatusStreams(broker).lag().entries.reduce(0, +) == 0 }
        running.cancel()
        _ = await running.value
        await broker.close()
        try ledger.close()
    }

    /// A Redis that comes back without its last moments may hold results as given to a collector that does not know of them.
    @Test func whatARestartedRedisGivesBackIsTakenAtOnce() async throws {
        let server = try await RedisServer(["--appendonly", "yes"])
        let folder = try TemporaryFolder()
        let broker = broker(server)
        let ledger = try SQLiteLedger.open(folder.path("ledger.sqlite"), logger: quiet)
        _ = try await EpochStore(broker).hold(FencingToken(ledger: try await ledger.identity(), number: 1), time: .seconds(60))
        var generator = SystemRandomNumberGenerator()
        let id = MailingID(milliseconds: Clock.milliseconds(), using: &generator)
        try await ledger.create(
            id, mailing: Mailing(name: "m", channel: .email, provider: "p"), source: nil, origin: "", state: .collecting,
            now: 1)
        var recipients = Recipients(width: 2)
        recipients.append(row: ["1", "a@example.com"])
        recipients.append(row: ["2", "b@example.com"])
        try await ledger.appendPlan(
            id, batches: [PlannedBatch(number: 0, recipients: recipients)], exclusions: [], rowsRead: 2)
        try await ledger.finishPlan(id, now: 2)
        let fed = try await ledger.dispatchBatches(id, limit: 1, now: 3)
        #expect(fed.count == 1)
        // It does not find them as somebody else's.
        let collector = Collector(broker: broker, ledger: ledger, name: "c", abandoned: .seconds(3600), logger: quiet)
        let running = Task { try? await collector.run() }
        try await eventually("it reads") {
            let consumers = try? await broker.redis.send(["XINFO", "CONSUMERS", "test:status:0", "collectors"])
            return consumers?.array?.isEmpty == false
        }
        func group(_ index: Int) -> ResultGroup {
            ResultGroup(
                batch: BatchID(mailing: id, number: 0), dispatchNumber: 1, worker: "w.1", sequence: index, closing: .open,
                results: [
                    RecipientResult(
                        index: index, state: .sent, attempts: 1, at: 5,
                        response: ProviderResponse(kind: .accepted, stage: .response, code: 250, text: "Ok"))
                ])
        }
        // The ledger is locked, so that the collector is busy with it and not with Redis while that is started again.
        let go = folder.path("go")
        let shell = try ServerProcess(
            "sqlite3",
            [
                folder.path("ledger.sqlite"), "BEGIN IMMEDIATE", ".shell touch \(folder.path("locked"))",
                ".shell while [ ! -e \(go) ]; do sleep 0.02; done",
            ],
            package: "sqlite3")
        try await eventually("the ledger is locked") { FileManager.default.fileExists(atPath: folder.path("locked")) }
        _ = try await broker.redis.send(["XADD", "test:status:0", "*"] + group(0).fields + ["f", "", "c", "0"])
        try await eventually("the collector has the first") {
            try await broker.redis.send(["XPENDING", "test:status:0", "collectors"]).array?.first?.int == 1
        }
        // The second is given to it behind its back.
        _ = try await broker.redis.pipeline([
            ["MULTI"], ["XADD", "test:status:0", "*"] + group(1).fields + ["f", "", "c", "0"],
            ["XREADGROUP", "GROUP", "collectors", "c", "COUNT", "1", "STREAMS", "test:status:0", ">"], ["EXEC"],
        ])
        server.stop()
        try await server.start()
        _ = try folder.write("", to: "go")
        _ = shell.wait()
        try await eventually("both are in the ledger") { try await ledger.progress(id)?[.sent] == 2 }
        running.cancel()
        _ = await running.value
        await broker.close()
        try ledger.close()
    }
}
