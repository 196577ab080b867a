import Foundation
import GRDB
import Model
import Policy
import TestServers
import Testing
import Text

@testable import Ledger

/// One person is erased from a ledger that uses every table: afterwards the address stands nowhere, neither in the file of SQLite, with its
/// free pages, nor in a dump of PostgreSQL.
@Suite struct ErasureSchemaTests {
    private static let address = "ann.person@example.com"
    private static let name = "Ann Person"
    /// From where the person came.
    private static let visitor = "203.0.113.77"
    private let id = Example.id()
    private let other = Example.id(1)
    private let waiting = Example.id(2)
    private let gone = Example.id(3)
    private let full = Example.id(4)
    private let now = Example.start

    /// Tables that hold no row here.
    private static let empty = ["dead_letter_discarded"]
    /// Columns that held the address before, as far as text tells: what is compressed, or a hash, is not among them.
    private static let places: Set<String> = [
        "audit.after", "batch.recipients", "dead_letter.reason", "dead_letter_field.value", "event.detail", "exclusion.address",
        "exclusion.detail", "exclusion.id", "mailing.reason", "mailing.stuck_reason", "receipt_unknown.detail",
        "receipt_unknown.recipient", "result.data", "skipped.detail", "soft_bounce.address", "source_fault.problem", "suppression.address",
        "suppression_removal.address", "upload_part.content",
        "webhook_event.data",
    ]

    private func recipients() -> Recipients {
        var recipients = Recipients(width: 3)
        recipients.append(row: [Self.address, Self.address, Self.name])
        recipients.append(row: ["2", "ANN.Person@example.com", Self.name])
        for row in 3...6 { recipients.append(row: ["\(row)", "p\(row)@example.com", "Bob"]) }
        return recipients
    }

