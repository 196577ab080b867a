import Foundation
import GRDB
import Logging
import Model
import Policy
import TestServers
import Testing
import Text

@testable import Ledger

/// A ledger that somebody has written into, or that a disk has changed: whatever a column holds, who reads it gets an error, and no trap.
@Suite struct DoctoredLedgerTests {
    private let folder: TemporaryFolder
    private let ledger: SQLiteLedger
    private let ids = [Example.id(), Example.id(1), Example.id(2)]
    private static let now = Example.start

    init() async throws {
        folder = try TemporaryFolder()
        ledger = try SQLiteLedger.open(folder.path + "/ledger.sqlite", logger: Logger(label: "test"))
        try await fill()
    }

    /// Puts at least one row into each table.
    private func fill() async throws {
        let now = Self.now
        let secret = Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        try await ledger.addWebhook(
            WebhookSubscription(
                id: "wh_1", url: Secret("https://example.com/hook"), types: .all, parts: 2, secret: secret, now: now), note: nil)
        try await Example.plan(ledger, ids[0], batches: [9, 3])
        _ = try await ledger.dispatchBatches([(ids[0], 2)], now: now)
        try await ledger.expectReceipts(of: ["main"], now: now)
        var group = resultGroup([sent(0), deferred(1, due: now + 1), failed(2), uncertain(3), uncertain(4, due: now + 2)])
        group.provider = "main"
        _ = try await ledger.write(
            groups: [group, resultGroup(batch: 1, closing: .released, [sent(0)])],
            events: [EventGroup(mailing: ids[0], events: [RecipientEvent(batch: 0, index: 0, kind: .opened, at: now, detail: "x")])],
            now: now)
        try await Example.plan(ledger, ids[1], batches: [2, 2])
        let key = Suppression.Key(.email, "p1-0@example.com", category: "news")
        let all = Suppression.Key(.email, "p0-0@example.com")
        _ = try await ledger.suppress(
            [Suppression(key, reason: .manual, at: now), Suppression(all, reason: .complaint, at: now, expires: now + 99_999)],
            audit: SuppressionAudit(AuditNote(.suppress, actor: "a")), now: now)
        let removed = Suppression.Key(.email, "p1-1@example.com")
        _ = try await ledger.suppress([Suppression(removed, reason: .manual, at: now)], audit: nil, now: now)
        _ = try await ledger.unsuppress([removed], audit: nil, now: now)
        _ = try await ledger.dispatchBatches([(ids[1], 1)], now: now)
        try await ledger.create(
            ids[2], mailing: Example.mailing(),
            source: RecipientSource(file: "/r.csv", format: .csv, id: "id", address: "email"), origin: "/m.yaml", state: .collecting,
            now: now)
        try await ledger.appendPlan(
            ids[2], batches: [], exclusions: [Exclusion(row: 1, reason: .duplicate, id: "1", address: "a@example.com", detail: "")],
            rowsRead: 1)
        _ = try await ledger.beginUpload(ids[2], by: "h", modified: now)
        try await ledger.append([1, 2, 3], number: 0, to: ids[2], by: "h")
        try await ledger.finishUpload(ids[2], by: "h", digest: String(repeating: "0", count: 64))
        try await ledger.note(SourceFault(host: "a", problem: "it is not there"), of: ids[2], now: now)
        _ = try await ledger.setLimit(.known(.provider("main")), "5/s", note: nil, now: now)
        try await ledger.setSpeed(ids[0], "9/s", note: AuditNote(.speed, actor: "user:a"), now: now)
        try await ledger.setEpochNote(EpochNote(epoch: "a:b:c", boot: "b", workers: ["w"]))
        try await ledger.setRedisProblem("it is away")
        _ = try await ledger.erase(ErasedPerson(["nobody@example.com"]), note: nil, now: now)
        _ = try await ledger.acquireLeadership("planning", holder: "h", for: .zero, isHolderGone: true)
        let number = try #require(try await ledger.number(of: ids[0]))
        let visits = [visit(.open, number), visit(.click, number), visit(.unsubscribe, number)]
        let rules = EventRules(version: "1") { visits, _ in visits.map { _ in .human } }
        _ = try await ledger.write(events: [EventBatch(source: 1, sequence: 0, events: visits)], letters: [], rules, now: now)
        let logged = EventBatch(source: 2, sequence: 0, events: [visit(.open, number)])
        _ = try await ledger.write(events: [logged], letters: [], rules, countingAtMost: 0, now: now)
        _ = try await ledger.write(receipts: [receipt("\(ids[0]).1.0@x"), receipt("none@x")], letters: [], now: now)
        try await Example.addCustomer("ann@example.com", to: ledger, now: now)
        let lane = DeadLetter.Source.lane(Lane(channel: .email, provider: "x"))
        var letter = DeadLetter(source: lane, entry: "1-0", reason: "r", fields: [.init(name: "d", value: [1])])
        (letter.mailing, letter.batch, letter.dispatchNumber) = (ids[0], 1, 1)
        try await ledger.pool.write { [letter] db in
            try SQLLedger.keep([letter], SQLiteTransaction(db))
            try db.execute(sql: "INSERT INTO dead_letter_discarded (kind, n) VALUES ('status', 1)")
            try db.execute(
                sql: """
                    INSERT INTO brake_finding (mailing, kind, span, level, events, total, share, at)
                    VALUES ('\(ids[0])', 'bounces', 'hour', 'warn', 1, 1, 1, 1)
                    """)
            for number in 2...3 {
                try db.execute(
                    sql: """
                        INSERT INTO mailing_round (mailing, number, at, actor, reasons, recipients, states)
                        VALUES ('\(ids[0])', \(number), 1, 'ann', 'full', 1, '{"sent":9223372036854775807}')
                        """)
            }
            try db.execute(
                sql: """
                    INSERT INTO retried (mailing, batch, idx, round, at, dispatch, state, bounced)
                    VALUES ('\(ids[0])', 0, 1, 2, 1, 0, 'f', 0)
                    """)
            try db.execute(
                sql: "INSERT INTO soft_bounce (channel, address, hash, n, mailing, at) VALUES ('email', 'p0-1@example.com', 1, 1, 'm', 1)")
            try db.execute(sql: "INSERT INTO pruned_address (number, batch, hashes) VALUES (\(number), 0, x'0102030405060708')")
        }
    }

