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
        // After the copy one more batch is dispatched and sent.
        let later = try await ledger.dispatchBatches([(id, 1)], now: Example.start)
        try await write(ledger, later[0], sent: 0..<4, .done)
        let known = try await ledger.commits()
        try ledger.close()

        try folder.write("id,email\n1,a@example.com\n", to: "people.csv")
        #expect(throws: LedgerError.self) { try LedgerBackup.make(of: path, to: folder.path("people.csv")) }
        #expect(throws: LedgerError.self) {
            try LedgerBackup.restore(copy, to: path, isForced: false, now: Example.start, logger: logger)
        }
        let (_, kept) = try LedgerBackup.restore(
            copy, to: path, isForced: true, note: AuditNote(.restore, actor: "ann"), now: Example.start, logger: logger)
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
        _ = try LedgerBackup.restore(copy, to: path, isForced: true, now: Example.start, logger: logger)
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
        let (summary, _) = try LedgerBackup.restore(copy, to: path, isForced: true, now: Example.start, logger: logger)
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
            try LedgerBackup.restore(copy, to: path, isForced: false, now: Example.start, logger: logger)
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data("nonsense".utf8))
        let losses = try LedgerBackup.restore(copy, to: path, isForced: true, now: Example.start, logger: logger).summary.carried?.losses
        #expect(losses?.isIncomplete == true && losses?.mailings == [:] && losses?.unfinished == 1)
    }

    func new(_ id: MailingID, _ key: String) -> NewMailing {
        var new = NewMailing(id: id, mailing: Example.mailing(), source: nil)
        (new.identity, new.state) = (.key(key), .collecting)
        return new
    }

    /// Whoever was suppressed since the copy was made stays so, and whose suppression was removed is not suppressed again.
    @Test func theNewerListOfTheSuppressedIsKept() async throws {
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
        _ = try LedgerBackup.restore(copy, to: path, isForced: true, now: Example.start, logger: logger)
        ledger = try open()
        #expect(try await ledger.suppressions(SuppressionFilter(), after: nil, limit: 9) == [one("b"), one("c")])
        #expect(try await ledger.suppressionList() == list)
        #expect(try await ledger.categories() == ["a", "b", "c"])
    }

    @Test func aLedgerInUseIsNotReplaced() async throws {
        let ledger = try open()
        try await Example.plan(ledger, batches: [1])
        _ = try LedgerBackup.make(of: path, to: copy)
        #expect(throws: LedgerError.busy(path: path)) {
            try LedgerBackup.restore(copy, to: path, isForced: true, now: Example.start, logger: logger)
        }
        #expect(try await ledger.work().count == 1)
        try ledger.close()
        _ = try LedgerBackup.restore(copy, to: path, isForced: true, now: Example.start, logger: logger)
        try folder.write("no ledger at all", to: "text")
        #expect(throws: LedgerError.self) {
            try LedgerBackup.restore(folder.path("text"), to: path, isForced: true, now: Example.start, logger: logger)
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
