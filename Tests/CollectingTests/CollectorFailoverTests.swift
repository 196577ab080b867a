import Foundation
import Ledger
import Logging
import Model
import NIOPosix
import TestServers
import Testing

@testable import Broker
@testable import Collecting

/// A standby that lacks what was written last takes the place of the ledger's server.
@Suite(.timeLimit(.minutes(3))) struct CollectorFailoverTests {
    private let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

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

    @Test func whatTheStandbyLacksIsWrittenAgain() async throws {
        let redis = try await RedisServer()
        let broker = Broker(
            endpoint: RedisEndpoint(place: .unix(path: redis.socket)), prefix: "test", partitions: 2, name: "test",
            group: .singletonMultiThreadedEventLoopGroup, logger: quiet)
        let primary = try await OwnPostgreSQL()
        let standby = try await primary.standby()
        let ledger = try SQLLedger.open(postgreSQL: primary.url(or: standby), logger: quiet, sessions: 2)
        _ = try await EpochStore(broker).hold(FencingToken(ledger: try await ledger.identity(), number: 1), time: .seconds(3600))
        let id = try await dispatched(4, in: ledger)
        let collector = Collector(broker: broker, ledger: ledger, name: "c", replay: .seconds(60), logger: quiet)
        let running = Task { try? await collector.run() }
        func report(_ index: Int) async throws {
            let fields = group(index, of: id).fields + ["f", "", "c", "0"]
            _ = try await broker.redis.send(["XADD", .text(broker.keys.status(0)), "*"] + fields)
        }
        func isTaken() async throws { try await eventually("it is taken") { try await StatusStreams(broker).lag().entries == [0, 0] } }
        try await report(0)
        try await isTaken()
        try await primary.wait(for: standby)
        try await standby.stopFollowing()
        for index in 1...2 {
            try await report(index)
            try await isTaken()
        }
        #expect(try await ledger.progress(id)?[.sent] == 3)
        try await primary.stop(SIGQUIT)
        try standby.run("SELECT pg_promote()")
        try await report(3)
        try await eventually("all are in the ledger") { (try? await ledger.progress(id)?[.sent]) == 4 }
        try await isTaken()
        running.cancel()
        _ = await running.value
        await broker.close()
        try ledger.close()
    }

    /// A mailing of some recipients, dispatched.
    private func dispatched(_ count: Int, in ledger: SQLLedger) async throws -> MailingID {
        var generator = SystemRandomNumberGenerator()
        let id = MailingID(milliseconds: Clock.milliseconds(), using: &generator)
        try await ledger.create(
            id, mailing: Mailing(name: "m", channel: .email, provider: "p"), source: nil, origin: "", state: .collecting, now: 1)
        var recipients = Recipients(width: 2)
        for index in 0..<count { recipients.append(row: ["\(index)", "p\(index)@example.com"]) }
        try await ledger.appendPlan(id, batches: [PlannedBatch(number: 0, recipients: recipients)], exclusions: [], rowsRead: count)
        try await ledger.finishPlan(id, now: 2)
        #expect(try await ledger.dispatchBatches([(id, 1)], now: 3).count == 1)
        return id
    }
}