    /// Puts the person wherever a ledger may have one.
    private func fill(_ ledger: any LedgerStore) async throws {
        try await ledger.addWebhook(
            WebhookSubscription(
                id: "wh_1", url: Secret("https://example.com/"), types: .all, parts: 1, secret: Secret("whsec_x"), now: now), note: nil)
        let source = RecipientSource(file: "/r.csv", format: .csv, id: "id", address: "email")
        try await ledger.create(id, mailing: Example.mailing(), source: source, origin: "", state: .collecting, now: now)
        _ = try await ledger.beginUpload(id, by: "h", modified: now)
        try await ledger.append(Array("id,email\n1,\(Self.address)\n".utf8), number: 0, to: id, by: "h")
        try await ledger.finishUpload(id, by: "h", digest: String(repeating: "0", count: 64))
        let exclusion = Exclusion(
            row: 7, reason: .duplicate, id: Self.address, address: "Ann <\(Self.address)>", detail: "as \(Self.address) of row 1")
        try await ledger.appendPlan(
            id, batches: [PlannedBatch(number: 0, recipients: recipients())], exclusions: [exclusion], rowsRead: 7)
        try await ledger.finishPlan(id, now: now)
        _ = try await ledger.dispatchBatches([(id, 1)], now: now)
        var accepted = sent(0)
        accepted.response?.text = "250 queued for \(Self.address)"
        accepted.response?.messageID = "m.\(Self.address)"
        let refused = failed(1, text: "550 5.1.1 <\(Self.address)> \(Self.address.uppercased()) is unknown")
        var clicked = RecipientEvent(batch: 0, index: 0, kind: .clicked, at: now, detail: "https://x/?e=\(Self.address)&n=Ann%20Person")
        let opened = clicked
        clicked.detail = "https://x/?n=Ann%20Person"
        var known = DeadLetter(
            source: .status(1), entry: "1-0", reason: "'\(Self.address)' is no number",
            fields: [.init(name: "d", value: Array(Self.address.utf8))])
        (known.mailing, known.batch) = (id, 0)
        let foreign = DeadLetter(
            source: .foreign, entry: "2-0", reason: "r", fields: [.init(name: "d", value: Array("{\"to\":\"\(Self.address)\"}".utf8))])
        try await ledger.expectReceipts(of: ["main"], now: now)
        var group = resultGroup(closing: .released, [accepted, refused, deferred(2, due: now + 9), uncertain(3), sent(4), sent(5)])
        group.provider = "main"
        _ = try await ledger.write(
            groups: [group],
            events: [EventGroup(mailing: id, events: [clicked, opened])], letters: [known, foreign], now: now)
        let number = try #require(try await ledger.number(of: id))
        var visit = TrackedEvent(.open, mailing: number, batch: 0, index: 0, time: now)
        (visit.agent, visit.address) = ("Mozilla/5.0", Self.visitor)
        let visits = EventBatch(source: 1, sequence: 0, events: [visit])
        let rules = EventRules(version: "1") { visits, _ in visits.map { _ in .human } }
        _ = try await ledger.write(events: [visits], letters: [], rules, now: now)
        let more = EventBatch(source: 1, sequence: 1, events: [visit])
        _ = try await ledger.write(events: [more], letters: [], rules, countingAtMost: 0, now: now)
        // One whose message came back, and one of whom nothing is known.
        let receipts = ["\(id).0.0@example.com", "none@example.com"].map { message in
            var receipt = ProviderReceipt(.bounced, word: "bounced")
            (receipt.webhook, receipt.provider, receipt.messageID, receipt.recipient) = ("hook", "main", message, Self.address)
            (receipt.time, receipt.arrived, receipt.detail) = (now, now, "550 <\(Self.address)> is unknown")
            return receipt
        }
        _ = try await ledger.write(receipts: receipts, letters: [], now: now)
        try await ledger.noteStuck(id, why: "421 \(Self.address) try later", now: now)
        try await Example.plan(ledger, other, batches: [2])
        let keys = ["p0-0@example.com", Self.address, "p9@example.com"].map {
            Suppression.Key(.email, $0, category: $0.hasPrefix("ann") ? "news" : "")
        }
        _ = try await ledger.suppress(keys.map { Suppression($0, reason: .manual, at: now) }, audit: nil, now: now)
        let removed = Suppression.Key(.email, Self.address)
        _ = try await ledger.suppress([Suppression(removed, reason: .manual, at: now)], audit: nil, now: now)
        _ = try await ledger.unsuppress([removed], audit: nil, now: now)
        _ = try await ledger.dispatchBatches([(other, 9)], now: now)
        _ = try await ledger.write(groups: [resultGroup(closing: .done, mailing: other, [failed(1)])], events: [], now: now)
        _ = try await ledger.retry(other, RetryFilter(reasons: [.unknownUser]), note: nil, now: now)
        _ = try await ledger.setState(
            other, to: .stopped, from: [.sending], reason: .person("bob", "asked by \(Self.address)"), note: AuditNote(.stop, actor: "bob"),
            now: now)
        try await ledger.create(waiting, mailing: Example.mailing(), source: source, origin: "", state: .collecting, now: now)
        try await ledger.note(SourceFault(host: "a", problem: "line 3: '\(Self.address)' is open"), of: waiting, now: now)
        var tracked = Example.mailing()
        tracked.tracking = MailingTracking()
        try await Example.plan(ledger, gone, batches: [1], mailing: tracked)
        _ = try await ledger.dispatchBatches([(gone, 1)], now: now)
        _ = try await ledger.write(groups: [resultGroup(closing: .done, mailing: gone, [sent(0)])], events: [], now: now)
        _ = try await ledger.complete([gone], now: now)
        try await ledger.prune(gone, RetentionRule(cutoff: now + 1), note: nil, now: now + 1)
        try await ledger.create(full, mailing: Example.mailing(), source: source, origin: "", state: .collecting, now: now)
        try await ledger.appendPlan(full, batches: [PlannedBatch(number: 0, recipients: recipients())], exclusions: [], rowsRead: 6)
        try await ledger.finishPlan(full, now: now)
        var isFull = failed(0)
        isFull.response = ProviderResponse(
            .full, .retry, about: .recipient, stage: .rcpt, code: 452, text: "4.2.2 <\(Self.address)> is full")
        _ = try await ledger.write(groups: [resultGroup(mailing: full, [isFull] + (1...5).map { sent($0) })], events: [], now: now)
        _ = try await ledger.setLimit(.known(.provider("main")), "5/s", note: nil, now: now)
        try await ledger.setEpochNote(EpochNote(epoch: "a:b:c", boot: "b", workers: ["w"]))
        try await ledger.setRedisProblem("it is away")
        _ = try await ledger.acquireLeadership("planning", holder: "h", for: .zero, isHolderGone: true)
    }

    private func person() -> ErasedPerson { ErasedPerson([Self.address.uppercased()], withSuppressions: true) }

