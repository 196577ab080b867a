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

    func new(_ id: MailingID, _ key: String) -> NewMailing {
        var new = NewMailing(id: id, mailing: Example.mailing(), source: nil)
        (new.identity, new.state) = (.key(key), .collecting)
        return new
    }

    /// Why a copy is not put there; empty where it is.
    func refusal(of file: String) -> String {
        do throws(LedgerError) {
            _ = try LedgerBackup.restore(file, to: path, isForced: false, now: Example.start)
        } catch {
            if case .refused(let text) = error { return text }
        }
        return ""
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
        #expect(kept == nil && summary.merged?.losses?.mailings == [Example.id(7): "Spring"])
        ledger = try open()
        #expect(
            try await ledger.add(new(Example.id(9), "spring"), repeating: .refuse, note: nil, now: Example.start) == .lost(Example.id(7)))
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
}
