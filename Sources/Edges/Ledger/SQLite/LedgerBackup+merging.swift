import GRDB
import Model

extension LedgerBackup {
    private typealias Losses = RestoreMerge.Losses

    /// Merges the replaced ledger into the copy: mailings that the copy lacks, outcomes, suppressions and orders. What was sent since the
    /// copy was made stays known, and is not sent again. From a damaged ledger only mailings are taken that can be read as a whole and
    /// whose numbers agree.
    /// - Parameters:
    ///   - path: the replaced ledger.
    ///   - db: the copy, outside of a transaction. The caller flushes it to the disk.
    ///   - now: milliseconds since 1970.
    static func mergeMailings(from path: String, into db: Database, now: Int64) -> RestoreMerge {
        var merged = RestoreMerge()
        do {
            // One transaction for each mailing: after a page that cannot be read SQLite takes nothing more in the same one.
            try db.execute(sql: "PRAGMA main.synchronous = OFF")
            try db.execute(sql: "ATTACH ? AS replaced", arguments: [path])
            defer { try? db.execute(sql: "DETACH replaced") }
            let damage = damage(db)
            let difference = try difference(db)
            let (lacking, isWhole) = lacking(db)
            var lacksEvents = false
            if difference == nil {
                merged.orders = mergeOrders(into: db)
                mergeWebhooks(into: db)
                lacksEvents = !mergeEventSources(into: db)
                mergeShared(into: db, &merged, except: Set(lacking.map(\.0)), mustAgree: damage != nil, now: now)
            }
            var lost: [MailingID: String] = [:]
            for (id, name) in lacking {
                if difference == nil, mergeMailing(id, into: db, mustAgree: damage != nil) {
                    merged.mailings += 1
                } else {
                    lost[id] = name
                }
            }
            if difference == nil, !mergePrunedAddresses(into: db) { lacksEvents = true }
            if difference == nil { mergeReceipts(into: db) }
            let joined = difference == nil ? mergeSuppressions(into: db, mustAgree: damage != nil) : nil
            merged.suppressions = joined ?? 0
            let lacksList = difference == nil ? joined == nil : hasSuppressions(db)
            let erased = difference == nil ? mergeErasures(into: db) : nil
            if let erased { (merged.erased, merged.unerased) = (erased.recipients + erased.excluded, erased.open.count) }
            let lacksErasures = difference == nil ? erased == nil : hasErasures(db)
            let isComplete = lost.isEmpty && isWhole && !lacksList && !lacksErasures
            if !isComplete || lacksEvents {
                let unread = isComplete ? "which visits are counted cannot be read" : "a mailing cannot be read"
                merged.losses = difference.map { Losses(why: $0) } ?? .damaged(damage ?? unread)
                merged.losses?.mailings = lost
                merged.losses?.isIncomplete = !isWhole
                merged.losses?.lacksSuppressions = lacksList
                merged.losses?.lacksErasures = lacksErasures
                merged.losses?.lacksEvents = lacksEvents
            }
        } catch {
            merged.losses = .damaged((error as? DatabaseError)?.message ?? "\(error)")
            merged.losses?.lacksSuppressions = true
            merged.losses?.lacksErasures = true
            merged.losses?.lacksEvents = true
        }
        return merged
    }

    /// Adds what is known elsewhere to what a copy lacks.
    /// - Parameter file: the copy, with what was taken over.
    static func complete(
        _ merged: inout RestoreMerge?, by file: String, _ elsewhere: KnownElsewhere, _ notes: LedgerNotes
    ) throws(LedgerError) {
        guard var losses = merged?.losses else { return }
        try LedgerError.mapping(path: file, operation: "reading the copy") {
            let copy = try open(file)
            defer { try? copy.close() }
            try copy.read { db in
                guard let view = try LedgerView.read(SQLiteTransaction(db)) else { return }
                var note = try? notes.note(of: view.identity)
                if losses.isGone, let last = try? notes.last(), last.ledger != view.identity {
                    losses.why += ", and the copy is of another one"
                    note = last
                }
                let noted = note?.mailings.map { ($0.id, $0.name) } ?? []
                for (id, name) in noted + elsewhere.mailings where losses.mailings[id, default: ""].isEmpty {
                    let known = try Bool.fetchOne(
                        db, sql: "SELECT EXISTS (SELECT 1 FROM mailing WHERE id = ?)", arguments: [id.description])
                    if known == false { losses.mailings[id] = name }
                }
                losses.redis = elsewhere.problem
                let row = try SQLiteTransaction(db).row(
                    """
                    SELECT count(DISTINCT m.id), coalesce(sum(p.open), 0) FROM mailing m LEFT JOIN progress p ON p.mailing = m.id
                    WHERE m.state NOT IN ('sent', 'stopped', 'failed')
                    """)
                if let row { (losses.unfinished, losses.open) = try (row.read(0), row.read(1)) }
                // Redis is told of each dispatch before a message starts. So nobody got a message since the copy was made.
                let isNothingKnown = losses.isGone || elsewhere.commits.map { $0 <= view.commits } == true
                let isCurrent = isNothingKnown && losses.mailings.isEmpty && !losses.lacksEvents
                merged?.losses = isCurrent && !losses.lacksSuppressions && !losses.lacksErasures ? nil : losses
            }
        }
    }

