import Foundation
import GRDB
import Ledger
import Logging
import Model
import NIOPosix
import ServiceLifecycle
import TestServers
import Testing
@testable import Broker
@testable import Planning

/// A ledger that is missing, or is an older copy of itself.
extension DispatcherTests {
    @Test func aLedgerThatIsNotThereSendsNothing() async throws {
        try await plan(2)
        try await dispatching {
            let before = try await takeAll(2)
            for end in ["", "-wal", "-shm"] { #expect(rename(folder.path("ledger.sqlite\(end)"), folder.path("away\(end)")) == 0) }
            try await eventually("workers start nothing more") {
                try await BatchQueue(broker).start(before[0], [OpenRecipient(index: 0, attempts: 0)]) == .lost
            }
            for end in ["", "-wal", "-shm"] { #expect(rename(folder.path("away\(end)"), folder.path("ledger.sqlite\(end)")) == 0) }
            #expect(try await takeAll(2).count == 2)
        }
    }

    @Test func anOlderCopyOfTheLedgerSendsToNobodyTwiceUnlisted() async throws {
        try await plan(4)
        let copy = folder.path("copy.sqlite")
        try await dispatching(window: 1) {
            let first = try await takeAll(1)
            _ = try LedgerBackup.make(of: folder.path("ledger.sqlite"), to: copy)
            try await report(first[0])
            try await collect()
            // Dispatched and sent after the copy was made.
            let second = try await takeAll(1)
            try await report(second[0])
            try await collect()
        }
        let older = try SQLiteLedger.open(copy, logger: logger)
        try await dispatching(window: 8, from: older) {
            let leases = try await takeAll(4)
            #expect(Set(leases.map(\.batch.id.number)) == [0, 1, 2, 3])
        }
        // Of the third and fourth batch the third may have been dispatched before the end.
        let listed = try await older.uncertain(id, onlyHeld: false, after: nil, limit: 100)
        #expect(Set(listed.map(\.batch)).isSuperset(of: [0, 1]) && !listed.map(\.batch).contains(3))
    }

    /// - Parameter megabytes: of other content; a large copy is brought from the log into the file at once.
    @Test(arguments: [0, 20]) func anOlderCopyThatIsWrittenIntoTheOpenLedgerSendsToNobodyTwiceUnlisted(megabytes: Int) async throws {
        try await plan(4)
        try await pad(megabytes)
        let (path, copy) = (folder.path("ledger.sqlite"), folder.path("copy.sqlite"))
        try await dispatching(window: 1) {
            let first = try await takeAll(1)
            _ = try LedgerBackup.make(of: path, to: copy)
            try await report(first[0])
            try await collect()
            // Dispatched and sent after the copy was made.
            let second = try await takeAll(1)
            try await report(second[0])
            try await collect()
            _ = try await takeAll(1)
            let shell = try ServerProcess("sqlite3", [path, ".timeout 5000", ".restore \(copy)"], package: "sqlite3")
            #expect(shell.wait() == 0)
            #expect(try await takeAll(1).map(\.batch.id.number) == [0])
            #expect(try ServerProcess("sqlite3", [path, ".timeout 5000", "PRAGMA wal_checkpoint"], package: "sqlite3").wait() == 0)
            try ledger.checkFile()
        }
        let listed = try await ledger.uncertain(id, onlyHeld: false, after: nil, limit: 100)
        #expect(Set(listed.map(\.batch)).isSuperset(of: [0, 1]) && !listed.map(\.batch).contains(3))
    }

    /// A standby had only a part of its plan.
    @Test func whoWasDispatchedBeforeAMailingWasPlannedAgainIsListed() async throws {
        try await plan(4)
        _ = try await broker.redis.send(["SET", .text(broker.keys.reached(id)), "1"])
        try await dispatching { _ = try await takeAll(4) }
        let listed = try await ledger.uncertain(id, onlyHeld: false, after: nil, limit: 100)
        // And one batch more: others may have been suppressed since.
        #expect(Set(listed.map(\.batch)) == [0, 1, 2])
        #expect(listed.count == 6)
    }

    /// A mailing that is not planned as a whole, with much text.
    func pad(_ megabytes: Int) async throws {
        guard megabytes > 0 else { return }
        var generator = SystemRandomNumberGenerator()
        let other = MailingID(milliseconds: Clock.milliseconds(), using: &generator)
        let mailing = Mailing(name: "large", channel: .email, provider: "relay")
        try await ledger.create(other, mailing: mailing, source: nil, origin: "", state: .collecting, now: Clock.milliseconds())
        for number in 0..<megabytes {
            var recipients = Recipients(width: 2)
            for index in 0..<1000 {
                recipients.append(row: [String(repeating: "\(index)", count: 300), "p\(number)-\(index)@example.com"])
            }
            try await ledger.appendPlan(
                other, batches: [PlannedBatch(number: number, recipients: recipients)], exclusions: [], rowsRead: 1000)
        }
    }
}
