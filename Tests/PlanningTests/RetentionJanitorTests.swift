import Ledger
import Logging
import Model
import Planning
import TestServers
import Testing

@Suite struct RetentionJanitorTests {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private let day: Int64 = 86_400_000

    @Test func itRemovesWhatIsOlderThanItIsKeptAndNotesThat() async throws {
        let folder = try TemporaryFolder()
        let ledger = try SQLiteLedger.open(folder.path("ledger.sqlite"), logger: logger)
        let mailing = Mailing(name: "Spring", channel: .email, provider: "smtp://127.0.0.1:1", fields: ["id", "email"])
        var ids: [MailingID] = []
        // They end on the second and on the fifth day.
        for ending in [2, 5] {
            var generator = SeededGenerator(seed: UInt64(ending))
            let id = MailingID(milliseconds: day, using: &generator)
            ids.append(id)
            var new = NewMailing(id: id, mailing: mailing, source: nil)
            new.state = .collecting
            _ = try await ledger.add(new, repeating: .again, note: nil, now: day)
            var recipients = Recipients(width: 2)
            recipients.append(row: ["1", "ann@example.com"])
            try await ledger.appendPlan(
                id, batches: [PlannedBatch(number: 0, recipients: recipients)], exclusions: [], rowsRead: 1)
            try await ledger.failPlan(id, reason: "no end", now: Int64(ending) * day)
        }
        let janitor = RetentionJanitor(
            ledger: ledger, keep: .seconds(10 * 86_400), clocks: Clocks.system.with { [day] in 13 * day }, logger: logger)
        try await janitor.prune()
        #expect(try await ledger.recipient(ids[0], "ann@example.com") == nil)
        #expect(try await ledger.recipient(ids[1], "ann@example.com") != nil)
        let audit = try await ledger.audit(AuditFilter(), limit: 9)
        #expect(audit.map(\.order) == ["prune"] && audit.first?.actor == RetentionJanitor.actor)
    }
}
