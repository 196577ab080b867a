import GRDB
import Model

extension LedgerBackup {
    private typealias Losses = CarriedMailings.Losses

    /// Takes the mailings that a copy lacks from the ledger whose place it takes: what was sent since the copy was made stays known, and is
    /// not sent again. Of a damaged ledger those are taken that can be read as a whole and whose numbers agree.
    /// - Parameters:
    ///   - path: the ledger of before.
    ///   - db: the copy, outside of a transaction; whoever made it sees to it that it is on the disk.
    static func carryMailings(from path: String, into db: Database) -> CarriedMailings {
        var carried = CarriedMailings()
        do {
            // One transaction for each mailing: after a page that cannot be read SQLite takes nothing more in the same one.
            try db.execute(sql: "PRAGMA main.synchronous = OFF")
            try db.execute(sql: "ATTACH ? AS replaced", arguments: [path])
            defer { try? db.execute(sql: "DETACH replaced") }
            let damage = damage(db)
            let difference = try difference(db)
            let (lacking, isWhole) = lacking(db)
            var lost: [MailingID: String] = [:]
            for (id, name) in lacking {
                if difference == nil, carry(id, into: db, mustAgree: damage != nil) {
                    carried.count += 1
                } else {
                    lost[id] = name
                }
            }
            let lacksList = difference == nil ? !carrySuppressions(into: db, mustAgree: damage != nil) : hasSuppressions(db)
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
                let noted = (try? notes.note(of: view.identity))?.mailings.map { ($0.id, $0.name) } ?? []
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
                let isCurrent = elsewhere.commits.map { $0 <= view.commits } == true && losses.mailings.isEmpty
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

    /// The mailings that the copy lacks, with their names, as far as they can be read.
    /// - Returns: also whether all of them could be read.
    private static func lacking(_ db: Database) -> (mailings: [(MailingID, String)], isWhole: Bool) {
        var found: [(MailingID, String)] = []
        var isWhole = true
        do {
            let rows = try SQLiteTransaction(db).rows(
                "SELECT id, name FROM replaced.mailing WHERE id NOT IN (SELECT id FROM main.mailing)")
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

    /// Takes the list of the suppressed where it is the newer one: who has unsubscribed since the copy was made stays so.
    /// - Parameter mustAgree: the list is taken only if it is as long as it says.
    /// - Returns: whether it could be read.
    private static func carrySuppressions(into db: Database, mustAgree: Bool) -> Bool {
        do {
            let isLong = "SELECT (SELECT count(*) FROM replaced.suppression) = (SELECT entries FROM replaced.suppression_list)"
            if mustAgree, try Bool.fetchOne(db, sql: isLong) != true { return false }
            try db.inTransaction {
                let isNewer = "SELECT (SELECT revision FROM replaced.suppression_list) > (SELECT revision FROM main.suppression_list)"
                if try Bool.fetchOne(db, sql: isNewer) == true {
                    for table in ["suppression", "suppression_list"] {
                        let columns = try db.columns(in: table).map(\.name).joined(separator: ", ")
                        try db.execute(
                            sql: """
                                DELETE FROM main.\(table); INSERT INTO main.\(table) (\(columns)) SELECT \(columns) FROM replaced.\(table)
                                """)
                    }
                }
                try db.execute(sql: "INSERT OR IGNORE INTO main.category (name, created) SELECT name, created FROM replaced.category")
                return .commit
            }
            return true
        } catch {
            return false
        }
    }

    /// Whether a ledger from which nothing can be taken has a list of the suppressed. One of an older release may have no such table.
    private static func hasSuppressions(_ db: Database) -> Bool {
        do {
            let hasTable = "SELECT EXISTS (SELECT 1 FROM replaced.sqlite_schema WHERE type = 'table' AND name = 'suppression')"
            guard try Bool.fetchOne(db, sql: hasTable) == true else { return false }
            return try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM replaced.suppression)") == true
        } catch {
            return true
        }
    }

    private static func carry(_ id: MailingID, into db: Database) throws {
        // The numbers of different answers are of one ledger only.
        let shift = try Int.fetchOne(db, sql: "SELECT coalesce(max(id), 0) FROM main.failure") ?? 0
        for table in try tables(db) {
            let columns = try db.columns(in: table).map { "\"\($0.name)\"" }
            let values = columns.map { column in
                column == "\"failure\"" || (table == "failure" && column == "\"id\"") ? "\(column) + \(shift)" : column
            }
            try db.execute(
                sql: """
                    INSERT INTO main."\(table)" (\(columns.joined(separator: ", "))) SELECT \(values.joined(separator: ", "))
                    FROM replaced."\(table)" WHERE "\(table == "mailing" ? "id" : "mailing")" = ?
                    """, arguments: [id.description])
        }
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
