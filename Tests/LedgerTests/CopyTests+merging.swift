import Foundation
import GRDB
import Logging
import Model
import TestServers
import Testing

@testable import Ledger

/// What the replaced ledger knew, and the copy did not, is merged into the copy.
extension CopyTests {
    /// What was sent since the copy was made stays known by the ledger that it replaces.
    @Test func mailingsThatTheCopyLacksAreTakenOver() async throws {
        var ledger = try open()
        try await Example.plan(ledger, batches: [4])
        try await write(ledger, try await ledger.dispatchBatches([(id, 1)], now: Example.start)[0], failed: 0..<4)
        _ = try LedgerBackup.make(of: path, to: copy)
        let (sent, half) = (Example.id(7), Example.id(8))
        for other in [sent, half] { try await Example.plan(ledger, other, batches: [4]) }
        for batch in try await ledger.dispatchBatches([(sent, 1)], now: Example.start) {
            try await write(ledger, batch, failed: 0..<1)
            try await write(ledger, batch, sent: 1..<4, .done)
        }
        _ = try await ledger.dispatchBatches([(half, 1)], now: Example.start)
        let report = try #require(try await ledger.report(sent, now: Example.start))
        try ledger.close()
        let (summary, _) = try LedgerBackup.restore(copy, to: path, isForced: true, now: Example.start)
        #expect(summary.merged == RestoreMerge(mailings: 2))
        ledger = try open()
        #expect(try await ledger.report(sent, now: Example.start) == report)
        for id in [id, sent, half] { #expect(try await ledger.recount(id) == []) }
        // Nobody knows what became of those that were in flight.
        let outcome = try await ledger.acceptCopy(CopyDoubt(reached: [:], holdsAll: true, why: "copy"), commits: 9, now: Example.start)
        #expect(outcome.listed == 4)
        try ledger.close()
        // A damaged ledger has nothing that could be believed.
        try folder.write("nonsense", to: "ledger.sqlite")
        for end in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) }
        #expect(throws: LedgerError.self) {
            try LedgerBackup.restore(copy, to: path, isForced: false, now: Example.start)
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data("nonsense".utf8))
        let losses = try LedgerBackup.restore(copy, to: path, isForced: true, now: Example.start).summary.merged?.losses
        #expect(losses?.isIncomplete == true && losses?.mailings == [:] && losses?.unfinished == 1)
    }

    /// Whoever was suppressed since the copy was made stays so, and whose suppression was removed is not suppressed again.
    @Test func whatWasSuppressedOrRemovedSinceStaysSo() async throws {
        func one(_ name: String) -> Suppression {
            Suppression(Suppression.Key(.email, "\(name)@example.com", category: name), reason: .unsubscribe, at: 1)
        }
        var ledger = try open()
        _ = try await ledger.suppress([one("a"), one("b")], audit: nil, now: 1)
        _ = try LedgerBackup.make(of: path, to: copy)
        _ = try await ledger.suppress([one("c")], audit: nil, now: 2)
        _ = try await ledger.unsuppress([one("a").key], audit: nil, now: 3)
        let list = try await ledger.suppressionList()
        try ledger.close()
        _ = try LedgerBackup.restore(copy, to: path, isForced: true, now: Example.start)
        ledger = try open()
        #expect(try await ledger.suppressions(SuppressionFilter(), after: nil, limit: 9) == [one("b"), one("c")])
        #expect(try await ledger.suppressionList() == list)
        #expect(try await ledger.categories() == ["a", "b", "c"])
    }

    /// A copy of before was put there, and a newer one turns up: neither list is the continuation of the other.
    @Test func listsThatWentApartBecomeOne() async throws {
        func one(_ name: String, _ at: Int64 = 1, expires: Int64? = nil) -> Suppression {
            Suppression(Suppression.Key(.email, "\(name)@example.com"), reason: .unsubscribe, at: at, expires: expires)
        }
        var ledger = try open()
        _ = try await ledger.suppress([one("kept"), one("removed"), one("again"), one("shortened")], audit: nil, now: 1)
        _ = try LedgerBackup.make(of: path, to: copy)
        for number in 0..<9 { _ = try await ledger.suppress([one("b\(number)")], audit: nil, now: 10) }
        _ = try await ledger.unsuppress([one("again").key], audit: nil, now: 20)
        let newer = folder.path("newer.sqlite")
        _ = try LedgerBackup.make(of: path, to: newer)
        try ledger.close()
        for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) }
        _ = try LedgerBackup.restore(copy, to: path, isForced: false, now: Example.start)
        ledger = try open()
        // Given once more after the newer copy was made, where it had been removed: that changes nothing of it here.
        _ = try await ledger.suppress([one("late"), one("again")], audit: nil, now: 30)
        _ = try await ledger.unsuppress([one("removed").key, one("shortened").key], audit: nil, now: 31)
        _ = try await ledger.suppress([one("shortened", expires: 99)], audit: nil, now: 32)
        try ledger.close()
        let (summary, _) = try LedgerBackup.restore(newer, to: path, isForced: false, now: Example.start + 1000)
        #expect(summary.merged?.suppressions == 5)
        ledger = try open()
        let expected = ["again", "b0", "b1", "b2", "b3", "b4", "b5", "b6", "b7", "b8", "kept", "late"].map { one($0) }
        #expect(try await ledger.suppressions(SuppressionFilter(), after: nil, limit: 99) == expected + [one("shortened", expires: 99)])
        #expect(try await ledger.suppressionList() == SuppressionList(revision: 11, entries: 13))
    }

    /// What became of people since the copy was made is known, and is not held.
    @Test func outcomesAreTakenOver() async throws {
        var ledger = try open()
        try await Example.plan(ledger, batches: [6, 2], mailing: Example.mailing(uncertain: .hold))
        _ = try LedgerBackup.make(of: path, to: copy)
        let batch = try await ledger.dispatchBatches([(id, 1)], now: Example.start)[0]
        try await write(ledger, batch, failed: 0..<1)
        try await write(ledger, batch, sent: 1..<2, .open)
        let held = resultGroup(sequence: 50, closing: .done, [uncertain(2), uncertain(3), uncertain(4), uncertain(5)])
        _ = try await ledger.write(groups: [held], events: [], now: Example.start)
        for (place, decision) in [UncertainDecision.sent, .failed, .resend].enumerated() {
            _ = try await ledger.decide(
                id, recipients: ["r0-\(place + 2)"], as: decision, note: AuditNote(.resolve, actor: "ann"), now: Example.start + 1)
        }
        _ = try await ledger.suppress(
            [Suppression(Suppression.Key(.email, "p0-4@example.com"), reason: .complaint, at: 1)], audit: nil, now: Example.start)
        _ = try await ledger.dispatchBatches([(id, 1)], now: Example.start)
        let report = try #require(try await ledger.report(id, now: Example.start))
        #expect(report.states.filter { $0.value > 0 } == [.failed: 2, .sent: 2, .skipped: 1, .uncertain: 1, .planned: 2])
        let orders = try await ledger.audit(AuditFilter(), limit: 9).map(\.order)
        try ledger.close()
        let (summary, _) = try LedgerBackup.restore(
            copy, to: path, isForced: true, note: AuditNote(.restore, actor: "bob"), now: Example.start)
        #expect(summary.merged?.outcomes == 6 && summary.merged?.orders == 3 && summary.merged?.reverted == [])
        ledger = try open()
        let restored = try #require(try await ledger.report(id, now: Example.start))
        #expect(restored.states == report.states && restored.uncertain == report.uncertain && restored.failures == report.failures)
        #expect(restored.skipped == report.skipped)
        #expect(try await ledger.recount(id) == [])
        #expect(try await ledger.audit(AuditFilter(), limit: 9).map(\.order) == ["restore"] + orders)
        #expect(try await ledger.uncertain(id, onlyHeld: true, after: nil, limit: 9).map(\.index) == [5])
        #expect(try SQLiteLedger.inspect(path).faults == [])
    }

    /// A copy brings back people who were removed since: that is asked first.
    @Test func aPruneThatGoesBackIsAskedFirst() async throws {
        let ledger = try open()
        try await Example.plan(ledger, batches: [2])
        try await write(ledger, try await ledger.dispatchBatches([(id, 1)], now: Example.start)[0], sent: 0..<2, .done)
        #expect(try await ledger.complete([id], now: Example.start) == [id])
        _ = try LedgerBackup.make(of: path, to: copy)
        let later = Example.start + 1_000_000
        #expect(try await ledger.prune(id, RetentionRule(cutoff: later), note: nil, now: later) == 2)
        try ledger.close()
        #expect(refusal(of: copy).contains("its recipients were pruned, and are back"))
        let (summary, _) = try LedgerBackup.restore(copy, to: path, isForced: false, now: Example.start) { _ in true }
        #expect(summary.merged?.reverted.map(\.wasPruned) == [true])
    }

    @Test func aMailingThatEndedSinceHasEnded() async throws {
        var ledger = try open()
        try await Example.plan(ledger, batches: [2])
        let batch = try await ledger.dispatchBatches([(id, 1)], now: Example.start)[0]
        try await write(ledger, batch, sent: 0..<1, .open)
        _ = try LedgerBackup.make(of: path, to: copy)
        try await write(ledger, batch, sent: 1..<2, .done)
        #expect(try await ledger.complete([id], now: Example.start + 5) == [id])
        let report = try await ledger.report(id, now: Example.start)
        try ledger.close()
        let (summary, _) = try LedgerBackup.restore(copy, to: path, isForced: false, now: Example.start + 9)
        #expect(summary.merged == RestoreMerge(outcomes: 1) && summary.doubtful == [])
        ledger = try open()
        #expect(try await ledger.report(id, now: Example.start) == report)
        #expect(try await ledger.recount(id) == [])
        #expect(try SQLiteLedger.inspect(path).faults == [])
    }

    /// What the ledger had ended otherwise than by results goes back: a person is asked.
    @Test func whatGoesBackIsAskedFor() async throws {
        var ledger = try open()
        try await Example.plan(ledger, batches: [3])
        _ = try LedgerBackup.make(of: path, to: copy)
        let batch = try await ledger.dispatchBatches([(id, 1)], now: Example.start)[0]
        try await write(ledger, batch, sent: 0..<1, .released)
        _ = try await ledger.setState(
            id, to: .stopped, from: [.sending], reason: .person("ann"), note: AuditNote(.stop, actor: "ann"), now: Example.start)
        #expect(try await ledger.stopOpen(id, now: Example.start) == 2)
        try ledger.close()
        var asked = ""
        #expect(throws: LedgerError.self) {
            try LedgerBackup.restore(copy, to: path, isForced: false, now: Example.start) {
                asked = $0
                return false
            }
        }
        #expect(asked.contains("\(id) 'Spring': it was stopped") && asked.contains("2 recipients with an end are open again"))
        ledger = try open()
        #expect(try await ledger.mailing(id)?.state == .stopped)
        try ledger.close()
        _ = try LedgerBackup.restore(copy, to: path, isForced: false, now: Example.start) { _ in true }
        ledger = try open()
        let record = try #require(try await ledger.mailing(id))
        #expect(record.state == .paused && record.stateReason.kind == .restored && record.reason.contains("stopped by ann"))
        #expect(try await states(ledger) == [.sent: 1, .planned: 2])
        #expect(try await ledger.recount(id) == [])
    }
}
