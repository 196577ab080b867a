import Foundation
import GRDB
import Logging
import Model
import Synchronization
import TestServers
import Testing

@testable import Ledger

/// A ledger moves from its file to a server with all that it knows.
@Suite struct LedgerCopyTests {
    private let folder: TemporaryFolder
    private let path: String
    private let quiet = Logger(label: "test")
    private let now = Example.start + 1_000_000

    init() throws {
        folder = try TemporaryFolder()
        path = folder.path + "/ledger.sqlite"
    }

    /// A ledger in which much has happened.
    private func fill() async throws {
        let ledger = try SQLiteLedger.open(path, logger: quiet)
        try await Example.plan(ledger, batches: LedgerPropertyTests.sizes)
        var generator = SeededGenerator(seed: 7)
        var sequence = 0
        for step in 0..<80 { try await LedgerPropertyTests.act(ledger, Example.start + Int64(step * 100), &sequence, &generator) }
        var letter = DeadLetter(source: .status(1), entry: "1-0", reason: "no sense", fields: [.init(name: "d", value: [0, 255])])
        letter.mailing = Example.id()
        let opened = RecipientEvent(batch: 0, index: 0, kind: .opened, at: now, detail: "a\0b")
        _ = try await ledger.write(
            groups: [], events: [EventGroup(mailing: Example.id(), events: [opened])], letters: [letter], now: now)
        let other = Example.id(5)
        try await ledger.create(other, mailing: Example.mailing(), source: nil, origin: "", state: .collecting, now: now)
        let excluded = Exclusion(row: 3, reason: .duplicate, id: "x", address: "p0-0@example.com", detail: "")
        try await ledger.appendPlan(other, batches: [], exclusions: [excluded], rowsRead: 5)
        _ = try await ledger.setLimit(.known(.channel(.email)), "5/s", note: AuditNote(.limit, actor: "ann"), now: now)
        try ledger.close()
    }

    private func copy(to url: String, onProgress: @escaping (LedgerCopy.Progress) -> Void = { _ in }) async throws -> LedgerCopy.Summary {
        try await LedgerCopy(of: path, logger: quiet, onProgress: onProgress).run(to: url, now: now)
    }

    @Test func theServersLedgerHasAllAndTheFileSaysSo() async throws {
        try await fill()
        let url = try await PostgreSQLServer.shared.database()
        let before = try SQLiteLedger.open(path, logger: quiet)
        let report = try await before.report(Example.id(), now: now)
        let identity = try await before.identity()
        try before.close()

        let summary = try await copy(to: url)
        #expect(summary.mailings == 2 && summary.rows > 50 && summary.questions > 20)
        let target = try SQLLedger.open(postgreSQL: url, logger: quiet)
        #expect(try await target.report(Example.id(), now: now) == report)
        #expect(try await target.identity() == identity)
        #expect(try await target.recount(Example.id()) == [])
        // Numbers continue behind those that were copied.
        _ = try await target.setLimit(.known(.channel(.sms)), "6/s", note: AuditNote(.limit, actor: "bob"), now: now)
        #expect(try await target.audit(AuditFilter(), limit: 2).map(\.actor) == ["bob", "ann"])
        try await Example.plan(target, Example.id(6), batches: [2])

        let refusal = #expect(throws: LedgerError.self) { try SQLiteLedger.open(path, mustExist: true, logger: quiet) }
        #expect("\(String(describing: refusal))".contains("was moved to postgres://"))
        await #expect(throws: LedgerError.self) { try await copy(to: url) }
    }

    /// A mailing that was large once and is pruned has no rows, and no tables of its own; one whose pruning has begun still has.
    @Test func aPrunedMailingGetsNoTablesOfItsOwn() async throws {
        let ledger = try SQLiteLedger.open(path, logger: quiet)
        for number in 0..<3 { try await Example.plan(ledger, Example.id(number), batches: [2]) }
        try ledger.close()
        let file = try DatabaseQueue(path: path)
        try await file.write { db in
            try db.execute(sql: "UPDATE mailing SET planned_count = 9000000")
            try db.execute(sql: "UPDATE mailing SET pruned = 1 WHERE id <> ?", arguments: [Example.id(0).description])
            try db.execute(sql: "UPDATE mailing SET pruning = 1 WHERE id = ?", arguments: [Example.id(1).description])
        }
        try file.close()
        let url = try await PostgreSQLServer.shared.database()
        _ = try await copy(to: url)
        let own = PostgreSQLStatement(
            name: "own", sql: "SELECT relname::text FROM pg_class WHERE relname LIKE 'batch\\_of\\_%' AND relkind = 'r'")
        let rows = try PostgreSQLConnection(url: url).run(own)
        let names = try (0..<rows.count).map { try rows.text($0, 0) ?? "" }
        #expect(Set(names) == ["batch_of_\(Example.id(0))", "batch_of_\(Example.id(1))"])
    }

