import Foundation
import GRDB
import Logging
import Model
import TestServers
import Testing
@testable import Ledger

/// A copy is put in place of a damaged ledger.
extension CopyTests {
    /// Of a ledger that cannot be read, what was added is known by the note beside it and by Redis.
    @Test func aDamagedLedgerIsReplacedOnlyWhenToldTo() async throws {
        var ledger = try open()
        try await Example.plan(ledger, batches: [4])
        let made = try LedgerBackup.make(of: path, to: copy)
        let (noted, published) = (Example.id(7), Example.id(8))
        _ = try await ledger.add(new(noted, "spring"), repeating: .refuse, note: nil, now: Example.start)
        try ledger.close()
        try folder.write("nonsense", to: "ledger.sqlite")
        func restore(_ elsewhere: KnownElsewhere, isForced: Bool = false) throws -> RestoreMerge.Losses? {
            try LedgerBackup.restore(
                copy, to: path, isForced: isForced, elsewhere: elsewhere, now: Example.start
            ).summary.merged?.losses
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
        // Who was suppressed since is not known.
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
        let (summary, kept) = try LedgerBackup.restore(copy, to: path, isForced: true, now: Example.start)
        #expect(summary.merged?.mailings == 2)
        #expect(summary.merged?.losses?.mailings.keys.sorted() == [others[1]], "\(summary)")
        #expect(summary.merged?.losses?.isIncomplete == false)
        #expect(kept != nil)
        ledger = try open()
        for other in [id, others[0], others[2]] { #expect(try await ledger.recount(other) == []) }
        #expect(try await ledger.mailing(others[1]) == nil)
    }

    /// One batch whose recipients fill pages of their own.
    func planLarge(_ ledger: SQLiteLedger, _ id: MailingID, batch: Int) async throws {
        try await ledger.create(id, mailing: Example.mailing(), source: nil, origin: "/m", state: .collecting, now: Example.start)
        let recipients = Example.recipients(batch: batch, count: 1000)
        try await ledger.appendPlan(id, batches: [PlannedBatch(number: 0, recipients: recipients)], exclusions: [], rowsRead: 1000)
        try await ledger.finishPlan(id, now: Example.start)
    }
}
