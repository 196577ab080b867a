import Foundation
import Ledger
import Model
import TestServers
import Testing

/// The same operations on each engine give the same answers to every question.
@Suite struct EngineAgreementTests {
    private struct Answers: Equatable {
        var progress: MailingProgress?
        var report: MailingReport?
        var statuses: [MailingStatus]
        var work: [MailingWork]
        var marks: [MailingID: [DispatchMark]]
        var uncertain: [UncertainRecipient]
        var recipients: [RecipientDetail?]
        var history: [RecipientDetail]
        var audit: [AuditEntry]
        var commits: Int64

        init(_ ledger: any LedgerStore, now: Int64) async throws {
            let id = Example.id()
            progress = try await ledger.progress(id)
            report = try await ledger.report(id, now: now)
            statuses = try await ledger.statuses(states: nil, limit: 9)
            work = try await ledger.work()
            marks = try await ledger.openDispatches(of: [id])
            uncertain = try await ledger.uncertain(id, onlyHeld: false, after: nil, limit: 99)
            recipients = []
            for (batch, count) in LedgerPropertyTests.sizes.enumerated() {
                for index in 0..<count { recipients.append(try await ledger.recipient(id, "r\(batch)-\(index)")) }
            }
            history = try await ledger.history(address: "P1-1@example.com", limit: 9)
            audit = try await ledger.audit(AuditFilter(), limit: 9)
            commits = try await ledger.commits()
        }
    }

    /// `FLOTILLA_TEST_OPERATIONS=5000` runs as many.
    private static let operations = ProcessInfo.processInfo.environment["FLOTILLA_TEST_OPERATIONS"].flatMap { Int($0) } ?? 60

    @Test(arguments: 0..<4) func enginesAgree(seed: UInt64) async throws {
        var expected: [Answers] = []
        for engine in Engine.all {
            var generator = SeededGenerator(seed: seed)
            let folder = try TemporaryFolder()
            let ledger = try await engine.open(folder)
            try await Example.plan(
                ledger, batches: LedgerPropertyTests.sizes, mailing: Example.mailing(uncertain: seed.isMultiple(of: 2) ? .hold : .redeliver)
            )
            var sequence = 0
            var answers: [Answers] = []
            for step in 0..<Self.operations {
                let now = Example.start + Int64(step * 100)
                try await LedgerPropertyTests.act(ledger, now, &sequence, &generator)
                if step % 10 == 9 { answers.append(try await Answers(ledger, now: now)) }
            }
            if expected.isEmpty { expected = answers }
            for (place, pair) in zip(expected, answers).enumerated() {
                try #require(pair.0 == pair.1, "\(engine.name), after operation \(place * 10 + 10)")
            }
        }
    }
}
