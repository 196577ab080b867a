import GRDB
import Model

extension LedgerBackup {
    private typealias Losses = CarriedMailings.Losses

    /// Takes the mailings that a copy lacks from the ledger whose place it takes: what was sent since the copy was made stays known, and is
    /// not sent again. Of a damaged ledger those are taken that can be read as a whole and whose numbers agree.
    /// - Parameters:
    ///   - path: the ledger of before.
    ///   - db: the copy, outside of a transaction; whoever made it sees to it that it is on the disk.
    ///   - now: milliseconds since 1970.
    static func carryMailings(from path: String, into db: Database, now: Int64) -> CarriedMailings {
        var carried = CarriedMailings()
        do {
            // One transaction for each mailing: after a page that cannot be read SQLite takes nothing more in the same one.
            try db.execute(sql: "PRAGMA main.synchronous = OFF")
            try db.execute(sql: "ATTACH ? AS replaced", arguments: [path])
            defer { try? db.execute(sql: "DETACH replaced") }
            let damage = damage(db)
            let difference = try difference(db)
            let (lacking, isWhole) = lacking(db)
            if difference == nil {
                carried.orders = carryOrders(into: db)
                carryEventSources(into: db)
                carryShared(into: db, &carried, except: Set(lacking.map(\.0)), mustAgree: damage != nil, now: now)
            }
            var lost: [MailingID: String] = [:]
            for (id, name) in lacking {
                if difference == nil, carry(id, into: db, mustAgree: damage != nil) {
                    carried.count += 1
                } else {
                    lost[id] = name
                }
            }
            let joined = difference == nil ? carrySuppressions(into: db, mustAgree: damage != nil) : nil
            carried.suppressions = joined ?? 0
            let lacksList = difference == nil ? joined == nil : hasSuppressions(db)
            if !lost.isEmpty || !isWhole || lacksList {
                carried.losses = difference.map { Losses(why: $0) } ?? .damaged(damage ?? "a mailing cannot be read")
                carried.losses?.mailings = lost
                carried.losses?.isIncomplete = !isWhole
                carried.losses?.lacksSuppressions = lacksList
            }
        } catch {
            carried.losses = .damaged((error as? DatabaseError)?.message ?? "\(error)")
            carried.losses?.lacksSuppressions = true
        }
        return carried
    }

    /// Adds what is known elsewhere to what a copy lacks.
    /// - Parameter file: the copy, with what was taken over.
    static func complete(
        _ carried: inout CarriedMailings?, by file: String, _ elsewhere: KnownElsewhere, _ notes: LedgerNotes
    ) throws(LedgerError) {
        guard var losses = carried?.losses else { return }
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
                // Redis is told of each dispatch before a message goes: nobody can have got one since the copy was made.
                let isNothingKnown = losses.isGone || elsewhere.commits.map { $0 <= view.commits } == true
                let isCurrent = isNothingKnown && losses.mailings.isEmpty
                carried?.losses = isCurrent && !losses.lacksSuppressions ? nil : losses
            }
        }
    }

    /// - Returns: what is wrong with the ledger of before; nil for nothing.
    private static func damage(_ db: Database) -> String? {
        do {
            let found = try String.fetchOne(db, sql: "PRAGMA replaced.quick_check(1)")
            return found == "ok" ? nil : found?.split(separator: "\n").joined(separator: " ") ?? "it cannot be checked"
        } catch {
            return (error as? DatabaseError)?.message ?? "\(error)"
        }
    }

    /// - Returns: why nothing can be taken from the ledger of before, for people; nil where it can.
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
    private static func carry(_ id: MailingID, into db: Database, mustAgree: Bool) -> Bool {
        do {
            try db.inTransaction {
                try carry(id, into: db)
                return try !mustAgree || SQLLedger.recount(SQLiteTransaction(db), id).isEmpty ? .commit : .rollback
            }
            return try Bool.fetchOne(
                db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM main.mailing WHERE id = ?)"), arguments: [id.description]) == true
        } catch {
            return false
        }
    }

    private static func carry(_ id: MailingID, into db: Database) throws {
        // The numbers of different answers are of one ledger only.
        let shift = try Int.fetchOne(db, sql: "SELECT coalesce(max(id), 0) FROM main.failure") ?? 0
        for table in try tables(db) {
            // The clients of its rows are numbered by that ledger.
            let isNumbered = table == "event_recipient"
            try db.execute(
                sql: "DELETE FROM main.\"\(table)\" WHERE \"\(table == "mailing" ? "id" : "mailing")\" = ?", arguments: [id.description])
            if isNumbered { continue }
            let columns = try db.columns(in: table).map { "\"\($0.name)\"" }
            let values = columns.map { column in
                switch (table, column) {
                case (_, "\"failure\""), ("failure", "\"id\""): "\(column) + \(shift)"
                // Another mailing may have been given it since the two went apart: then it gets the next one.
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
        var events = EventCarrying(SQLiteTransaction(db), id)
        try events.run(isCounted: true)
        // That ledger knew all of them but what was in flight.
        try db.execute(
            sql: """
                UPDATE main.mailing SET suppression_revision = 0,
                    restored = EXISTS (SELECT 1 FROM main.progress WHERE mailing = mailing.id AND dispatched > 0)
                WHERE id = ?
                """, arguments: [id.description])
    }

    /// The mailings' own table and all that hold something of a mailing. Dead letters are of the Redis, and stay with the ledger of before.
    private static func tables(_ db: Database) throws -> [String] {
        try String.fetchAll(
            db,
            sql: """
                SELECT DISTINCT t.name FROM main.sqlite_schema t JOIN pragma_table_info(t.name) c
                WHERE t.type = 'table' AND t.name NOT LIKE 'dead_letter%' AND (t.name = 'mailing' OR c.name = 'mailing') ORDER BY 1
                """)
    }
}