    private func receipt(_ message: String, providerID: String = "") -> ProviderReceipt {
        var receipt = ProviderReceipt(.bounced, word: "bounced")
        (receipt.webhook, receipt.provider, receipt.providerID, receipt.messageID) = ("hook", "main", providerID, message)
        (receipt.time, receipt.arrived) = (Self.now, Self.now)
        return receipt
    }

    /// A visit of the first mailing's first recipient.
    private func visit(_ action: TrackedAction, _ number: UInt32) -> TrackedEvent {
        var event = TrackedEvent(action, by: action == .unsubscribe ? .post : .get, mailing: number, batch: 0, index: 0, time: Self.now)
        event.agent = "Mozilla/5.0"
        return event
    }

    /// What every column is set to, as far as the schema lets it.
    private static func values(isStrict: Bool) -> [any DatabaseValueConvertible] {
        isStrict
            ? [-1, Int64.max, Int64.min, 1 << 40, "", "p", "[[0,\"s\",1,-9223372036854775808]]", Data(), Data([255, 0, 200])]
            : [DatabaseValue.null, "text", 1e300, Data([255, 0, 200])]
    }

    /// - Parameter isStrict: the schema keeps its types and its NOT NULL.
    @Test(arguments: [true, false]) func noValueOfAnyColumnTraps(isStrict: Bool) async throws {
        let tables = try await ledger.pool.write { db in
            if !isStrict { try Self.loosen(db) }
            let tables = try String.fetchAll(
                db, sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'grdb%'")
            for table in tables { try db.execute(sql: "CREATE TABLE kept_\(table) AS SELECT * FROM \(table)") }
            return tables
        }
        for table in tables where !Example.isStaging(table) {
            let columns = try await ledger.pool.read { try $0.columns(in: table).map(\.name) }
            let rows = try await ledger.pool.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM \(table)") ?? 0 }
            #expect(rows > 0, "\(table) has no row, and its columns are not tried")
            for column in columns {
                for value in Self.values(isStrict: isStrict) {
                    guard await doctor(table, column, value) else { continue }
                    if Example.isOfCustomers(table) { await readCustomers() } else { await readAll() }
                    try await ledger.pool.write { db in
                        for table in tables {
                            try db.execute(sql: "DELETE FROM \(table); INSERT INTO \(table) SELECT * FROM kept_\(table)")
                        }
                    }
                }
            }
        }
    }

    /// - Returns: false where the schema takes the value in no row.
    private func doctor(_ table: String, _ column: String, _ value: any DatabaseValueConvertible) async -> Bool {
        let value = value.databaseValue
        let changes = try? await ledger.pool.write { db in
            try db.execute(sql: "UPDATE OR IGNORE \(table) SET \(column) = ?", arguments: [value])
            return db.changesCount
        }
        return changes ?? 0 > 0
    }

    /// Takes types and NOT NULL out of the schema.
    private static func loosen(_ db: Database) throws {
        try db.execute(
            sql: """
                PRAGMA writable_schema = ON;
                UPDATE sqlite_master
                SET sql = replace(replace(replace(sql, ' STRICT, WITHOUT', ' WITHOUT'), ' STRICT', ''), ' NOT NULL', '')
                WHERE type = 'table' AND sql LIKE '%STRICT%';
                PRAGMA writable_schema = RESET;
                """)
    }

    /// The same of customers, whose tables nothing else reads.
    private func readCustomers() async {
        _ = try? await ledger.attributes()
        _ = try? await ledger.customers(after: 0, limit: 10)
        _ = try? await ledger.customerCounts()
        _ = try? await ledger.segments()
        _ = try? await ledger.segmentCatalogue()
        _ = try? await ledger.removeCustomers(["ann@example.com"], note: nil, now: Self.now)
    }

    /// Reads and changes all that can be; errors are what is expected.
    private func readAll() async {
        let now = Self.now + 10
        _ = try? await ledger.mailings(states: nil, limit: 10)
        _ = try? await ledger.find(prefix: "a")
        _ = try? await ledger.statuses(states: nil, limit: 10)
        _ = try? await ledger.work()
        _ = try? await ledger.openMailings()
        _ = try? await ledger.heldRecipients()
        _ = try? await ledger.limits()
        _ = try? await ledger.audit(AuditFilter(), limit: 10)
        _ = try? await ledger.deadLetters(after: nil, limit: 10)
        _ = try? await ledger.deadLetter(1)
        _ = try? await ledger.deadLetterCount()
        _ = try? await ledger.uploads()
        _ = try? await ledger.slice(0, of: ids[2])
        _ = try? await ledger.sourceFaults()
        _ = try? await ledger.unreadSources(limit: 10)
        _ = try? await ledger.categoryUses()
        _ = try? await ledger.discardedDeadLetters()
        _ = try? await ledger.redisProblem()
        _ = try? await ledger.unreadableMailings(limit: 10)
        _ = try? await ledger.epochNote()
        _ = try? await ledger.leader("planning")
        _ = try? await ledger.identity()
        let key = Suppression.Key(.email, "p0-0@example.com")
        _ = try? await ledger.suppress([Suppression(key, reason: .manual, at: now)], audit: nil, now: now)
        _ = try? await ledger.unsuppress([key], audit: nil, now: now)
        _ = try? await ledger.suppressions(SuppressionFilter(), after: nil, limit: 10)
        _ = try? await ledger.suppressions(of: key.address, .email)
        _ = try? await ledger.suppressed([key.address], for: SuppressionTarget(.email), now: now)
        _ = try? await ledger.suppressedAddresses(for: SuppressionTarget(.email), after: "", limit: 10)
        _ = try? await ledger.suppressionList()
        _ = try? await ledger.categories()
        _ = try? await ledger.commits()
        _ = try? await ledger.copyMark()
        _ = try? await ledger.unfinished()
        _ = try? await ledger.history(address: "p0-1@example.com", limit: 10)
        if let identity = MailingIdentity("key:spring") { _ = try? await ledger.earlier(identity) }
        _ = try? await ledger.waiting(only: nil, now: now, limit: 10)
        _ = try? await ledger.unknownReceipts(after: nil, limit: 10)
        _ = try? await ledger.domains(of: 1, batches: [0, 1])
        _ = try? await ledger.domainSizes(of: 1)
        _ = try? await ledger.openDispatches(of: ids)
        _ = try? await ledger.skipped(ids[1], after: nil, limit: 10)
        _ = try? await ledger.recipient(ids[1], "p0-0@example.com")
        if let report = try? await ledger.report(ids[1], now: now) { _ = try? report.json() }
        for id in [ids[0], ids[2]] {
            _ = try? await ledger.mailing(id)
            _ = try? await ledger.status(id)
            _ = try? await ledger.progress(id)
            if let report = try? await ledger.report(id, now: now) { _ = try? report.json() }
            _ = try? await ledger.recount(id)
            _ = try? await ledger.recipient(id, "r0-1")
            _ = try? await ledger.commonestDeferral(id)
            _ = try? await ledger.rounds(id)
            _ = try? await ledger.retriable(id, RetryFilter(codes: [550], provider: "main"), now: now)
            _ = try? await ledger.exclusions(id, after: 0, limit: 10)
            _ = try? await ledger.uncertain(id, onlyHeld: false, after: nil, limit: 10)
            _ = try? await ledger.doubtfulRefusals(id)
            _ = try? await ledger.earlier(than: id)
            _ = try? await ledger.eventReport(id)
            _ = try? await ledger.checkEvents(id)
            _ = try? await ledger.recountEvents(id, after: nil, limit: 10, .none)
            _ = try? await ledger.reached(by: id, after: -1, limit: 10)
        }
        await changeAll(now)
    }

    private func changeAll(_ now: Int64) async {
        let id = ids[0]
        _ = try? await ledger.write(
            groups: [
                resultGroup(
                    sequence: 1, [sent(5), deferred(6, due: now), deferred(1, attempts: 2, due: now + 5), failed(8), uncertain(7)]),
                resultGroup(batch: 1, sequence: 1, closing: .done, groups: 2, [sent(1), sent(2)]),
            ],
            events: [EventGroup(mailing: id, events: [RecipientEvent(batch: 0, index: 0, kind: .clicked, at: now, detail: "x")])], now: now)
        let number = try? await ledger.number(of: id)
        let visits = EventBatch(source: 1, sequence: 3, events: [visit(.click, number ?? 1)])
        _ = try? await ledger.write(events: [visits], letters: [], .none, now: now)
        if let visit = visits.events.first.flatMap({ LinkVisit($0) }) { _ = try? await ledger.mark([visit], .none) }
        _ = try? await ledger.countEvents(of: nil, inSlicesOf: 1, .none, now: now)
        _ = try? await ledger.write(receipts: [receipt("\(id).0.0@x"), receipt("", providerID: "m0")], letters: [], now: now)
        _ = try? await ledger.retryReceipts(now: now)
        _ = try? await ledger.giveUp([Dispatch(batch: BatchID(mailing: id, number: 0), dispatchNumber: 1)], why: "test", now: now)
        _ = try? await ledger.dispatchBatches(ids.map { ($0, 3) }, now: now)
        _ = try? await ledger.takeBack([Dispatch(batch: BatchID(mailing: id, number: 1), dispatchNumber: 1)], now: now)
        _ = try? await ledger.noteRetry(1, note: nil, now: now)
        _ = try? await ledger.dropDeadLetters(nil, note: nil, now: now)
        _ = try? await ledger.decide(id, recipients: nil, as: .sent, note: nil, now: now)
        _ = try? await ledger.writePlan([PlanStep(mailing: ids[2])], now: now)
        _ = try? await ledger.setSpeed(id, "3/s", note: nil, now: now)
        _ = try? await ledger.setState(id, to: .paused, from: [.sending], reason: StateReason(text: "x"), note: nil, now: now)
        _ = try? await ledger.resume(id, atOnce: true, note: nil, now: now)
        _ = try? await ledger.noteStuck(id, why: "x", now: now)
        _ = try? await ledger.acquireLeadership("planning", holder: "g", for: .milliseconds(5), isHolderGone: true)
        ledger.guardPlanning(fencingToken: nil)
        _ = try? await ledger.acceptCopy(CopyDoubt(reached: [id: 1], holdsAll: true, why: "x"), commits: 1, now: now)
        _ = try? await ledger.expireOverdue(id, now: .max)
        _ = try? await ledger.stopOpen(id, now: now)
        _ = try? await ledger.complete(ids, now: now)
    }
}
