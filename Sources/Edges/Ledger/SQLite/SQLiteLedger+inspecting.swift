import GRDB
import Model

extension SQLiteLedger {
    /// Checks a whole ledger, while roles use it: the file, the tables, each mailing's counters against its rows, each recipient and
    /// result, and rows that belong to nothing. Nothing is changed, and an older ledger is not brought forward.
    /// - Parameter say: gets words about each part before it is looked at, and about how far it has come.
    /// - Throws: `LedgerError`: `missing`, `newer`, `foreign`, `notADatabase`, `unwritable`.
    package static func inspect(_ path: String, say: @escaping (String) -> Void = { _ in }) throws(LedgerError) -> LedgerInspection {
        var inspection = LedgerInspection(version: try version(of: path))
        try LedgerError.mapping(path: path, operation: "checking") {
            let file = try LedgerBackup.open(path, isReadonly: true)
            defer { try? file.close() }
            var progress = InspectionProgress(say)
            func look(at part: String, _ body: (Database, inout LedgerInspection, inout InspectionProgress) throws -> Void) {
                progress.begin(part)
                do {
                    // One unchanging view for each part: what roles write meanwhile is in it as a whole, or not at all.
                    try file.read { try body($0, &inspection, &progress) }
                } catch let error as DatabaseError where error.resultCode == .SQLITE_CORRUPT || error.resultCode == .SQLITE_NOTADB {
                    inspection.faults.append(.init(.file, "the \(part) cannot be read: \(error.message ?? "\(error.resultCode)")"))
                } catch let damage as SQLDamage {
                    inspection.faults.append(.init(.file, "the \(part) cannot be read: \(damage.text)"))
                } catch {
                    inspection.faults.append(
                        .init(.schema, "the \(part) cannot be read: \(LedgerError(any: error, path: path, operation: "checking"))"))
                }
            }
            look(at: "file") { db, inspection, _ in
                for problem in try String.fetchAll(db, sql: "PRAGMA integrity_check(20)") where problem != "ok" {
                    inspection.faults.append(.init(.file, "the file is damaged: \(problem)"))
                }
            }
            guard inspection.version == Schema.version else {
                let needed = "this release needs version \(Schema.version): flotilla ledger migrate"
                return inspection.faults.append(.init(.version, "the ledger is of version \(inspection.version), and \(needed)"))
            }
            look(at: "tables") { db, inspection, _ in try compareTables(db, &inspection) }
            look(at: "mailings", recountAll)
            look(at: "recipients") { try readContent(SQLiteTransaction($0), &$1, &$2) }
            look(at: "rows that belong to nothing") { db, inspection, _ in try findOrphans(db, &inspection) }
        }
        return inspection
    }

    /// Compares the tables and indexes with those that this release makes. More of them than these are not wrong.
    private static func compareTables(_ db: Database, _ inspection: inout LedgerInspection) throws {
        let ours = try DatabaseQueue()
        try Schema.migrator.migrate(ours)
        let expected = try ours.read(parts)
        let found = try parts(db)
        for (name, columns) in expected.sorted(by: { $0.key < $1.key }) {
            guard let there = found[name] else {
                inspection.faults.append(.init(.schema, "the \(name) is missing"))
                continue
            }
            let missing = columns.filter { !there.contains($0) }
            if !missing.isEmpty {
                inspection.faults.append(.init(.schema, "the \(name) lacks \(missing.joined(separator: ", "))"))
            }
        }
    }

    /// The columns of each table, view and index, by its kind and name.
    private static func parts(_ db: Database) throws -> [String: [String]] {
        let rows = try SQLiteTransaction(db).rows(
            """
            SELECT s.type || ' ' || s.name, c.name FROM sqlite_schema s JOIN pragma_table_info(s.name) c WHERE s.type <> 'index'
            UNION ALL SELECT 'index ' || s.name, coalesce(c.name, '')
                FROM sqlite_schema s JOIN pragma_index_info(s.name) c WHERE s.type = 'index' AND s.name NOT LIKE 'sqlite_%'
            """)
        var parts: [String: [String]] = [:]
        while let row = try rows.next() { try parts[row.read(0), default: []].append(row.read(1)) }
        return parts
    }

    /// What is damaged in a file that SQLite reads: of one of this release each batch and each result is read.
    /// - Throws: `LedgerError` where it is no ledger.
    static func damage(of path: String) throws(LedgerError) -> [LedgerInspection.Fault] {
        var inspection = LedgerInspection(version: try version(of: path))
        try LedgerError.mapping(path: path, operation: "checking") {
            let file = try LedgerBackup.open(path, isReadonly: true)
            defer { try? file.close() }
            try file.read { db in
                for problem in try String.fetchAll(db, sql: "PRAGMA quick_check(20)") where problem != "ok" {
                    inspection.faults.append(.init(.file, "the file is damaged: \(problem)"))
                }
                var progress = InspectionProgress { _ in }
                if inspection.version == Schema.version, inspection.faults.isEmpty {
                    try readContent(SQLiteTransaction(db), &inspection, &progress)
                }
            }
        }
        return inspection.faults
    }

