import Foundation
import Ledger
import Logging
import Model
import NIOPosix
import ServiceLifecycle
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
        _ = try await EpochStore(broker).hold(FencingToken(ledger: "another", number: 1), time: .seconds(3600))
        _ = try await broker.redis.send(["XADD", .text(broker.keys.status(0)), "*", "k", "r", "m", "nonsense"])
        let stopping = Collector(broker: broker, ledger: ledger, name: "c", logger: quiet)
        let running = Task { try? await stopping.run() }
        // It looks, finds another's name, and looks again: two keys each time, every two seconds.
        func looks() async throws -> Int {
            let stats = try await broker.redis.send(["INFO", "commandstats"]).text ?? ""
            let line = stats.split(whereSeparator: \.isNewline).first { $0.hasPrefix("cmdstat_get:calls=") }
            return Int(line?.dropFirst("cmdstat_get:calls=".count).prefix { $0.isNumber } ?? "") ?? 0
        }
        let before = try await looks()
        try await eventually("it has looked several times") { try await looks() >= before + 4 }
        #expect(try await StatusStreams(broker).lag().entries.reduce(0, +) == 1)
        // Where the mailings are its own, it takes them.
        _ = try await broker.redis.send(["DEL", .text(broker.keys.leader)])
        _ = try await EpochStore(broker).hold(FencingToken(ledger: try await ledger.identity(), number: 1), time: .seconds(3600))
        try await eventually("it is taken") { try await StatusStreams(broker).lag().entries.reduce(0, +) == 0 }
        running.cancel()
        _ = await running.value
        await broker.close()
        try ledger.close()
    }

    /// A newer worker at full speed, or another program: none of it is lost, and the log does not repeat itself.
    @Test func thousandsOfUnreadableEntriesAreAllInTheLedger() async throws {
        let server = try await RedisServer()
        let folder = try TemporaryFolder()
        let broker = broker(server)
        let ledger = try SQLiteLedger.open(folder.path("ledger.sqlite"), logger: quiet)
        _ = try await EpochStore(broker).hold(FencingToken(ledger: try await ledger.identity(), number: 1), time: .seconds(3600))
        for part in 0..<10 {
            let commands = (0..<500).map { place -> [RedisArgument] in
                ["XADD", .text(broker.keys.status(place % 2)), "*", "k", "?", "x", RedisArgument(part * 500 + place)]
            }
            for case .error(let text) in try await broker.redis.pipeline(commands) { throw RedisError.command(text) }
        }
        let log = KeptLog()
        let collector = Collector(
            broker: broker, ledger: ledger, name: "c", logger: log.logger(.error))
        let running = Task { try? await collector.run() }
        try await eventually("all are in the ledger") { try await ledger.deadLetterCount() == 5_000 }
        try await eventually("all are confirmed") { try await StatusStreams(broker).lag().entries.reduce(0, +) == 0 }
        running.cancel()
        _ = await running.value
        var values: Set<[UInt8]> = []
        for item in try await ledger.deadLetters(after: nil, limit: 10_000) {
            let letter = try #require(try await ledger.deadLetter(item.id)?.letter)
            values.insert(letter.fields.first { $0.name == "x" }?.value ?? [])
        }
        #expect(values.count == 5_000)
        #expect(log.lines.count <= 2, "\(log.lines)")
        await broker.close()
        try ledger.close()
    }

    /// A Redis that comes back without its last moments may hold results as given to a collector that does not know of them.
    @Test func whatARestartedRedisGivesBackIsTakenAtOnce() async throws {
        let server = try await RedisServer(["--appendonly", "yes"])
        let folder = try TemporaryFolder()
        let broker = broker(server)
        let ledger = try SQLiteLedger.open(folder.path("ledger.sqlite"), logger: quiet)
        _ = try await EpochStore(broker).hold(FencingToken(ledger: try await ledger.identity(), number: 1), time: .seconds(3600))
        let id = try await dispatched(2, in: ledger)
        // It does not find them as somebody else's.
        let collector = Collector(broker: broker, ledger: ledger, name: "c", abandoned: .seconds(3600), logger: quiet)
        let running = Task { try? await collector.run() }
        try await eventually("it reads") {
            let consumers = try? await broker.redis.send(["XINFO", "CONSUMERS", .text(broker.keys.status(0)), "collectors"])
            return consumers?.array?.isEmpty == false
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
        _ = try await broker.redis.send(["XADD", .text(broker.keys.status(0)), "*"] + group(0, of: id).fields + ["f", "", "c", "0"])
        try await eventually("the collector has the first") {
            try await broker.redis.send(["XPENDING", .text(broker.keys.status(0)), "collectors"]).array?.first?.int == 1
        }
        // The second is given to it behind its back.
        _ = try await broker.redis.pipeline([
            ["MULTI"], ["XADD", .text(broker.keys.status(0)), "*"] + group(1, of: id).fields + ["f", "", "c", "0"],
            ["XREADGROUP", "GROUP", "collectors", "c", "COUNT", "1", "STREAMS", .text(broker.keys.status(0)), ">"], ["EXEC"],
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

    /// A mailing of some recipients, dispatched.
    private func dispatched(_ count: Int, in ledger: SQLiteLedger) async throws -> MailingID {
        var generator = SystemRandomNumberGenerator()
        let id = MailingID(milliseconds: Clock.milliseconds(), using: &generator)
        try await ledger.create(
            id, mailing: Mailing(name: "m", channel: .email, provider: "p"), source: nil, origin: "", state: .collecting,
            now: 1)
        var recipients = Recipients(width: 2)
        for index in 0..<count { recipients.append(row: ["\(index)", "p\(index)@example.com"]) }
        try await ledger.appendPlan(
            id, batches: [PlannedBatch(number: 0, recipients: recipients)], exclusions: [], rowsRead: count)
        try await ledger.finishPlan(id, now: 2)
        #expect(try await ledger.dispatchBatches([(id, 1)], now: 3).count == 1)
        return id
    }

    private func group(_ index: Int, of id: MailingID) -> ResultGroup {
        ResultGroup(
            Dispatch(batch: BatchID(mailing: id, number: 0), dispatchNumber: 1), worker: "w.1", provider: "relay", sequence: index,
            closing: .open,
            results: [
                RecipientResult(
                    index: index, state: .sent, attempts: 1, at: 5,
                    response: ProviderResponse(action: .accept, stage: .response, code: 250, text: "Ok"))
            ])
    }

    /// Waits until the collector has nothing to do but to wait for Redis.
    private func isBlocked(_ broker: Broker, in command: String) async throws {
        try await eventually("the collector waits in \(command)") {
            let clients = try await broker.redis.send(["CLIENT", "LIST"]).text ?? ""
            return clients.split(separator: "\n").contains { $0.contains(" flags=b") && $0.contains(" cmd=\(command) ") }
        }
    }

    @Test func aLoneResultIsInTheLedgerSoonWithItsProvider() async throws {
        let server = try await RedisServer()
        let folder = try TemporaryFolder()
        let broker = broker(server)
        let ledger = try SQLiteLedger.open(folder.path("ledger.sqlite"), logger: quiet)
        let id = try await dispatched(20, in: ledger)
        let collector = Collector(broker: broker, ledger: ledger, name: "c", logger: quiet)
        let running = Task { try? await collector.run() }
        // The planner comes later than the collector.
        try await isBlocked(broker, in: "xread")
        _ = try await EpochStore(broker).hold(FencingToken(ledger: try await ledger.identity(), number: 1), time: .seconds(3600))
        let signal = WakeSignal()
        let changes = ledger.wake(signal)
        var waits: [Duration] = []
        for index in 0..<20 {
            try await isBlocked(broker, in: "xreadgroup")
            while await signal.wait(atMost: .zero) {}
            let start = ContinuousClock.now
            _ = try await broker.redis.send(
                ["XADD", .text(broker.keys.status(0)), "*"] + group(index, of: id).fields + ["f", "", "c", "0"])
            try await eventually("it is written") {
                await signal.wait(atMost: .milliseconds(100))
                return try await ledger.progress(id)?[.sent] == index + 1
            }
            waits.append(ContinuousClock.now - start)
        }
        // 10 ms on an idle machine; a collector that is not woken looks every two seconds.
        #expect(waits.sorted()[10] < .seconds(2), "\(waits)")
        #expect(try await ledger.recipient(id, "p0@example.com")?.history.map(\.provider) == ["relay"])
        changes.cancel()
        running.cancel()
        _ = await running.value
        await broker.close()
        try ledger.close()
    }

    @Test func anOlderCopyThatTakesTheLedgersPlaceUnderWayIsMarkedAsOne() async throws {
        let server = try await RedisServer()
        let folder = try TemporaryFolder()
        let broker = broker(server)
        let ledger = try SQLiteLedger.open(folder.path("ledger.sqlite"), logger: quiet)
        let name = try await ledger.identity()
        _ = try await EpochStore(broker).hold(FencingToken(ledger: name, number: 1), time: .seconds(3600))
        let id = try await dispatched(2, in: ledger)
        let collector = Collector(broker: broker, ledger: ledger, name: "c", logger: quiet)
        let running = Task { try? await collector.run() }
        // It has looked for a copy by now, and Redis hears of later commits only then.
        try await isBlocked(broker, in: "xreadgroup")
        #expect(try await EpochStore(broker).note(commits: 100, of: name) == 100)
        _ = try await broker.redis.send(["XADD", .text(broker.keys.status(0)), "*"] + group(0, of: id).fields + ["f", "", "c", "0"])
        try await eventually("it is marked") { try await ledger.copyMark().olderThan == 100 }
        #expect(try await ledger.progress(id)?[.sent] == 1)
        running.cancel()
        _ = await running.value
        await broker.close()
        try ledger.close()
    }

    /// A blocked read does not hold the end up, and what it may have been given is written.
    @Test func aGracefulShutdownEndsAReadThatBlocks() async throws {
        let server = try await RedisServer()
        let folder = try TemporaryFolder()
        let broker = broker(server)
        let ledger = try SQLiteLedger.open(folder.path("ledger.sqlite"), logger: quiet)
        _ = try await EpochStore(broker).hold(FencingToken(ledger: try await ledger.identity(), number: 1), time: .seconds(3600))
        let id = try await dispatched(200, in: ledger)
        let services = ServiceGroup(
            services: [Collector(broker: broker, ledger: ledger, name: "c", logger: quiet)], logger: quiet)
        let running = Task { try await services.run() }
        for index in 0..<200 {
            _ = try await broker.redis.send(
                ["XADD", .text(broker.keys.status(index % 2)), "*"] + group(index, of: id).fields + ["f", "", "c", "0"])
        }
        await services.triggerGracefulShutdown()
        try await running.value
        #expect(try await ledger.progress(id)?[.sent] == 200)
        #expect(try await StatusStreams(broker).lag().entries.reduce(0, +) == 0)
        await broker.close()
        try ledger.close()
    }
}
