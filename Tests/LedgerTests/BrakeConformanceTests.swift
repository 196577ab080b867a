import Model
import Policy
import TestServers
import Testing

@testable import Ledger

/// What the brake counts, and what it finds, on both engines.
@Suite struct BrakeConformanceTests {
    private let folder: TemporaryFolder
    private let id = Example.id()
    private let now = Example.start

    init() throws { folder = try TemporaryFolder() }

    private func receipt(_ kind: ProviderReceipt.Kind, _ index: Int, batch: Int = 0, word: String? = nil, at: Int64 = 10)
        -> ProviderReceipt
    {
        var one = ProviderReceipt(kind, word: word ?? kind.name)
        (one.webhook, one.provider) = (word == nil ? "hook" : ProviderReceipt.returnedMail, "main")
        one.messageID = "\(id).\(batch).\(index)@mail.example.com"
        (one.time, one.arrived) = (now + at, now + at)
        return one
    }

    private func total(_ ledger: any LedgerStore, _ window: BrakeFinding.Window = .hour, at time: Int64) async throws -> BrakeCounts {
        try #require(try await ledger.brakeFacts(id, now: time)).windows.total(window, at: time)
    }

    @Test(arguments: Engine.all) func whatComesBackCountsWithTheMessagesThatItIsOf(engine: Engine) async throws {
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: [4, 3, 1])
        // The first batch was sent two hours before the second.
        let hours = now + 7_200_000
        var other = failed(3)
        other.response?.reason = .spam
        let summary = try await ledger.write(
            groups: [
                resultGroup([sent(0), sent(1), failed(2), other]),
                resultGroup(batch: 1, [sent(0, at: hours), sent(1, at: hours), sent(2, at: hours)]),
            ], events: [], now: hours)
        #expect(summary.braked == [id])
        #expect(try await total(ledger, at: hours) == BrakeCounts(sent: 3))
        #expect(try await total(ledger, .day, at: hours) == BrakeCounts(sent: 5, refused: 1))
        // A copy of a group changes nothing.
        #expect(try await ledger.write(groups: [resultGroup([sent(0), sent(1), failed(2), other])], events: [], now: hours).braked == [])
        let told = try await ledger.write(
            receipts: [
                receipt(.bounced, 0, word: "unknown_user"), receipt(.bounced, 1, word: "full"), receipt(.complained, 0, batch: 1),
                receipt(.complained, 0, batch: 1, at: 11), receipt(.bounced, 1, batch: 1), receipt(.undelivered, 2, batch: 1),
                // Its result has not come yet.
                receipt(.bounced, 0, batch: 2, word: "unknown_host", at: 7_200_010),
            ], letters: [], now: hours + 60_000)
        #expect(told.braked == [id])
        #expect(try await total(ledger, at: hours + 60_000) == BrakeCounts(sent: 4, bounced: 2, complained: 1))
        #expect(try await total(ledger, .day, at: hours + 60_000) == BrakeCounts(sent: 6, refused: 1, bounced: 3, complained: 1))
        // What comes twice counts once.
        let again = try await ledger.write(
            receipts: [receipt(.bounced, 0, word: "unknown_user"), receipt(.complained, 0, batch: 1)], letters: [], now: hours + 60_000)
        #expect(again.braked == [])
        let events = [RecipientEvent(batch: 1, index: 2, kind: .complained, at: hours)]
        _ = try await ledger.write(groups: [], events: [EventGroup(mailing: id, events: events)], now: hours)
        #expect(try await total(ledger, at: hours).complained == 2)
        #expect(try await ledger.recount(id) == [])
    }

    @Test(arguments: Engine.all) func aFindingIsKeptOnceAndPausesAndAResumeBeginsAnew(engine: Engine) async throws {
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: [300])
        _ = try await ledger.write(
            groups: [resultGroup((0..<300).map { $0 % 10 == 0 ? failed($0) : sent($0) })], events: [], now: now)
        let facts = try #require(try await ledger.brakeFacts(id, now: now))
        #expect(facts.state == .sending && facts.since == 0)
        let warning = BrakeFinding(.init(.bounces, .hour, .warn), events: 30, of: 300, limit: 5_000)
        let first = try await ledger.noteBrake([warning], of: id, since: 0, now: now)
        #expect(first.new == [warning] && !first.isPaused)
        #expect(try await ledger.noteBrake([warning], of: id, since: 0, now: now + 1).new == [])
        let findings = facts.windows.judge(BrakeThresholds(), at: now)
        #expect(findings.map(\.key.level) == [.pause, .pause])
        let second = try await ledger.noteBrake(findings, of: id, since: 0, now: now + 2)
        #expect(second.new == findings && second.isPaused)
        let reason = "30 of 300 messages of the last hour bounced for good (10 %; the limit is 10 %)"
        let record = try #require(try await ledger.mailing(id))
        #expect(record.state == .paused && record.stateReason == .brake(reason) && record.reason == reason)
        let entry = try #require(try await ledger.audit(AuditFilter(), limit: 9).first)
        #expect(entry.actor == "brake" && entry.order == "pause" && entry.after.contains("30 of 300"))
        let shown = try #require(try await ledger.report(id, now: now)).brake
        #expect(shown.map(\.finding.key.level) == [.warn, .pause, .pause] && shown.map(\.at) == [now, now + 2, now + 2])
        #expect(try await ledger.status(id)?.brake == shown)
        #expect(try await ledger.noteBrake(findings, of: id, since: 0, now: now + 3).isPaused == false)

        _ = try await ledger.resume(id, atOnce: false, note: nil, now: now + 1_500)
        // Of those who judged before the resume nobody pauses after it.
        let late = try await ledger.noteBrake(findings, of: id, since: 0, now: now + 1_600)
        #expect(late.new == [] && !late.isPaused)
        let fresh = try #require(try await ledger.brakeFacts(id, now: now + 1_600))
        #expect(fresh.state == .sending && fresh.since == now + 1_500 && fresh.windows == BrakeWindows())
        #expect(try await ledger.report(id, now: now)?.brake == [])
        // A complaint about a message of before is of before.
        let complaint = try await ledger.write(receipts: [receipt(.complained, 1)], letters: [], now: now + 3_000)
        #expect(complaint.braked == [id])
        #expect(try await ledger.brakeFacts(id, now: now + 3_000)?.windows == BrakeWindows())
        #expect(try await ledger.brakeFacts(Example.id(7), now: now) == nil)
    }
}