    /// A backup that went on by itself would have nothing of what the server has; and a copy that was made all the same can be put back.
    @Test func aMovedFileIsNotBackedUpAndItsCopyIsALedgerAgainByForce() async throws {
        try await fill()
        let (copied, plain) = (folder.path("copy.sqlite"), folder.path("plain.sqlite"))
        let file = try DatabaseQueue(path: path)
        let mark = try await file.read { try FileMark($0) }
        try file.close()
        try SQLiteLedger.noteMove(path, to: "postgres://db/flotilla", unchangedSince: mark)
        let refusal = #expect(throws: LedgerError.self) { try LedgerBackup.make(of: path, to: copied) }
        #expect(String(describing: refusal).contains("was moved to postgres://db/flotilla"))
        try FileManager.default.copyItem(atPath: path, toPath: copied)
        let again = #expect(throws: LedgerError.self) { try LedgerBackup.restore(copied, to: plain, isForced: false, now: now) }
        #expect(String(describing: again).contains("was moved to postgres://db/flotilla"))
        _ = try LedgerBackup.restore(copied, to: plain, isForced: true, now: now)
        let ledger = try SQLiteLedger.open(plain, mustExist: true, logger: quiet)
        #expect(try await ledger.mailings(states: nil, limit: 9).count == 2)
        try ledger.close()
    }

    /// The last step is missing: the same command takes it, and nothing is copied twice.
    @Test func aCopyThatWasInterruptedIsTakenUp() async throws {
        try await fill()
        let url = try await PostgreSQLServer.shared.database()
        let first = try await copy(to: url)
        let file = try DatabaseQueue(path: path)
        try await file.write { try $0.execute(sql: "UPDATE ledger SET moved_to = ''") }
        try file.close()
        #expect(try await copy(to: url) == first)
    }

    @Test func aLedgerThatIsInUseIsNotMoved() async throws {
        try await fill()
        let url = try await PostgreSQLServer.shared.database()
        let lock = try LedgerLock.acquire(ledger: path)
        await #expect(throws: LedgerError.held(path: path, pid: getpid())) { try await copy(to: url) }
        lock.release()
        let reader = try SQLiteLedger.open(path, logger: quiet)
        let target = try SQLLedger.open(postgreSQL: url, logger: quiet)
        #expect(try await target.mailings(states: nil, limit: 9).isEmpty)
        _ = try await reader.commits()
        try reader.close()
    }

    /// Whoever has the file open when it moves writes nothing more into it.
    @Test func aFileThatMovesWhileItIsOpenTakesNoMore() async throws {
        try await fill()
        let open = try SQLiteLedger.open(path, logger: quiet)
        let file = try DatabaseQueue(path: path)
        let mark = try await file.read { try FileMark($0) }
        try file.close()
        try SQLiteLedger.noteMove(path, to: "postgres://db/flotilla", unchangedSince: mark)
        let refusal = await #expect(throws: LedgerError.self) {
            _ = try await open.setLimit(.known(.channel(.email)), "6/s", note: nil, now: now)
        }
        #expect("\(String(describing: refusal))".contains("was moved to postgres://db/flotilla"))
        try open.close()
    }

    @Test func aTargetThatIsNotEmptyIsLeftAlone() async throws {
        try await fill()
        let url = try await Engine.postgreSQL(folder)
        let target = try SQLLedger.open(postgreSQL: url, logger: quiet)
        try await Example.plan(target, batches: [3])
        let refusal = await #expect(throws: LedgerError.self) { try await copy(to: url) }
        #expect("\(String(describing: refusal))".contains("is not empty"))
        #expect(try await target.progress(Example.id())?.planned == 3)
        try SQLiteLedger.open(path, mustExist: true, logger: quiet).close()
    }

    /// The damage is in the last table but one; nothing of those before it stays.
    @Test func afterAFailureNothingIsThere() async throws {
        try await fill()
        let file = try DatabaseQueue(path: path)
        try await file.write {
            try $0.execute(sql: "UPDATE suppression SET address = x'00ff' WHERE rowid = (SELECT min(rowid) FROM suppression)")
        }
        try file.close()
        let url = try await PostgreSQLServer.shared.database()
        await #expect(throws: LedgerError.self) { try await copy(to: url) }
        let target = try SQLLedger.open(postgreSQL: url, logger: quiet)
        #expect(try await target.mailings(states: nil, limit: 9).isEmpty)
        #expect(try await target.audit(AuditFilter(), limit: 9).isEmpty)
        try SQLiteLedger.open(path, mustExist: true, logger: quiet).close()
    }

    @Test func aDigestSeesEachRowAndNotTheirOrder() {
        var (one, other) = (TableDigest(), TableDigest())
        let rows: [[SQLValue]] = [[.bigint(1), .text("a")], [.bigint(2), .null(.text)], [.bigint(2), .text("")]]
        for row in rows { one.add(row) }
        for row in rows.reversed() { other.add(row) }
        #expect(one == other)
        other.add([.bigint(2), .text("")])
        #expect(one != other)
        one.add([.bigint(2), .null(.text)])
        #expect(one != other)
    }
}
