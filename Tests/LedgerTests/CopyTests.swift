import Foundation
import GRDB
import Logging
import Model
import TestServers
import Testing

@testable import Ledger

/// Copies of a ledger, and a ledger whose file is not there any more.
@Suite(.timeLimit(.minutes(2))) struct CopyTests {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private let folder: TemporaryFolder
    private let id = Example.id()
    private var path: String { folder.path("ledger.sqlite") }
    private var copy: String { folder.path("copy.sqlite") }

    init() throws { folder = try TemporaryFolder() }

    private func open() throws -> SQLiteLedger { try SQLiteLedger.open(path, logger: logger) }

    private func move(_ from: String, _ to: String) throws {
        for end in ["", "-wal", "-shm"] where FileManager.default.fileExists(atPath: from + end) {
            try FileManager.default.moveItem(atPath: from + end, toPath: to + end)
        }
    }

    private func states(_ ledger: SQLiteLedger) async throws -> [RecipientState: Int] {
        try #require(try await ledger.progress(id)).states.filter { $0.value > 0 }
    }

    // MARK: - A file that is not there

    @Test func aLedgerThatWasMovedIsRefusedUntilItIsBack() async throws {
        let ledger = try open()
        try await Example.plan(ledger, batches: [2])
        try move(path, folder.path("away"))
        await #expect(throws: LedgerError.replaced(path: path)) { try await ledger.work() }
        await #expect(throws: LedgerError.replaced(path: path)) { try await ledger.dispatchBatches([(id, 1)], now: Example.start) }
        #expect(throws: LedgerError.replaced(path: path)) { try ledger.checkFile() }
        #expect(ledger.problem == .replaced(path: path))
        try move(folder.path("away"), path)
        #expect(try await ledger.dispatchBatches([(id, 1)], now: Example.start).count == 1)
        #expect(ledger.problem == nil)
    }

    @Test func aLedgerThatWasReplacedIsRefused() async throws {
        let ledger = try open()
        try await Example.plan(ledger, batches: [2])
        _ = try LedgerBackup.make(of: path, to: copy)
        for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) }
        try FileManager.default.copyItem(atPath: copy, toPath: path)
        await #expect(throws: LedgerError.replaced(path: path)) { try await ledger.work() }
        // The end of the one that is gone leaves the one that is there alone.
        let other = try open()
        #expect(try await other.dispatchBatches([(id, 1)], now: Example.start).count == 1)
        try? ledger.close()
        #expect(try await other.work().first?.dispatched == 1)
    }

    /// `cp copy ledger; rm ledger-wal ledger-shm` while roles run.
    @Test func aLedgerThatWasOverwrittenIsRefusedAndWhatIsThereStays() async throws {
        try await Example.plan(open(), batches: [2])
        _ = try LedgerBackup.make(of: path, to: copy)
        let content = try Data(contentsOf: URL(fileURLWithPath: copy))
        do {
            let ledger = try open()
            _ = try await ledger.dispatchBatches([(id, 1)], now: Example.start)
            let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            try file.write(contentsOf: content)
            try file.truncate(atOffset: UInt64(content.count))
            try file.close()
            for end in ["-wal", "-shm"] { try FileManager.default.removeItem(atPath: path + end) }
            await #expect(throws: LedgerError.replaced(path: path)) { try await ledger.work() }
            try ledger.close()
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == content)
    }

    /// `cp copy ledger` while roles run, which leaves the log as it is.
    @Test func aLedgerThatWasOverwrittenBesideItsLogIsRefusedAndItsLogIsSetAside() async throws {
        var options = SQLiteLedger.Options()
        options.overwriteLook = .zero
        let ledger = try SQLiteLedger.open(path, logger: logger, options: options)
        try await Example.plan(ledger, batches: [2, 2, 2])
        _ = try LedgerBackup.make(of: path, to: copy)
        let content = try Data(contentsOf: URL(fileURLWithPath: copy))
        let commits = try await ledger.commits()
        // Checkpoints by others, and whole new texts of the same ledger, are no reason to stop.
        for command in ["PRAGMA wal_checkpoint", "VACUUM", "PRAGMA wal_checkpoint"] {
            _ = try await ledger.dispatchBatches([(id, 1)], now: Example.start)
            #expect(try ServerProcess("sqlite3", [path, ".timeout 5000", command], package: "sqlite3").wait() == 0)
            _ = try await ledger.work()
        }
        #expect(try await ledger.commits() > commits)
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.write(contentsOf: content)
        try file.truncate(atOffset: UInt64(content.count))
        try file.close()
        await #expect(throws: LedgerError.replaced(path: path)) { try await ledger.work() }
        await #expect(throws: LedgerError.replaced(path: path)) { try await ledger.dispatchBatches([(id, 1)], now: Example.start) }
        try ledger.close()
        // Whoever starts when all roles have ended has the copy, whole: this process still holds its lock.
        let place = folder.path("place.sqlite")
        try FileManager.default.copyItem(atPath: path, toPath: place)
        #expect(!FileManager.default.fileExists(atPath: path + "-wal"))
        let next = try SQLiteLedger.open(place, logger: logger)
        #expect(try await next.commits() == commits)
        #expect(try await next.recount(id) == [])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).contains { $0.contains("overwritten") })
    }

    /// sqlite3's `.restore` writes by way of the log, which a checkpoint brings into the file as soon as it is long.
    @Test func anOlderCopyThatCameThroughTheLogIsOneAndNotAForeignFile() async throws {
        var options = SQLiteLedger.Options()
        options.overwriteLook = .zero
        let ledger = try SQLiteLedger.open(path, logger: logger, options: options)
        try await Example.plan(ledger, batches: [2, 2, 2])
        _ = try LedgerBackup.make(of: path, to: copy)
        func sqlite(_ commands: String...) throws {
            #expect(try ServerProcess("sqlite3", [path, ".timeout 5000"] + commands, package: "sqlite3").wait() == 0)
        }
        for _ in 0..<3 { _ = try await ledger.dispatchBatches([(id, 1)], now: Example.start) }
        try sqlite("PRAGMA wal_checkpoint")
        _ = try await ledger.work()
        // Another process looked before that.
        let other = try SQLiteLedger.open(path, logger: logger, options: options)
        _ = try await ledger.dispatchBatches([(id, 0)], now: Example.start)
        try sqlite(".restore \(copy)")
        _ = try await ledger.dispatchBatches([(id, 1)], now: Example.start)
        #expect(try await ledger.copyMark() == CopyMark(commits: 1, olderThan: 3))
        try sqlite("PRAGMA wal_checkpoint")
        for _ in 0..<2 {
            #expect(try await ledger.work().first?.dispatched == 1)
            #expect(try await other.work().first?.dispatched == 1)
            _ = try await other.dispatchBatches([(id, 0)], now: Example.start)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).allSatisfy { !$0.contains("overwritten") })
    }

    /// Nothing is left in the log that would hide a copy that was written into the file.
    @Test func aLedgerThatWasOverwrittenBesideAnEmptyLogIsRefused() async throws {
        var options = SQLiteLedger.Options()
        options.overwriteLook = .seconds(1000)
        let ledger = try SQLiteLedger.open(path, logger: logger, options: options)
        try await Example.plan(ledger, batches: [2, 2, 2])
        _ = try LedgerBackup.make(of: path, to: copy)
        for _ in 0..<3 { _ = try await ledger.dispatchBatches([(id, 1)], now: Example.start) }
        #expect(try ServerProcess("sqlite3", [path, "PRAGMA wal_checkpoint(TRUNCATE)"], package: "sqlite3").wait() == 0)
        let next = try SQLiteLedger.open(path, logger: logger, options: options)
        let content = try Data(contentsOf: URL(fileURLWithPath: copy))
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.write(contentsOf: content)
        try file.truncate(atOffset: UInt64(content.count))
        try file.close()
        await #expect(throws: LedgerError.replaced(path: path)) { try await next.setRedisProblem("x") }
        await #expect(throws: LedgerError.replaced(path: path)) { try await next.work() }
    }

    /// SQLite would make a new file and delete the log, or write the log into whatever is there.
    @Test(arguments: [false, true]) func aStopLeavesTheLogOfALedgerThatIsNotThere(isReplaced: Bool) async throws {
        let ledger = try open()
        try await Example.plan(ledger, batches: [2])
        _ = try LedgerBackup.make(of: path, to: copy)
        _ = try await ledger.dispatchBatches([(id, 1)], now: Example.start)
        let content = try Data(contentsOf: URL(fileURLWithPath: copy))
        try FileManager.default.moveItem(atPath: path, toPath: folder.path("away"))
        if isReplaced { try FileManager.default.moveItem(atPath: copy, toPath: path) }
        try? ledger.close()
        #expect(FileManager.default.fileExists(atPath: path + "-wal"))
        #expect(FileManager.default.contents(atPath: path) == (isReplaced ? content : nil))
        if !isReplaced {
            try FileManager.default.moveItem(atPath: folder.path("away"), toPath: path)
            #expect(try await open().commits() == 1)
        }
    }

    @Test func aLinkAndItsFileHaveOneLock() throws {
        _ = try open()
        try FileManager.default.createSymbolicLink(atPath: folder.path("link.sqlite"), withDestinationPath: path)
        try FileManager.default.createSymbolicLink(atPath: folder.path("folder"), withDestinationPath: folder.path)
        let lock = try LedgerLock.acquire(ledger: path)
        for other in ["link.sqlite", "folder/ledger.sqlite", "folder/link.sqlite"] {
            #expect(throws: LedgerError.held(path: folder.path(other), pid: getpid())) {
                try LedgerLock.acquire(ledger: folder.path(other))
            }
        }
        lock.release()
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

    private func new(_ id: MailingID, _ key: String) -> NewMailing {
        var new = NewMailing(id: id, mailing: Example.mailing(), source: nil)
        (new.identity, new.state) = (.key(key), .collecting)
        return new
    }

    /// Of a ledger that cannot be read, what was added is known by the note beside it and by Redis.
    @Test func aDamagedLedgerIsReplacedOnlyWhenToldTo() async throws {
        var ledger = try open()
        try await Example.plan(ledger, batches: [4])
        let made = try LedgerBackup.make(of: path, to: copy)
        let (noted, published) = (Example.id(7), Example.id(8))
        _ = try await ledger.add(new(noted, "spring"), repeating: .refuse, note: nil, now: Example.start)
        try ledger.close()
        try folder.write("nonsense", to: "ledger.sqlite")
        func restore(_ elsewhere: KnownElsewhere, isForced: Bool = false) throws -> CarriedMailings.Losses? {
            try LedgerBackup.restore(
                copy, to: path, isForced: isForced, elsewhere: elsewhere, now: Example.start, logger: logger
            ).summary.carried?.losses
        }
        let elsewhere = KnownElsewhere(commits: made.commits, mailings: [published: "autumn"])
        do {
            _ = try restore(elsewhere)
            Issue.record("it was replaced")
        } catch LedgerError.refused(let text) {
            for part in ["is damaged", "\(noted)", "\(published) 'autumn'", "4 open recipients", "--force"] { #expect(text.contains(part)) }
        }
        let losses = try restore(elsewhere, isForced: true)
        #expect(losses?.mailings == [noted: "Spring", published: "autumn"] && losses?.open == 4)
        // What was added is asked for.
        ledger = try open()
        #expect(try await ledger.add(new(Example.id(9), "spring"), repeating: .refuse, note: nil, now: Example.start) == .lost(noted))
        _ = try await ledger.add(new(Example.id(9), "spring"), repeating: .again, note: nil, now: Example.start)
        // Redis knows of no later commit, and all that was added is in the copy.
        let later = try LedgerBackup.make(of: path, to: copy)
        try ledger.close()
        try FileManager.default.removeItem(atPath: folder.path("ledger.sqlite.commits"))
        try folder.write("nonsense", to: "ledger.sqlite")
        #expect(throws: LedgerError.self) { try restore(KnownElsewhere(commits: later.commits + 1)) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).allSatisfy { !$0.contains("partial") })
        // But who was suppressed since is not known.
        #expect(throws: LedgerError.self) { try restore(KnownElsewhere(commits: later.commits)) }
        let unknown = try restore(KnownElsewhere(commits: later.commits), isForced: true)
        #expect(unknown?.lacksSuppressions == true && unknown?.mailings == [:])
    }

    /// Damage costs only the mailings that it is in.
    @Test func ofADamagedLedgerTheMailingsAreTakenThatAreWhole() async throws {
        var ledger = try open()
        try await Example.plan(ledger, batches: [2])
        _ = try LedgerBackup.make(of: path, to: copy)
        let others = (7...9).map { Example.id($0) }
        for (number, other) in others.enumerated() { try await planLarge(ledger, other, batch: 70 + number) }
        _ = try await ledger.dispatchBatches([(others[0], 1)], now: Example.start)
        try ledger.close()
        // A page of the recipients of the second.
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        let place = try #require(bytes.range(of: Data("r71-500\"".utf8))).lowerBound / 8192 * 8192
        bytes.replaceSubrange(place..<place + 8192, with: Data(count: 8192))
        try bytes.write(to: URL(fileURLWithPath: path))
        let (summary, kept) = try LedgerBackup.restore(copy, to: path, isForced: true, now: Example.start, logger: logger)
        #expect(summary.carried?.count == 2)
        #expect(summary.carried?.losses?.mailings.keys.sorted() == [others[1]], "\(summary)")
        #expect(summary.carried?.losses?.isIncomplete == false)
        #expect(kept != nil)
        ledger = try open()
        for other in [id, others[0], others[2]] { #expect(try await ledger.recount(other) == []) }
        #expect(try await ledger.mailing(others[1]) == nil)
    }

    /// One batch whose recipients fill pages of their own.
    private func planLarge(_ ledger: SQLiteLedger, _ id: MailingID, batch: Int) async throws {
        try await ledger.create(id, mailing: Example.mailing(), source: nil, origin: "/m", state: .collecting, now: Example.start)
        let recipients = Example.recipients(batch: batch, count: 1000)
        try await ledger.appendPlan(id, batches: [PlannedBatch(number: 0, recipients: recipients)], exclusions: [], rowsRead: 1000)
        try await ledger.finishPlan(id, now: Example.start)
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

    private func write(_ ledger: SQLiteLedger, _ batch: DispatchedBatch, failed indexes: Range<Int>) async throws {
        let group = ResultGroup(
            Dispatch(batch: batch.id, dispatchNumber: batch.dispatchNumber), worker: "w", sequence: 100, closing: .open, groups: 1,
            results: indexes.map { failed($0) })
        _ = try await ledger.write(groups: [group], events: [], now: Example.start)
    }

    private func write(_ ledger: SQLiteLedger, _ batch: DispatchedBatch, sent indexes: Range<Int>, _ closing: ResultGroup.Closing)
        async throws
    {
        let group = ResultGroup(
            Dispatch(batch: batch.id, dispatchNumber: batch.dispatchNumber), worker: "w", sequence: indexes.lowerBound, closing: closing,
            groups: 1,
            results: indexes.map { sent($0) })
        _ = try await ledger.write(groups: [group], events: [], now: Example.start)
    }
}