    private func check(_ ledger: any LedgerStore) async throws {
        let (report, counts) = try await (ledger.report(id, now: now), ledger.recount(id))
        #expect(counts == [])
        let erasure = try await ledger.erase(person(), note: AuditNote(.erase, actor: "ann"), now: now)
        #expect(erasure.recipients == 4 && erasure.excluded == 1 && erasure.letters == 2 && erasure.suppressions == 1, "\(erasure)")
        #expect(erasure.isWhole && erasure.unplanned == [waiting])
        var after = try #require(try await ledger.report(id, now: now))
        after.stuckReason = report?.stuckReason ?? ""
        #expect(after == report)
        for mailing in [id, other] { #expect(try await ledger.recount(mailing) == []) }
        #expect(try await ledger.recipient(id, "3")?.address == "p3@example.com")
        #expect(try await ledger.recipient(id, "2")?.history.count == 1)
        // Nobody is found twice.
        #expect(try await ledger.erase(person(), note: nil, now: now).recipients == 0)
    }

    @Test func nothingIsLeftInTheFileOfSQLite() async throws {
        let folder = try TemporaryFolder()
        let ledger = try #require(try await Engine.all[0].open(folder) as? SQLLedger)
        try await fill(ledger)
        try await ledger.pool.write { db in
            try db.execute(
                sql: """
                    UPDATE skipped SET detail = 'as \(Self.address) asked';
                    INSERT INTO brake_finding (mailing, kind, span, level, events, total, share, at)
                    VALUES ('\(id)', 'bounces', 'hour', 'warn', 1, 1, 1, 1);
                    """)
        }
        try await Example.addCustomer(Self.address, to: ledger, now: now)
        let before = try await places(ledger, areFilled: true)
        #expect(before == Self.places.union(Example.customerPlaces))
        try await check(ledger)
        let after = try await places(ledger)
        #expect(after == [])
        // The file, and its log, while it is open; and when it is closed.
        for isClosed in [false, true] {
            if isClosed { try ledger.close() }
            for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
                let bytes = try [UInt8](Data(contentsOf: folder.url.appending(path: name))).map { 65...90 ~= $0 ? $0 | 32 : $0 }
                for text in [Self.address, Self.name.lowercased(), "ann%20person", Self.visitor] {
                    #expect(bytes.firstRange(of: Array(text.utf8)) == nil, "'\(text)' is in \(name)\(isClosed ? ", closed" : "")")
                }
            }
        }
    }

    /// The columns that hold the address.
    /// - Parameter areFilled: each table is expected to have a row.
    private func places(_ ledger: SQLLedger, areFilled: Bool = false) async throws -> Set<String> {
        try await ledger.pool.read { db in
            var places: Set<String> = []
            let tables = try String.fetchAll(
                db, sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'grdb%'")
            for table in tables where !Self.empty.contains(table) && !Example.isStaging(table) {
                let rows = try Int.fetchOne(db, sql: "SELECT count(*) FROM \"\(table)\"") ?? 0
                #expect(
                    rows > 0 || !areFilled || table == "erasure",
                    "\(table) has no row: put one there with the person in it, where it may hold one")
                for column in try db.columns(in: table).map(\.name) {
                    let holds = "instr(lower(CAST(\"\(column)\" AS TEXT)), '\(Self.address)') > 0"
                    if try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM \"\(table)\" WHERE \(holds))") == true {
                        places.insert("\(table).\(column)")
                    }
                }
            }
            return places
        }
    }

    @Test func nothingIsLeftInADumpOfPostgreSQL() async throws {
        let folder = try TemporaryFolder()
        let ledger = try await Engine.all[1].open(folder)
        try await fill(ledger)
        let url = try await Engine.postgreSQL(folder)
        func dump() throws -> String {
            let program = try ServerProcess("pg_dump", [url], package: "postgresql-client", output: folder.path("dump.sql"))
            try #require(program.wait() == 0, "\(folder.text("dump.sql") ?? "")")
            return (folder.text("dump.sql") ?? "").lowercased()
        }
        let hexadecimal = Self.address.utf8.map { String($0, radix: 16) }.joined()
        let before = try dump()
        #expect(before.contains(Self.address) && before.contains(hexadecimal))
        try await check(ledger)
        let after = try dump()
        for text in [Self.address, hexadecimal, Self.name.lowercased(), "ann%20person", Self.visitor] {
            #expect(!after.contains(text), "\(text)")
        }
    }
}
