import Foundation
import Ledger
import Logging
import Model
import ServiceLifecycle
import Signing
import TestServers
import Testing

@testable import Broker
@testable import Collecting

@Suite(.timeLimit(.minutes(5)))
struct ReceiptCollectorTests {
    private let setup: CollectorSetup
    private let quiet = CollectorSetup.quiet
    private var server: RedisServer { setup.server }
    private var broker: Broker { setup.broker }
    private var ledger: SQLiteLedger { setup.ledger }
    private var id: MailingID { setup.id }

    init() async throws { setup = try await CollectorSetup() }

    private func receipt(_ kind: ProviderReceipt.Kind, _ index: Int) -> ProviderReceipt {
        var one = ProviderReceipt(kind, word: kind.name)
        (one.webhook, one.provider, one.messageID) = ("hook", "p", "\(id).0.\(index)@x")
        (one.time, one.arrived) = (Clock.milliseconds(), Clock.milliseconds())
        return one
    }

    /// The fourth recipient's message was taken, by this id of the provider.
    private func sent(_ messageID: String) -> ResultGroup {
        let result = RecipientResult(
            index: 3, state: .sent, attempts: 1, at: Clock.milliseconds(),
            response: ProviderResponse(action: .accept, stage: .response, code: 250, text: "ok", messageID: messageID))
        return ResultGroup(
            Dispatch(batch: BatchID(mailing: id, number: 0), dispatchNumber: 1), worker: "w", provider: "p", sequence: 0, closing: .open,
            results: [result])
    }

    private func collector(_ name: String) -> ReceiptCollector {
        ReceiptCollector(
            broker: broker, ledger: ledger, providers: ["p"], name: name, abandoned: .zero, pause: .milliseconds(20), logger: quiet)
    }

    private func left() async throws -> Int { try await ReceiptStreams(broker).depths().reduce(0) { $0 + $1.entries } }

    private func collecting(_ name: String, until what: String, _ condition: () async throws -> Bool) async throws {
        try await setup.running(collector(name), until: what, condition)
    }

    private func states() async throws -> [RecipientState: Int] {
        try #require(try await ledger.report(id, now: Clock.milliseconds())).states.filter { $0.value > 0 }
    }

    private func end(_ streams: ReceiptStreams) async throws {
        await streams.close()
        await broker.close()
        try ledger.close()
    }

    @Test func receiptsReachTheLedgerAndWorkersHearOfComplaints() async throws {
        let streams = ReceiptStreams(broker)
        #expect(try await streams.append([ReceiptBatch([receipt(.delivered, 0), receipt(.bounced, 1)]).encoded()], to: 0))
        #expect(try await streams.append([ReceiptBatch([receipt(.complained, 2)]).encoded(), [9, 9]], to: 0))
        try await collecting("c", until: "all is taken") { try await left() == 0 }
        #expect(try await states() == [.planned: 8, .failed: 1, .delivered: 1])
        let hasher = try AddressHasher(ledger: try await ledger.identity())
        #expect(try await RecentSuppressions(broker).read(after: "").entries.map(\.key.address) == [hasher.text(of: "p2@example.com")])
        #expect(try await ledger.deadLetters(after: nil, limit: 9).map(\.letter.source) == [.receipts])
        try await end(streams)
    }

    /// A collector that ends between its commit and the confirmation leaves entries that another reads again: they count once.
    @Test func anEndBetweenCommitAndConfirmationCountsNothingTwice() async throws {
        let streams = ReceiptStreams(broker)
        for index in 0..<6 {
            #expect(try await streams.append([ReceiptBatch([receipt(.bounced, index), receipt(.opened, 9)]).encoded()], to: 0))
        }
        let read = try await streams.read(consumer: "dead", count: 4, block: nil)
        #expect(read.count == 4)
        _ = try await ledger.write(receipts: read.compactMap(\.batch).flatMap(\.receipts), letters: [], now: Clock.milliseconds())
        try await collecting("c", until: "all is taken") { try await left() == 0 }
        #expect(try await states() == [.planned: 4, .failed: 6])
        #expect(try await ledger.report(id, now: Clock.milliseconds())?.events[.bounced]?.count == 6)
        #expect(try await ledger.recount(id) == [])
        try await end(streams)
    }

