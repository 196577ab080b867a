import Foundation
import GRDB
import Logging
import Model
import TestServers
import Testing

@testable import Ledger

/// Copies of a ledger, and a ledger whose file is not there any more.
@Suite(.timeLimit(.minutes(2))) struct CopyTests {
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let folder: TemporaryFolder
    let id = Example.id()
    var path: String { folder.path("ledger.sqlite") }
    var copy: String { folder.path("copy.sqlite") }

    init() throws { folder = try TemporaryFolder() }

    func open() throws -> SQLiteLedger { try SQLiteLedger.open(path, logger: logger) }

    func move(_ from: String, _ to: String) throws {
        for end in ["", "-wal", "-shm"] where FileManager.default.fileExists(atPath: from + end) {
            try FileManager.default.moveItem(atPath: from + end, toPath: to + end)
        }
    }

    func states(_ ledger: SQLiteLedger) async throws -> [RecipientState: Int] {
        try #require(try await ledger.progress(id)).states.filter { $0.value > 0 }
    }

    // MARK: - Backup and restore

    @Test func aCopyMadeWhileOthersWriteIsWhole() async throws {
        let ledger = try open()
        let end = ContinuousClock.now + .seconds(1)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                var number = 0
                while ContinuousClock.now < end {
                    try await Example.plan(ledger, Example.id(number), batches: [50, 50])
                    number += 1
                }
            }
            group.addTask { @concurrent in
                for _ in 0..<5 {
                    let summary = try LedgerBackup.make(of: path, to: copy)
                    #expect(summary.size > 0)
                    let attributes = try FileManager.default.attributesOfItem(atPath: copy)
                    #expect(attributes[.posixPermissions] as? Int == 0o600)
                    let copied = try SQLiteLedger.open(copy, logger: logger)
                    for record in try await copied.mailings(states: nil, limit: 3) { #expect(try await copied.recount(record.id) == []) }
                    try copied.close()
                }
            }
            try await group.waitForAll()
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).allSatisfy { !$0.contains("partial") })
    }

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
        #expect(summary.carried == CarriedMailings(count: 2))
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
        let losses = try LedgerBackup.restore(copy, to: path, isForced: true, now: Example.start).summary.carried?.losses
        #expect(losses?.isIncomplete == true && losses?.mailings == [:] && losses?.unfinished == 1)
    }

    func new(_ id: MailingID, _ key: String) -> NewMailing {
        var new = NewMailing(id: id, mailing: Example.mailing(), source: nil)
        (new.identity, new.state) = (.key(key), .collecting)
        return new
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
        #expect(summary.carried?.suppressions == 5)
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
        #expect(summary.carried?.outcomes == 6 && summary.carried?.orders == 3 && summary.carried?.undone == [])
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
        #expect(summary.carried?.undone.map(\.wasPruned) == [true])
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
        #expect(summary.carried == CarriedMailings(outcomes: 1) && summary.doubtful == [])
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

    /// Why a copy is not put there; empty where it is.
    private func refusal(of file: String) -> String {
        do throws(LedgerError) {
            _ = try LedgerBackup.restore(file, to: path, isForced: false, now: Example.start)
        } catch {
            if case .refused(let text) = error { return text }
        }
        return ""
    }

    /// There is no ledger any more, and the note beside it names what the copy lacks.
    @Test func aCopyThatLacksWhatTheNoteNamesIsPutThereOnlyWhenToldTo() async throws {
        var ledger = try open()
        try await Example.plan(ledger, batches: [1])
        _ = try LedgerBackup.make(of: path, to: copy)
        _ = try await ledger.add(new(Example.id(7), "spring"), repeating: .refuse, note: nil, now: Example.start)
        try ledger.close()
        for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) }
        let gone = refusal(of: copy)
        #expect(gone.contains("is gone") && gone.contains("\(Example.id(7)) 'Spring'") && gone.contains("--force"))
        #expect(SQLiteLedger.isMissing(path))
        let other = folder.path("other.sqlite")
        try SQLiteLedger.open(other, logger: logger).close()
        let foreign = refusal(of: other)
        #expect(foreign.contains("the copy is of another one") && foreign.contains("\(Example.id(7)) 'Spring'"))
        let (summary, kept) = try LedgerBackup.restore(copy, to: path, isForced: true, now: Example.start)
        #expect(kept == nil && summary.carried?.losses?.mailings == [Example.id(7): "Spring"])
        ledger = try open()
        #expect(
            try await ledger.add(new(Example.id(9), "spring"), repeating: .refuse, note: nil, now: Example.start) == .lost(Example.id(7)))
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

    /// A copy of damage takes the place of no good one.
    @Test func aCopyIsReadAgainBeforeItTakesItsPlace() async throws {
        let ledger = try open()
        try await Example.plan(ledger, batches: [2])
        _ = try LedgerBackup.make(of: path, to: copy)
        let good = try Data(contentsOf: URL(fileURLWithPath: copy))
        try ledger.close()
        let file = try DatabaseQueue(path: path)
        try file.inDatabase { try $0.execute(sql: "UPDATE batch SET recipients = replace(recipients, 'p0-1', 'p0-2')") }
        try file.close()
        do {
            _ = try LedgerBackup.make(of: path, to: copy)
            Issue.record("it was written")
        } catch {
            #expect("\(error)".contains("batch 0: its fingerprints are not those of its addresses"), "\(error)")
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: copy)) == good)
        #expect(FileManager.default.fileExists(atPath: copy + ".damaged"))
        #expect(throws: LedgerError.self) { try LedgerBackup.restore(copy + ".damaged", to: path, isForced: false, now: Example.start) }
        #expect(try SQLiteLedger.inspect(path).faults.map(\.kind) == [.content])
    }

    /// The names that are told exist, and nothing is left of whoever was killed.
    @Test func whatARestoreLeavesBehindIsNamed() async throws {
        let ledger = try open()
        try await Example.plan(ledger, batches: [1])
        _ = try LedgerBackup.make(of: path, to: copy)
        try ledger.close()
        try FileManager.default.createDirectory(atPath: folder.path("other"), withIntermediateDirectories: false)
        let linked = folder.path("other/link.sqlite")
        try FileManager.default.createSymbolicLink(atPath: linked, withDestinationPath: path)
        try folder.write("half", to: "ledger.sqlite.partial-99999999")
        try folder.write("of somebody", to: "ledger.sqlite.partial-\(getppid())")
        let (_, kept) = try LedgerBackup.restore(copy, to: linked, isForced: false, now: Example.start)
        let before = try SQLiteLedger.open(#require(kept), mustExist: true, logger: logger)
        #expect(try await before.mailing(id) != nil)
        #expect(try await before.copyMark().restored == nil)
        try before.close()
        #expect(try await open().copyMark().restored == Example.start)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(names.filter { $0.contains("partial") } == ["ledger.sqlite.partial-\(getppid())"])
    }

    @Test func aLedgerInUseIsNotReplaced() async throws {
        let ledger = try open()
        try await Example.plan(ledger, batches: [1])
        _ = try LedgerBackup.make(of: path, to: copy)
        #expect(throws: LedgerError.busy(path: path)) {
            try LedgerBackup.restore(copy, to: path, isForced: true, now: Example.start)
        }
        #expect(try await ledger.work().count == 1)
        try ledger.close()
        _ = try LedgerBackup.restore(copy, to: path, isForced: true, now: Example.start)
        try folder.write("no ledger at all", to: "text")
        #expect(throws: LedgerError.self) {
            try LedgerBackup.restore(folder.path("text"), to: path, isForced: true, now: Example.start)
        }
    }

    func write(_ ledger: SQLiteLedger, _ batch: DispatchedBatch, failed indexes: Range<Int>) async throws {
        let group = ResultGroup(
            Dispatch(batch: batch.id, dispatchNumber: batch.dispatchNumber), worker: "w", sequence: 100, closing: .open, groups: 1,
            results: indexes.map { failed($0) })
        _ = try await ledger.write(groups: [group], events: [], now: Example.start)
    }

    func write(_ ledger: SQLiteLedger, _ batch: DispatchedBatch, sent indexes: Range<Int>, _ closing: ResultGroup.Closing)
        async throws
    {
        let group = ResultGroup(
            Dispatch(batch: batch.id, dispatchNumber: batch.dispatchNumber), worker: "w", sequence: indexes.lowerBound, closing: closing,
            groups: 1,
            results: indexes.map { sent($0) })
        _ = try await ledger.write(groups: [group], events: [], now: Example.start)
    }
}
