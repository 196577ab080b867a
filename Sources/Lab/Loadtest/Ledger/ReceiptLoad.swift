import Foundation
import Ledger
import Model

/// Has a provider tell of the messages of one mailing, and measures what its receipts cost from a stream's entry into the ledger.
/// Recipients come in no order.
package struct ReceiptLoad: Sendable {
    package struct Figures: Sendable, Codable {
        package var receipts = 0
        package var recipients = 0
        /// CPU of this process for each receipt, and the time that it takes, in microseconds.
        package var cpu = 0.0
        package var time = 0.0
        /// The same of receipts of one kind alone.
        package var cpuByKind: [String: Double] = [:]
        package var timeByKind: [String: Double] = [:]
        /// The longest transaction, in milliseconds.
        package var transaction = 0.0
    }

    private let ledger: any LedgerStore
    private let recipients: Int
    private let receipts: Int

    private static let batch = LoadMailing.batch
    private static let provider = "provider"
    /// Receipts of a transaction, as a collector has them under load: two entries.
    private static let together = 2 * ReceiptBatch.most
    /// What providers tell, as usual mailings have it, by its share in percent.
    private static let kinds: [(kind: ProviderReceipt.Kind, share: Int)] = [
        (.delivered, 70), (.opened, 20), (.clicked, 5), (.bounced, 4), (.complained, 1),
    ]

    init(_ ledger: any LedgerStore, recipients: Int, receipts: Int) {
        (self.ledger, self.receipts) = (ledger, receipts)
        self.recipients = max(1, recipients / Self.batch) * Self.batch
    }

    /// - Parameter say: gets words about what it is at.
    func run(say: (String) -> Void) async throws(LedgerError) -> Figures {
        var generator = SystemRandomNumberGenerator()
        let id = MailingID(milliseconds: Clock.milliseconds(), using: &generator)
        try await send(id)
        say("\(recipients) messages are sent")
        var figures = Figures(receipts: 0, recipients: recipients)
        var random = SeededGenerator(seed: 12)
        let mixed = Self.kinds.flatMap { kind, share in Array(repeating: kind, count: share) }
        (figures.cpu, figures.time) = try await write(receipts, of: mixed, id, &figures, &random)
        say("\(figures.receipts) receipts, \(figures.time) us each")
        for (kind, share) in Self.kinds {
            let count = max(Self.together, receipts * share / 1000)
            let (cpu, time) = try await write(count, of: [kind], id, &figures, &random)
            (figures.cpuByKind[kind.name], figures.timeByKind[kind.name]) = (cpu, time)
        }
        for problem in try await ledger.recount(id) { throw .refused("the counters are wrong: \(problem)") }
        return figures
    }

    /// - Returns: what a receipt costs, in microseconds: CPU and time.
    private func write(
        _ count: Int, of kinds: [ProviderReceipt.Kind], _ id: MailingID, _ figures: inout Figures, _ random: inout SeededGenerator
    ) async throws(LedgerError) -> (cpu: Double, time: Double) {
        var (written, cpu, time) = (0, 0.0, 0.0)
        while written < count {
            let wires = (0..<2).map { _ in
                ReceiptBatch((0..<ReceiptBatch.most).map { _ in receipt(kinds, id, &random) }).encoded()
            }
            let (before, start) = (EventLoad.used(), ContinuousClock.now)
            let all = wires.compactMap { try? ReceiptBatch(decoding: $0) }.flatMap(\.receipts)
            _ = try await ledger.write(receipts: all, letters: [], now: Clock.milliseconds())
            let took = (ContinuousClock.now - start).inMilliseconds
            (cpu, time) = (cpu + EventLoad.used() - before, time + took / 1000)
            figures.transaction = max(figures.transaction, took)
            written += all.count
        }
        figures.receipts += written
        return (cpu * 1e6 / Double(max(1, written)), time * 1e6 / Double(max(1, written)))
    }

    /// Has all messages sent, each with an id of the provider.
    private func send(_ id: MailingID) async throws(LedgerError) {
        let mailing = Mailing(name: "told of", channel: .email, provider: "smtp://127.0.0.1:25", fields: ["id", "email"])
        let load = LoadMailing(id: id, mailing: mailing, recipients: recipients) { ["\($0)", "person.\($0)@example.com"] }
        _ = try await load.plan(into: ledger)
        try await ledger.expectReceipts(of: [Self.provider], now: Clock.milliseconds())
        for number in 0..<recipients / Self.batch {
            let results = (0..<Self.batch).map { index in
                RecipientResult(
                    index: index, state: .sent, attempts: 1, at: Clock.milliseconds(),
                    response: ProviderResponse(
                        action: .accept, stage: .response, code: 250, text: "ok", messageID: Self.name(number * Self.batch + index)))
            }
            let group = ResultGroup(
                Dispatch(batch: BatchID(mailing: id, number: number), dispatchNumber: 1), worker: "w", provider: Self.provider, sequence: 0,
                closing: .open, results: results)
            _ = try await ledger.write(groups: [group], events: [], letters: [], now: Clock.milliseconds())
        }
    }

    private static func name(_ person: Int) -> String { "provider-\(person)" }

    private func receipt(_ kinds: [ProviderReceipt.Kind], _ id: MailingID, _ random: inout SeededGenerator) -> ProviderReceipt {
        let kind = kinds[Int.random(in: 0..<kinds.count, using: &random)]
        var receipt = ProviderReceipt(kind, word: kind.name)
        (receipt.webhook, receipt.provider) = ("hook", Self.provider)
        receipt.providerID = Self.name(Int.random(in: 0..<recipients, using: &random))
        (receipt.time, receipt.arrived) = (Clock.milliseconds(), Clock.milliseconds())
        if kind.isBounce { receipt.detail = "550 5.1.1 unknown" }
        return receipt
    }
}