    /// - Returns: what is wrong with the replaced ledger; nil for nothing.
    private static func damage(_ db: Database) -> String? {
        do {
            let found = try String.fetchOne(db, sql: "PRAGMA replaced.quick_check(1)")
            return found == "ok" ? nil : found?.split(separator: "\n").joined(separator: " ") ?? "it cannot be checked"
        } catch {
            return (error as? DatabaseError)?.message ?? "\(error)"
        }
    }

    /// - Returns: why nothing can be taken from the replaced ledger, for people; nil where it can.
    private static func difference(_ db: Database) throws -> String? {
        let isOther = try Bool.fetchOne(
            db, sql: "SELECT (SELECT identity FROM main.ledger) IS NOT (SELECT identity FROM replaced.ledger)")
        if isOther == true { return "is another ledger than the copy's" }
        let isOld = try Bool.fetchOne(
            db,
            sql: """
                SELECT (SELECT group_concat(identifier) FROM (SELECT identifier FROM main.grdb_migrations ORDER BY 1))
                    IS NOT (SELECT group_concat(identifier) FROM (SELECT identifier FROM replaced.grdb_migrations ORDER BY 1))
                """)
        return isOld == true ? "has the tables of another release (flotilla ledger migrate brings them to those of this one)" : nil
    }

    /// The mailings that the copy lacks, or has only begun to plan, with their names, as far as they can be read.
    /// - Returns: also whether all of them could be read.
    private static func lacking(_ db: Database) -> (mailings: [(MailingID, String)], isWhole: Bool) {
        var found: [(MailingID, String)] = []
        var isWhole = true
        do {
            let rows = try SQLiteTransaction(db).rows(
                """
                SELECT id, name FROM replaced.mailing r
                WHERE NOT EXISTS (
                    SELECT 1 FROM main.mailing m
                    WHERE m.id = r.id AND (m.planning_done = 1 OR m.next_batch >= r.next_batch OR r.pruned IS NOT NULL))
                """)
            while let row = try rows.next() {
                if let id = try MailingID(row.read(0) as String) { try found.append((id, row.read(1))) } else { isWhole = false }
            }
        } catch {
            isWhole = false
        }
        return (found, isWhole)
    }

    /// - Parameter mustAgree: the mailing is taken only if its numbers agree.
    /// - Returns: whether it was taken, as a whole.
    private static func mergeMailing(_ id: MailingID, into db: Database, mustAgree: Bool) -> Bool {
        do {
            try db.inTransaction {
                try mergeMailing(id, into: db)
                return try !mustAgree || SQLLedger.recount(SQLiteTransaction(db), id).isEmpty ? .commit : .rollback
            }
            return try Bool.fetchOne(
                db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM main.mailing WHERE id = ?)"), arguments: [id.description]) == true
        } catch {
            return false
        }
    }

    private static func mergeMailing(_ id: MailingID, into db: Database) throws {
        // The ids of responses are valid within one ledger only.
        let shift = try Int.fetchOne(db, sql: "SELECT coalesce(max(id), 0) FROM main.failure") ?? 0
        let logged = try Int.fetchOne(db, sql: "SELECT coalesce(max(id), 0) FROM main.event_log") ?? 0
        for table in try tables(db) {
            // The clients of its rows are numbered by that ledger.
            let isNumbered = table == "event_group"
            try db.execute(
                sql: "DELETE FROM main.\"\(table)\" WHERE \"\(table == "mailing" ? "id" : "mailing")\" = ?", arguments: [id.description])
            if isNumbered { continue }
            let columns = try db.columns(in: table).map { "\"\($0.name)\"" }
            let values = columns.map { column in
                switch (table, column) {
                case (_, "\"failure\""), ("failure", "\"id\""): "\(column) + \(shift)"
                case ("event_log", "\"id\""): "\(column) + \(logged)"
                // Another mailing of the copy may have the same number: then this one gets the next.
                case ("mailing", "\"number\""): "nullif(number, (SELECT m.number FROM main.mailing m WHERE m.number = mailing.number))"
                default: column
                }
            }
            try db.execute(
                sql: """
                    INSERT INTO main."\(table)" (\(columns.joined(separator: ", "))) SELECT \(values.joined(separator: ", "))
                    FROM replaced."\(table)" WHERE "\(table == "mailing" ? "id" : "mailing")" = ?
                    """, arguments: [id.description])
        }
        var events = EventMerging(SQLiteTransaction(db), id)
        try events.takeAll()
        // The replaced ledger knew all of its results but those in flight.
        try db.execute(
            sql: """
                UPDATE main.mailing SET suppression_revision = 0,
                    restored = EXISTS (SELECT 1 FROM main.progress WHERE mailing = mailing.id AND dispatched > 0)
                WHERE id = ?
                """, arguments: [id.description])
    }

    /// The tables with a mailing's rows. Dead letters belong to a Redis, and stay with the replaced ledger; the outbox of webhooks is taken
    /// over as a whole.
    private static func tables(_ db: Database) throws -> [String] {
        try String.fetchAll(
            db,
            sql: """
                SELECT DISTINCT t.name FROM main.sqlite_schema t JOIN pragma_table_info(t.name) c
                WHERE t.type = 'table' AND t.name NOT LIKE 'dead_letter%' AND t.name <> 'webhook_event'
                    AND (t.name = 'mailing' OR c.name = 'mailing') ORDER BY 1
                """)
    }
}
