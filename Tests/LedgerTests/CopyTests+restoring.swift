import Foundation
import GRDB
import Logging
import Model
import TestServers
import Testing

@testable import Ledger

/// A copy was put in the place of its ledger: who may have been sent to since, and what its planner does then.
extension CopyTests {
    @Test func whoMayHaveBeenSentToSinceIsHeld() async throws {
        var ledger = try open()
        try await Example.plan(ledger, batches: [4, 4, 4, 4])
        // One batch is sent as a whole, of one only half is known, and two were never dispatched.
        let before = try await ledger.dispatchBatches([(id, 2)], now: Example.start)
        try await write(ledger, before[0], sent: 0..<4, .done)
        try await write(ledger, before[1], sent: 0..<2, .open)
        _ = try LedgerBackup.make(of: path, to: copy)
        // After the copy one more batch is dispatched; its results are in Redis.
        let later = try await ledger.dispatchBatches([(id, 1)], now: Example.start)
        let known = try await ledger.commits()
        try ledger.close()

        try folder.write("id,email\n1,a@example.com\n", to: "people.csv")
        #expect(throws: LedgerError.self) { try LedgerBackup.make(of: path, to: folder.path("people.csv")) }
        #expect(throws: LedgerError.self) {
            try LedgerBackup.restore(copy, to: path, isForced: false, now: Example.start)
        }
        let (_, kept) = try LedgerBackup.restore(
            copy, to: path, isForced: true, note: AuditNote(.restore, actor: "ann"), now: Example.start)
        #expect(kept.map { FileManager.default.fileExists(atPath: $0) } == true)
        ledger = try open()
        #expect(try await ledger.copyMark().restored == Example.start)
        let audit = try await ledger.audit(AuditFilter(object: .ledger), limit: 2)
        #expect(audit.map(\.actor) == ["ann"] && audit.first?.after.contains(copy) == true)
        try await ledger.noteOlder(than: 3)
        #expect(try await ledger.copyMark().olderThan == 3)
        #expect(try await ledger.commits() < known)
        // Redis knows that the third batch was the last that was dispatched.
        let doubt = CopyDoubt(reached: [id: 2], holdsAll: true, why: "copy")
        let outcome = try await ledger.acceptCopy(doubt, commits: known, now: Example.start)
        #expect(outcome.listed == 6 && outcome.paused.isEmpty)
        #expect(try await states(ledger) == [.sent: 6, .uncertain: 6, .planned: 4])
        let mark = try await ledger.copyMark()
        #expect(mark.restored == nil && mark.olderThan == nil && mark.commits > known)
        #expect(try await ledger.recount(id) == [])
        // Late results of what this copy does not know still count.
        try await write(ledger, later[0], sent: 0..<4, .done)
        #expect(try await states(ledger) == [.sent: 10, .uncertain: 2, .planned: 4])
        let next = try await ledger.dispatchBatches([(id, 10)], now: Example.start)
        #expect(next.map(\.id.number) == [3])
    }

    @Test func withoutARedisThatKnowsEverybodyWhoIsOpenIsInDoubt() async throws {
        let ledger = try open()
        try await Example.plan(ledger, batches: [4, 4])
        let other = Example.id(7)
        try await ledger.create(
            other, mailing: Example.mailing(), source: nil, origin: "/m", state: .scheduled, start: nil, now: Example.start)
        let doubt = CopyDoubt(reached: [:], holdsAll: false, why: "copy")
        let outcome = try await ledger.acceptCopy(doubt, commits: 5, now: Example.start)
        #expect(outcome.listed == 8 && outcome.paused == [other])
        // The mailing wants them sent to again.
        #expect(try await states(ledger) == [.planned: 8])
        #expect(try await ledger.uncertain(id, onlyHeld: false, after: nil, limit: 10).count == 8)
        #expect(try await ledger.mailing(other)?.stateReason.kind == .restored)
    }

    /// After a fail-over it is known what was dispatched.
    @Test func aMailingOfWhichNothingWasSentIsPlannedOn() async throws {
        let ledger = try open()
        try await Example.plan(ledger, batches: [4, 4])
        let other = Example.id(7)
        try await ledger.create(
            other, mailing: Example.mailing(), source: nil, origin: "/m", state: .collecting, start: nil, now: Example.start)
        var doubt = CopyDoubt(reached: [:], holdsAll: false, why: "copy")
        doubt.known = [id, other]
        let outcome = try await ledger.acceptCopy(doubt, commits: 5, now: Example.start)
        #expect(outcome.listed == 0 && outcome.paused.isEmpty)
        #expect(try await ledger.mailing(other)?.state == .collecting)
        #expect(try await states(ledger) == [.planned: 8])
    }

    /// What the ledger knows as dispatched may be with a worker that has ended since.
    @Test func ofAMailingThatTheLedgerHasDispatchedEverybodyIsInDoubt() async throws {
        let ledger = try open()
        try await Example.plan(ledger, batches: [4, 4])
        _ = try await ledger.dispatchBatches([(id, 1)], now: Example.start)
        var doubt = CopyDoubt(reached: [:], holdsAll: false, why: "copy")
        doubt.known = [id]
        #expect(try await ledger.acceptCopy(doubt, commits: 5, now: Example.start).listed == 8)
    }

    @Test func whoWasDispatchedBeforeThePlanWasLostIsListedOnce() async throws {
        let ledger = try open()
        try await Example.plan(ledger, batches: [4, 4, 4])
        #expect(try await ledger.listDispatchedBefore(id, upTo: 1, why: "gone", now: Example.start) == 8)
        #expect(try await ledger.listDispatchedBefore(id, upTo: 2, why: "gone", now: Example.start) == 0)
        let listed = try await ledger.uncertain(id, onlyHeld: false, after: nil, limit: 100)
        #expect(Set(listed.map(\.batch)) == [0, 1] && listed.count == 8)
        #expect(try await ledger.recount(id) == [])
        let next = try await ledger.dispatchBatches([(id, 10)], now: Example.start)
        #expect(next.map(\.id.number) == [0, 1, 2])
    }

    /// No other planner can have sent a mailing that is added to the copy after it was put in its place.
    @Test func whatIsAddedAfterTheRestoreIsNotInDoubt() async throws {
        var ledger = try open()
        try await Example.plan(ledger, batches: [4])
        _ = try LedgerBackup.make(of: path, to: copy)
        try ledger.close()
        _ = try LedgerBackup.restore(copy, to: path, isForced: true, now: Example.start)
        ledger = try open()
        let (planned, waiting) = (Example.id(7), Example.id(8))
        try await Example.plan(ledger, planned, batches: [4])
        try await ledger.create(
            waiting, mailing: Example.mailing(), source: nil, origin: "/m", state: .scheduled, start: nil, now: Example.start)
        let doubt = CopyDoubt(reached: [:], holdsAll: true, why: "copy")
        let outcome = try await ledger.acceptCopy(doubt, commits: 5, now: Example.start)
        #expect(outcome.listed == 4 && outcome.paused.isEmpty)
        #expect(try await ledger.dispatchBatches([(id, 9), (planned, 9)], now: Example.start).map(\.id.mailing) == [planned])
        #expect(try await ledger.mailing(waiting)?.state == .scheduled)
    }

    /// What a plan knew of a list says nothing of another one: after a restore all of it is looked at when batches are dispatched.
    @Test(arguments: [false, true]) func aRestoredMailingLooksAtTheWholeList(isInCopy: Bool) async throws {
        func suppress(_ ledger: SQLiteLedger, _ name: String) async throws {
            let one = Suppression(Suppression.Key(.email, "\(name)@example.com"), reason: .unsubscribe, at: 1)
            _ = try await ledger.suppress([one], audit: nil, now: Example.start)
        }
        var ledger = try open()
        if !isInCopy { _ = try LedgerBackup.make(of: path, to: copy) }
        for number in 0..<6 { try await suppress(ledger, "s\(number)") }
        try await ledger.create(id, mailing: Example.mailing(), source: nil, origin: "", state: .scheduled, now: Example.start)
        var step = PlanStep(mailing: id, ending: .whole)
        step.suppressionRevision = try await ledger.suppressionList().revision
        step.batches = [PlannedBatch(number: 0, recipients: Example.recipients(batch: 0, count: 2))]
        #expect(try await ledger.writePlan([step], now: Example.start).isEmpty)
        if isInCopy { _ = try LedgerBackup.make(of: path, to: copy) }
        try ledger.close()
        _ = try LedgerBackup.restore(copy, to: path, isForced: true, now: Example.start)
        // As where the list was lost with damage.
        let file = try DatabaseQueue(path: path)
        try file.inDatabase { try $0.execute(sql: "DELETE FROM suppression; UPDATE suppression_list SET revision = 0, entries = 0") }
        try file.close()
        ledger = try open()
        try await suppress(ledger, "p0-1")
        #expect(try await ledger.dispatchBatches([(id, 1)], now: Example.start).first?.open?.map(\.index) == [0])
    }

    @Test func anErasedPersonDoesNotComeBackWithACopy() async throws {
        var ledger = try open()
        try await Example.plan(ledger, batches: [2])
        try await write(ledger, try await ledger.dispatchBatches([(id, 1)], now: Example.start)[0], sent: 0..<2, .done)
        _ = try LedgerBackup.make(of: path, to: copy)
        #expect(try await ledger.erase(ErasedPerson(["p0-1@example.com"]), note: nil, now: Example.start).recipients == 1)
        try ledger.close()
        _ = try LedgerBackup.restore(copy, to: path, isForced: false, now: Example.start)
        ledger = try open()
        #expect(try await ledger.recipient(id, "p0-1@example.com") == nil)
        #expect(try await ledger.recipient(id, "p0-0@example.com") != nil)
        #expect(try SQLiteLedger.inspect(path).faults == [])
    }
}