    private static func recountAll(
        _ db: Database, _ inspection: inout LedgerInspection, _ progress: inout InspectionProgress
    ) throws {
        let db = SQLiteTransaction(db)
        let (records, unreadable) = try MailingRecord.all(db, "ORDER BY created, id", [])
        inspection.faults += unreadable.map { .init(.mailing, mailing: $0.id, "\($0.error)") }
        progress.begin("mailings", all: records.reduce(0) { $0 + $1.plannedCount })
        for record in records {
            let id = record.id.description
            inspection.mailings += 1
            defer { progress.advance(by: record.plannedCount) }
            inspection.recipients += record.plannedCount
            do {
                inspection.faults += try recount(db, record).map { .init(.counts, mailing: id, $0) }
                inspection.faults += try (recountEvents(db, record.id) + checkEvents(db, record.id)).map { .init(.counts, mailing: id, $0) }
            } catch let damage as SQLDamage {
                inspection.faults.append(.init(.counts, mailing: id, damage.text))
            } catch let error as DatabaseError {
                inspection.faults.append(.init(.counts, mailing: id, error.message ?? "\(error.resultCode)"))
            }
        }
    }

    /// Counts events anew.
    private static func recountEvents(_ db: SQLiteTransaction, _ id: MailingID) throws -> [String] {
        let counted = try pairs(db, "SELECT kind, n FROM event_counter WHERE mailing = ?", id)
        let found = try pairs(db, "SELECT kind, count(*) FROM event WHERE mailing = ? GROUP BY kind", id)
        return Set(counted.keys).union(found.keys).sorted().compactMap { kind in
            let (counter, rows) = (counted[kind] ?? 0, found[kind] ?? 0)
            return counter == rows ? nil : "the counter of \(kind) says \(counter), its events \(rows)"
        }
    }

    /// Finds rows of mailings, batches, recipients and responses that there are not.
    private static func findOrphans(_ db: Database, _ inspection: inout LedgerInspection) throws {
        func expectNone(_ what: String, _ sql: String) throws {
            let count = try Int.fetchOne(db, sql: sql) ?? 0
            if count > 0 { inspection.faults.append(.init(.orphans, "rows of \(what): \(count)")) }
        }
        let ofMailings = try String.fetchAll(
            db,
            sql: """
                SELECT DISTINCT t.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c
                WHERE t.type = 'table' AND c.name = 'mailing' AND t.name NOT LIKE 'dead_letter%' AND t.name NOT LIKE 'upload%' ORDER BY 1
                """)
        // An upload comes before its mailing.
        for table in ofMailings {
            // What is of no mailing says so.
            try expectNone(
                "\(table) whose mailing is not there",
                "SELECT count(*) FROM \"\(table)\" WHERE coalesce(mailing, '') <> '' AND mailing NOT IN (SELECT id FROM mailing)")
        }
        for (table, column, index) in [
            ("progress", "number", ""), ("fingerprint", "batch", ""), ("result", "batch", ""),
            ("recipient_error", "batch", "AND t.idx BETWEEN 0 AND b.count - 1"),
            ("uncertain", "batch", "AND t.idx BETWEEN 0 AND b.count - 1"),
            ("event_recipient", "batch", "AND t.idx BETWEEN 0 AND b.count - 1"),
            ("event", "batch", "AND t.idx BETWEEN 0 AND b.count - 1"),
            ("skipped", "batch", "AND t.idx BETWEEN 0 AND b.count - 1"),
        ] {
            try expectNone(
                "\(table) whose batch or recipient is not there",
                """
                SELECT count(*) FROM \(table) t WHERE t.mailing IN (SELECT id FROM mailing) AND NOT EXISTS (
                    SELECT 1 FROM batch b WHERE b.mailing = t.mailing AND b.number = t.\(column) \(index))
                """)
        }
        try expectNone(
            "recipient_error whose response is not there",
            """
            SELECT count(*) FROM recipient_error e
            WHERE NOT EXISTS (SELECT 1 FROM failure f WHERE f.id = e.failure AND f.mailing = e.mailing)
            """
        )
        // Whether anybody is looked for there depends on the number alone.
        try expectNone(
            "suppressions more or less than the list says",
            "SELECT abs((SELECT count(*) FROM suppression) - (SELECT entries FROM suppression_list))")
        try expectNone(
            "dead_letter_field whose dead letter is not there",
            "SELECT count(*) FROM dead_letter_field WHERE letter NOT IN (SELECT id FROM dead_letter)")
    }
}
