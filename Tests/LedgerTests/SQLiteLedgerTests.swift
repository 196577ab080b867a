import Foundation
import GRDB
import Logging
import Model
import TestServers
import Testing

@testable import Ledger

@Suite struct SQLiteLedgerTests {
    let logger = Logger(label: "test")

    @Test func refusesAFileThatIsNoDatabase() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/notes.txt"
        try Data(repeating: 0x61, count: 5000).write(to: URL(fileURLWithPath: path))
        #expect(throws: LedgerError.notADatabase(path: path)) { try SQLiteLedger.open(path, logger: logger) }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count == 5000)
    }

    @Test func refusesADatabaseOfAnotherProgram() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/other.sqlite"
        let queue = try DatabaseQueue(path: path)
        try queue.write { try $0.execute(sql: "CREATE TABLE song (title TEXT)") }
        try queue.close()
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        for mustExist in [true, false] {
            #expect(throws: LedgerError.foreign(path: path)) { try SQLiteLedger.open(path, mustExist: mustExist, logger: logger) }
        }
        #expect(throws: LedgerError.foreign(path: path)) { try SQLiteLedger.refuseForeign(path) }
        // Its journal is as it was, and nothing lies beside it.
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == bytes)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["other.sqlite"])
    }

    @Test(arguments: ["definition = '{'", "definition = json_set(definition, '$.batchSize', 0)", "state = 'dreaming'"])
    func aMailingThatCannotBeReadConcernsNoOther(damage: String) async throws {
        let folder = try TemporaryFolder()
        let ledger = try SQLiteLedger.open(folder.path("ledger.sqlite"), logger: logger)
        let (bad, good) = (Example.id(1), Example.id(2))
        for id in [bad, good] {
            try await ledger.create(id, mailing: Example.mailing(), source: nil, origin: "", state: .scheduled, now: Example.start)
        }
        try await ledger.pool.write { try $0.execute(sql: "UPDATE mailing SET \(damage) WHERE id = ?", arguments: [bad.description]) }
        #expect(try await ledger.mailings(states: nil, limit: 9).map(\.id) == [good])
        #expect(try await ledger.statuses(states: nil, limit: 9).map(\.record.id) == [good])
        let unreadable = try await ledger.unreadableMailings(limit: 9)
        #expect(unreadable.map(\.id) == [bad.description])
        // It is told by its id, and not with the text of its definition.
        let error = try #require(unreadable.first?.error)
        #expect("\(error)".contains("\(bad)") && !"\(error)".contains("smtp://"))
        await #expect(throws: error) { try await ledger.mailing(bad) }
        await #expect(throws: error) { try await ledger.find(prefix: bad.description) }
        #expect(try await ledger.mailing(good)?.id == good)
    }

    @Test func refusesALedgerFromANewerRelease() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/ledger.sqlite"
        let ledger = try SQLiteLedger.open(path, logger: logger)
        try ledger.pool.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('9 tables')") }
        try ledger.close()
        #expect(throws: LedgerError.newer(path: path, found: ["9 tables"])) {
            try SQLiteLedger.open(path, logger: logger)
        }
        #expect("\(LedgerError.newer(path: path, found: ["9 tables"]))".contains("newer release"))
    }

    @Test func refusesAPathThatCannotBeWritten() throws {
        let folder = try TemporaryFolder()
        for path in [folder.path, folder.path + "/none/ledger.sqlite"] {
            let error = #expect(throws: LedgerError.self) { try SQLiteLedger.open(path, logger: logger) }
            guard case .unwritable = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
    }

    @Test func tellsADamagedLedger() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/ledger.sqlite"
        let ledger = try SQLiteLedger.open(path, logger: logger)
        try await Example.plan(ledger, batches: [500, 500])
        try ledger.close()
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        let size = try file.seekToEnd()
        try file.seek(toOffset: 8192)
        try file.write(contentsOf: Data(repeating: 0xff, count: Int(size) - 8192))
        try file.close()
        await #expect(throws: LedgerError.self) {
            let ledger = try SQLiteLedger.open(path, logger: logger)
            _ = try await ledger.dispatchBatches([(Example.id(), 2)], now: Example.start)
        }
    }

    @Test func aFullLedgerKeepsWhatItHasAndGoesOnWithRoom() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/ledger.sqlite"
        var options = SQLiteLedger.Options()
        options.maximumPages = 120
        let ledger = try SQLiteLedger.open(path, logger: logger, options: options)
        let id = Example.id()
        try await ledger.create(
            id, mailing: Example.mailing(), source: nil, origin: "", state: .collecting, now: Example.start)
        func append(_ number: Int, to ledger: SQLiteLedger) async throws {
            try await ledger.appendPlan(
                id, batches: [PlannedBatch(number: number, recipients: Example.recipients(batch: number, count: 500))],
                exclusions: [], rowsRead: (number + 1) * 500)
        }
        var written = 0
        let error = await #expect(throws: LedgerError.self) {
            while true {
                try await append(written, to: ledger)
                written += 1
            }
        }
        guard case .full(path, _) = error else { throw try #require(error) }
        let message = try #require(error).description
        #expect(written > 1 && message.contains("make room") && message.contains("KB are free on its disk"))
        #expect(try await ledger.mailing(id)?.nextBatch == written)
        #expect(try await ledger.recount(id) == [])
        try ledger.close()
        let roomy = try SQLiteLedger.open(path, logger: logger)
        try await append(written, to: roomy)
        try await roomy.finishPlan(id, now: Example.start)
        #expect(try await roomy.recount(id) == [])
    }

    @Test func severalProcessesMayMakeItAtOnce() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/ledger.sqlite"
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<6 {
                group.addTask {
                    let ledger = try SQLiteLedger.open(path, logger: Logger(label: "test"))
                    try await Example.plan(ledger, Example.id(number), batches: [10])
                    try ledger.close()
                }
            }
            try await group.waitForAll()
        }
        let ledger = try SQLiteLedger.open(path, logger: logger)
        #expect(try await ledger.mailings(states: nil, limit: 10).count == 6)
    }

    @Test func aWriteIsFinishedThoughItsTaskIsCancelled() async throws {
        let folder = try TemporaryFolder()
        let ledger = try SQLiteLedger.open(folder.path + "/ledger.sqlite", logger: logger)
        try await Example.plan(ledger, batches: [1])
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await ledger.write(groups: [resultGroup([sent(0)])], events: [], now: 0).moved
        }
        #expect(try await task.value == [.sent: 1])
        #expect(try await ledger.progress(Example.id())?[.sent] == 1)
    }

    @Test func theWriteAheadLogStaysBoundedWhileTwoWrite() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/ledger.sqlite"
        var options = SQLiteLedger.Options()
        options.walLimit = 1 << 20
        let limited = options
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<2 {
                group.addTask {
                    let ledger = try SQLiteLedger.open(path, logger: Logger(label: "test"), options: limited)
                    let id = Example.id(number)
                    try await ledger.create(
                        id, mailing: Example.mailing(), source: nil, origin: "", state: .collecting, now: Example.start)
                    for batch in 0..<150 {
                        let recipients = Example.recipients(batch: batch, count: 500)
                        try await ledger.appendPlan(
                            id, batches: [PlannedBatch(number: batch, recipients: recipients)], exclusions: [],
                            rowsRead: (batch + 1) * 500)
                        let size = try FileManager.default.attributesOfItem(atPath: path + "-wal")[.size] as? Int
                        #expect(try #require(size) < 16 << 20)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func theAuditFindsWhatDoesNotAgree() async throws {
        let folder = try TemporaryFolder()
        let ledger = try SQLiteLedger.open(folder.path + "/ledger.sqlite", logger: logger)
        try await Example.plan(ledger, batches: [3])
        #expect(try await ledger.recount(Example.id()) == [])
        try await ledger.pool.write { try $0.execute(sql: "UPDATE counter SET n = n + 1") }
        #expect(try await ledger.recount(Example.id()).count == 1)
        #expect(try await ledger.report(Example.id(), now: Example.start)?.balances == false)
        try await ledger.pool.write { try $0.execute(sql: "UPDATE progress SET states = 'psp', ready = 5, open = 1") }
        #expect(try await ledger.recount(Example.id()).count >= 4)
    }

    @Test func theAuditFindsAListThatDoesNotFit() async throws {
        let folder = try TemporaryFolder()
        let ledger = try SQLiteLedger.open(folder.path + "/ledger.sqlite", logger: logger)
        try await Example.plan(ledger, batches: [3])
        _ = try await ledger.dispatchBatches([(Example.id(), 1)], now: Example.start)
        _ = try await ledger.write(
            groups: [resultGroup([uncertain(0), uncertain(1, due: Example.start)])], events: [], now: Example.start)
        #expect(try await ledger.recount(Example.id()) == [])
        for (change, words) in [
            ("UPDATE uncertain SET idx = 3 WHERE idx = 0", ["held on the list", "of no recipient"]),
            ("UPDATE uncertain SET idx = 0, settled_at = 5 WHERE idx = 3", ["held on the list", "half a decision"]),
            ("UPDATE uncertain SET settled_at = NULL WHERE idx = 0", []),
        ] {
            try await ledger.pool.write { try $0.execute(sql: change) }
            let problems = try await ledger.recount(Example.id())
            #expect(problems.count == words.count && zip(problems, words).allSatisfy { $0.contains($1) }, "\(problems)")
        }
        let doubts = try await ledger.pool.read { db in
            try String.fetchAll(
                db, sql: "SELECT recipient || ' ' || address || ' ' || state || ' ' || since || ' ' || held FROM doubt")
        }
        #expect(
            doubts == [
                "r0-0 p0-0@example.com uncertain 2023-11-14 22:13:20.000 1",
                "r0-1 p0-1@example.com planned 2023-11-14 22:13:20.000 0",
            ])
    }

    @Test func theDutyIsOnesAtATime() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/ledger.sqlite"
        let lock = try LedgerLock.acquire(ledger: path)
        let pid = ProcessInfo.processInfo.processIdentifier
        #expect(throws: LedgerError.held(path: path, pid: pid)) { try LedgerLock.acquire(ledger: path) }
        #expect("\(LedgerError.held(path: path, pid: pid))".contains("process \(pid)"))
        lock.release()
        let second = try LedgerLock.acquire(ledger: path)
        second.release()
        #expect(throws: LedgerError.self) { try LedgerLock.acquire(ledger: folder.path + "/none/ledger.sqlite") }
    }

    @Test func plainSQLTellsWhoGotWhat() async throws {
        let folder = try TemporaryFolder()
        let ledger = try SQLiteLedger.open(folder.path + "/ledger.sqlite", logger: logger)
        try await Example.plan(ledger, batches: [4])
        _ = try await ledger.dispatchBatches([(Example.id(), 1)], now: Example.start)
        _ = try await ledger.write(
            groups: [
                resultGroup(
                    closing: .done,
                    [sent(0), failed(1), deferred(2, attempts: 2, due: Example.start + 60_000), sent(3)])
            ],
            events: [], now: Example.start)
        try await ledger.pool.read { db in
            let states = try String.fetchAll(
                db,
                sql:
                    "SELECT recipient || ' ' || address || ' ' || state || ' ' || attempts FROM delivery ORDER BY batch, idx"
            )
            #expect(
                states == [
                    "r0-0 p0-0@example.com sent 1", "r0-1 p0-1@example.com failed 1",
                    "r0-2 p0-2@example.com deferred 2",
                    "r0-3 p0-3@example.com sent 1",
                ])
            let attempts = try String.fetchAll(
                db,
                sql:
                    "SELECT idx || ' ' || state || ' ' || class || ' ' || code || ' ' || message_id || ' ' || at FROM attempt ORDER BY idx"
            )
            #expect(
                attempts == [
                    "0 sent accepted 250 m0 2023-11-14 22:13:20.000",
                    "1 failed unknown_user 550  2023-11-14 22:13:20.000",
                    "2 deferred unknown 450  2023-11-14 22:13:20.000",
                    "3 sent accepted 250 m3 2023-11-14 22:13:20.000",
                ])
            let responses = try String.fetchAll(
                db,
                sql:
                    "SELECT address || ' ' || state || ' ' || text || ' ' || coalesce(due, '-') FROM answer ORDER BY idx"
            )
            #expect(
                responses == [
                    "p0-1@example.com failed 5.1.1 no such user -",
                    "p0-2@example.com deferred 4.2.0 <address> try later 2023-11-14 22:14:20.000",
                ])
        }
    }
}
