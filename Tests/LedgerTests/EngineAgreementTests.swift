import Foundation
import Model
import TestServers
import Testing

@testable import Ledger

/// The same operations on each engine give the same answers to every question.
@Suite struct EngineAgreementTests {
    /// `loadtest/agreement` runs 5,000.
    private static let operations = ProcessInfo.processInfo.environment["FLOTILLA_TEST_OPERATIONS"].flatMap { Int($0) } ?? 60
    private static let id = Example.id()
    /// One that ends early on and is pruned, and one of another category.
    private static let (old, news) = (Example.id(1), Example.id(2))

    @Test(arguments: 0..<4) func enginesAgree(seed: UInt64) async throws {
        var ledgers: [(name: String, ledger: any LedgerStore)] = []
        let folders = try Engine.all.map { _ in try TemporaryFolder() }
        for (engine, folder) in zip(Engine.all, folders) {
            let ledger = try await engine.open(folder)
            try await Example.plan(
                ledger, batches: LedgerPropertyTests.sizes, mailing: Example.mailing(uncertain: seed.isMultiple(of: 2) ? .hold : .redeliver)
            )
            var mailing = Example.mailing()
            mailing.category = "news"
            try await Example.plan(ledger, Self.old, batches: [2, 2])
            try await Example.plan(ledger, Self.news, batches: [2, 3], mailing: mailing)
            ledgers.append((engine.name, ledger))
        }
        defer { withExtendedLifetime(folders) {} }
        var generator = SeededGenerator(seed: seed)
        var sequence = 0
        for step in 0..<Self.operations {
            let now = Example.start + Int64(step * 100)
            var (after, number) = (generator, sequence)
            for (_, ledger) in ledgers {
                (after, number) = (generator, sequence)
                try await Self.act(ledger, now, &number, &after)
            }
            (generator, sequence) = (after, number)
            let isLast = step == Self.operations - 1
            guard step % 10 == 9 || isLast else { continue }
            for (name, ledger) in ledgers.dropFirst() {
                var comparison = LedgerComparison(ledgers[0].ledger, ledger)
                try await comparison.run(now: now)
                if step % 100 == 99 || isLast { try await comparison.askRecipients() }
                try #require(comparison.differences == [], "\(name), after operation \(step + 1)")
            }
        }
    }

    private static func act(
        _ ledger: any LedgerStore, _ now: Int64, _ sequence: inout Int, _ generator: inout SeededGenerator
    ) async throws {
        switch Int.random(in: 0..<20, using: &generator) {
        case 0:
            let to: MailingState = Bool.random(using: &generator) ? .paused : .sending
            let reason = StateReason(kind: .person, actor: "ann", text: "she said so")
            _ = try await ledger.setState(
                [id, old, news].randomElement(using: &generator) ?? id, to: to, from: [.sending, .paused], reason: reason,
                note: AuditNote(.pause, actor: "ann"), now: now)
        case 1:
            _ = try await ledger.resume(
                [id, old, news].randomElement(using: &generator) ?? id, atOnce: Bool.random(using: &generator),
                note: AuditNote(.resume, actor: "ann"), now: now)
        case 2:
            for batch in try await ledger.dispatchBatches([(old, 1), (news, 1)], now: now) {
                let results = (0..<batch.count).map { $0 == 0 ? failed($0, at: now) : sent($0, at: now) }
                sequence += 1
                let group = resultGroup(
                    batch: batch.id.number, dispatchNumber: batch.dispatchNumber, sequence: sequence, closing: .done, groups: 1,
                    mailing: batch.id.mailing, results)
                _ = try await ledger.write(groups: [group], events: [], now: now)
            }
            _ = try await ledger.complete([old, news], now: now)
        case 3:
            let event = RecipientEvent(
                batch: Int.random(in: 0..<4, using: &generator), index: Int.random(in: 0..<6, using: &generator),
                kind: Bool.random(using: &generator) ? .opened : .clicked, at: now, detail: "https://example.com/ä")
            let mailing = Bool.random(using: &generator) ? id : news
            _ = try await ledger.write(groups: [], events: [EventGroup(mailing: mailing, events: [event, event])], now: now)
        case 4:
            try await order(ledger, now, &sequence, &generator)
        case 5:
            let key = Suppression.Key(.email, "p1-0@example.com", category: "news")
            _ = try await ledger.suppress(
                [Suppression(key, reason: .unsubscribe, at: now)], audit: SuppressionAudit(AuditNote(.suppress, actor: "bob")), now: now)
        case 6:
            // Before its end, and where something of it is held, the rule keeps it.
            for aged in try await ledger.agedMailings(RetentionRule(cutoff: now)) where aged.obstacle == nil && aged.id == old {
                _ = try await ledger.prune(old, RetentionRule(cutoff: now), note: AuditNote(.prune, actor: "ann"), now: now)
            }
        default: try await LedgerPropertyTests.act(ledger, now, &sequence, &generator)
        }
    }

    private static func order(
        _ ledger: any LedgerStore, _ now: Int64, _ sequence: inout Int, _ generator: inout SeededGenerator
    ) async throws {
        switch Int.random(in: 0..<4, using: &generator) {
        case 0:
            let text = Bool.random(using: &generator) ? "\(Int.random(in: 1..<9, using: &generator))/s" : nil
            _ = try await ledger.setLimit(.known(.channel(.email)), text, note: AuditNote(.limit, actor: "ann"), now: now)
        case 1:
            try await ledger.setSpeed(id, "\(Int.random(in: 1..<9, using: &generator))/s", note: AuditNote(.speed, actor: "a"), now: now)
        case 2: _ = try await ledger.noteStuck(id, why: Bool.random(using: &generator) ? "it waits" : nil, now: now)
        default:
            sequence += 1
            var letter = DeadLetter(source: .status(1), entry: "\(sequence)-0", reason: "no sense", fields: [.init(name: "d", value: [0])])
            (letter.at, letter.mailing, letter.batch, letter.dispatchNumber) = (now, id, 0, 1)
            _ = try await ledger.write(groups: [], events: [], letters: [letter], now: now)
        }
    }
}