    @Test func aReceiptThatComesBeforeItsResultFindsItLater() async throws {
        let streams = ReceiptStreams(broker)
        var early = receipt(.delivered, 0)
        (early.messageID, early.providerID) = ("", "abc")
        #expect(try await streams.append([ReceiptBatch([early]).encoded()], to: 0))
        let collector = collector("c")
        let running = Task { try? await collector.run() }
        try await eventually("it is aside") { try await ledger.unknownReceipts(after: nil, limit: 1).count == 1 }
        _ = try await ledger.write(groups: [sent("abc")], events: [], letters: [], now: Clock.milliseconds())
        try await eventually("it has found its message") { try await states()[.delivered] == 1 }
        #expect(try await ledger.unknownReceipts(after: nil, limit: 1).isEmpty)
        running.cancel()
        _ = await running.value
        try await end(streams)
    }

    /// The commit stands though Redis is away, and finds the receipt no more.
    @Test func workersHearOfALateComplaintOnceRedisIsBack() async throws {
        let streams = ReceiptStreams(broker)
        try await ledger.expectReceipts(of: ["p"], now: Clock.milliseconds())
        var early = receipt(.complained, 0)
        (early.messageID, early.providerID) = ("", "abc")
        _ = try await ledger.write(receipts: [early], letters: [], now: Clock.milliseconds())
        _ = try await ledger.write(groups: [sent("abc")], events: [], letters: [], now: Clock.milliseconds())
        server.stop()
        let collector = collector("c")
        let running = Task { try? await collector.run() }
        try await eventually("it has found its message") { try await ledger.unknownReceipts(after: nil, limit: 1).isEmpty }
        try await server.start()
        try await eventually("workers hear of it") {
            (try? await RecentSuppressions(broker).read(after: "").entries.count) == 1
        }
        running.cancel()
        _ = await running.value
        try await end(streams)
    }

    /// A collector ends between its commit and the telling: the receipt is found no more, and no entry is read again.
    @Test func workersHearOfAComplaintFromTheNextCollector() async throws {
        let streams = ReceiptStreams(broker)
        try await ledger.expectReceipts(of: ["p"], now: Clock.milliseconds())
        var early = receipt(.complained, 0)
        (early.messageID, early.providerID) = ("", "abc")
        _ = try await ledger.write(receipts: [early], letters: [], now: Clock.milliseconds())
        _ = try await ledger.write(groups: [sent("abc")], events: [], letters: [], now: Clock.milliseconds())
        #expect(try await ledger.retryReceipts(now: Clock.milliseconds()).suppressed.count == 1)
        func told() async throws -> [String] { try await RecentSuppressions(broker).read(after: "").entries.map(\.key.address) }
        let hasher = try AddressHasher(ledger: try await ledger.identity())
        try await collecting("c", until: "workers hear of it") { try await told() == [hasher.text(of: "p3@example.com")] }
        // What another commits, and tells of to nobody; the first is not told of again.
        let other = Suppression(.init(.email, "p5@example.com"), reason: .manual, source: "", at: 1)
        _ = try await ledger.suppress([other], audit: nil, now: Clock.milliseconds())
        try await collecting("d", until: "workers hear of the other") { try await told().count == 2 }
        #expect(try await told().last == hasher.text(of: "p5@example.com"))
        try await collecting("e", until: "it runs") { try await streams.append([ReceiptBatch([receipt(.delivered, 1)]).encoded()], to: 0) }
        #expect(try await told().count == 2)
        try await end(streams)
    }

    /// An older copy has taken the ledger's place: what Redis knows of its list says nothing.
    @Test func aListThatHasComeLessFarIsToldOfAnew() async throws {
        let streams = ReceiptStreams(broker)
        let recent = RecentSuppressions(broker)
        try await recent.note(toldRevision: 99, of: try await ledger.identity())
        _ = try await ledger.suppress(
            [Suppression(.init(.email, "p5@example.com"), reason: .manual, source: "", at: 1)], audit: nil, now: Clock.milliseconds())
        try await collecting("c", until: "workers hear of it") { try await recent.read(after: "").entries.count == 1 }
        #expect(try await recent.toldRevision(of: try await ledger.identity()) == 1)
        try await end(streams)
    }

    @Test func theLastReceiptsAreDrained() async throws {
        let streams = ReceiptStreams(broker)
        #expect(try await streams.append([ReceiptBatch([receipt(.delivered, 0)]).encoded()], to: 0))
        #expect(await collector("c").drain())
        #expect(try await states()[.delivered] == 1)
        try await end(streams)
    }
}
