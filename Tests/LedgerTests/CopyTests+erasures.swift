import Foundation
import Model
import TestServers
import Testing

@testable import Ledger

/// Whoever was erased since a copy was made does not come back with it.
extension CopyTests {
    private func erase(_ ledger: SQLiteLedger, _ address: String, withSuppressions: Bool = false) async throws -> Erasure {
        try await ledger.erase(ErasedPerson([address], withSuppressions: withSuppressions), note: nil, now: Example.start + 10)
    }

    @Test func whoWasErasedIsErasedFromTheCopyToo() async throws {
        var ledger = try open()
        let (pruned, later) = (Example.id(1), Example.start + 1_000_000)
        for mailing in [id, pruned] { try await Example.plan(ledger, mailing, batches: [3]) }
        let open = Example.id(2)
        try await ledger.create(open, mailing: Example.mailing(), source: nil, origin: "", state: .collecting, now: Example.start)
        let row = Exclusion(row: 1, reason: .duplicate, id: "1", address: "p0-1@example.com", detail: "")
        try await ledger.appendPlan(open, batches: [], exclusions: [row], rowsRead: 1)
        let key = Suppression.Key(.email, "p0-1@example.com")
        _ = try await ledger.suppress([Suppression(key, reason: .manual, at: Example.start)], audit: nil, now: Example.start)
        // What is in flight when the copy is made has an end in the ledger: one of the copy's open recipients is erased there.
        let dispatched = try await ledger.dispatchBatches([(id, 1), (pruned, 1)], now: Example.start)
        for batch in dispatched where batch.id.mailing == pruned { try await write(ledger, batch, sent: 0..<3, .done) }
        #expect(try await ledger.complete([pruned], now: Example.start) == [pruned])
        _ = try LedgerBackup.make(of: path, to: copy)
        for batch in dispatched where batch.id.mailing == id { try await write(ledger, batch, sent: 0..<3, .done) }
        #expect(try await erase(ledger, "P0-1@example.com", withSuppressions: true).isWhole)
        // Whoever is added afterwards came again.
        try await ledger.create(Example.id(3), mailing: Example.mailing(), source: nil, origin: "", state: .collecting, now: later)
        let batch = PlannedBatch(number: 0, recipients: Example.recipients(batch: 0, count: 3))
        try await ledger.appendPlan(Example.id(3), batches: [batch], exclusions: [], rowsRead: 3)
        #expect(try await ledger.prune(pruned, RetentionRule(cutoff: later), note: nil, now: later) == 3)
        try ledger.close()

        let (summary, _) = try LedgerBackup.restore(copy, to: path, isForced: true, now: later)
        // One of the pruned mailing that is back, and the excluded row is the ledger's own.
        #expect(summary.merged?.erased == 1 && summary.merged?.unerased == 0, "\(summary)")
        ledger = try self.open()
        for mailing in [id, pruned] {
            #expect(try await ledger.recipient(mailing, "r0-1")?.address == "", "\(mailing)")
            #expect(try await ledger.recipient(mailing, "r0-0")?.address == "p0-0@example.com")
            #expect(try await ledger.recount(mailing) == [])
        }
        #expect(try await ledger.history(address: "p0-1@example.com", limit: 9).map(\.mailing) == [Example.id(3)])
        #expect(try await ledger.exclusions(open, after: 0, limit: 9).map(\.address) == [""])
        #expect(try await ledger.suppressions(of: "p0-1@example.com", .email) == [])
        #expect(try await ledger.suppressionList().entries == 0)
        // The copy knows it now: of a copy of it nothing is to be erased.
        _ = try LedgerBackup.make(of: path, to: copy)
        try ledger.close()
        let (again, _) = try LedgerBackup.restore(copy, to: path, isForced: true, now: later)
        #expect(again.merged?.erased == 0)
    }

    @Test func whoIsOpenInTheCopyIsNamedAndStays() async throws {
        let ledger = try open()
        try await Example.plan(ledger, batches: [3])
        _ = try LedgerBackup.make(of: path, to: copy)
        _ = try await ledger.setState(
            id, to: .stopped, from: [.sending], reason: .person("ann"), note: nil, now: Example.start)
        #expect(try await ledger.stopOpen(id, now: Example.start) == 3)
        #expect(try await erase(ledger, "p0-2@example.com").recipients == 1)
        try ledger.close()
        let (summary, _) = try LedgerBackup.restore(copy, to: path, isForced: true, now: Example.start)
        // The mailing is paused in the copy, and its recipients are open: their values are those of the ledger.
        let restored = try self.open()
        let left = try #require(try await restored.recipient(id, "r0-2"))
        #expect(left.state == .planned && (left.address.isEmpty || summary.merged?.unerased == 1), "\(summary) \(left)")
    }

    /// A backup is not to take the place of another ledger, or of its copy.
    @Test func aCopyTakesNoOtherLedgersPlace() throws {
        try open().close()
        let other = folder.path("other.sqlite")
        try SQLiteLedger.open(other, logger: logger).close()
        #expect(throws: LedgerError.refused("\(other) is another ledger, or a copy of another one; name another file")) {
            try LedgerBackup.make(of: path, to: other)
        }
        _ = try LedgerBackup.make(of: path, to: copy)
        _ = try LedgerBackup.make(of: path, to: copy)
    }

    /// A path that was mistyped once is to lead to no ledger the next time either.
    @Test func aNewLedgerThatNothingWasWrittenToIsRemovedWithItsLock() async throws {
        let files = { try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() }
        try LedgerLock.acquire(ledger: path).release()
        #expect(SQLiteLedger.removeUnused(path, isMade: false))
        #expect(try files() == [])
        try open().close()
        #expect(!SQLiteLedger.removeUnused(path, isMade: false))
        // Another process has it open, or leads on it.
        let used = try open()
        #expect(!SQLiteLedger.removeUnused(path, isMade: true))
        try used.close()
        let lock = try LedgerLock.acquire(ledger: path)
        #expect(!SQLiteLedger.removeUnused(path, isMade: true))
        lock.release()
        #expect(SQLiteLedger.removeUnused(path, isMade: true))
        #expect(try files() == [])
        let ledger = try open()
        try await Example.plan(ledger, batches: [1])
        try ledger.close()
        #expect(!SQLiteLedger.removeUnused(path, isMade: true))
        #expect(try files().contains("ledger.sqlite"))
    }
}
