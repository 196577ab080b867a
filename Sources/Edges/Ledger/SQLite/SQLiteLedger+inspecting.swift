import GRDB
import Model

extension SQLiteLedger {
    /// Checks a whole ledger, while roles use it: the file, the tables, each mailing's counters against its rows, each recipient and
    /// result, and rows that belong to nothing. Nothing is changed, and an older ledger is not brought forward.
    /// - Parameter say: gets words about each part before it is looked at, and about how far it has come.
    /// - Throws: `LedgerError`: `missing`, `newer`, `foreign`, `notADatabase`, `unwritable`.
    package static func inspect(_ path: String, say: @escaping (String) -> Void = { _ in }) throws(LedgerError) -> LedgerInspection {
        let version = try version(of: path)
        return try checking(path, version, say: say) { check in
            try look(at: "file", "PRAGMA integrity_check(20)", &check)
            guard version == Schema.version else {
                let needed = "this release needs version \(Schema.version): flotilla ledger migrate"
                return check.note(.version, "the ledger is of version \(version), and \(needed)")
            }
            check.progress.begin("tables")
            try check.look(at: "tables") { db, check in try compareTables(db, &check) }
            try check.run()
        }
    }

    /// Looks quickly at a ledger, while roles use it: the pages of the file, and the version. Nothing is changed.
    /// - Throws: `LedgerError`: those of `inspect`.
    package static func glance(_ path: String) throws(LedgerError) -> LedgerInspection {
        let version = try version(of: path)
        return try checking(path, version) { check in
            try look(at: "file", "PRAGMA quick_check(20)", &check)
            guard version != Schema.version else { return }
            check.note(
                .version, "the ledger is of version \(version), and this release needs version \(Schema.version): flotilla ledger migrate")
        }
    }

    /// What is damaged in a file that SQLite reads: of one of this release each batch and each result is read.
    /// - Throws: `LedgerError` where it is no ledger.
    static func damage(of path: String) throws(LedgerError) -> [LedgerInspection.Fault] {
        let version = try version(of: path)
        return try checking(path, version) { check in
            try look(at: "file", "PRAGMA quick_check(20)", &check)
            guard version == Schema.version, check.inspection.faults.isEmpty else { return }
            // A mailing of a newer release cannot be read, and is not damaged.
            var records: [MailingRecord] = []
            try check.look(at: "mailings") { db, _ in records = try MailingRecord.all(db, "ORDER BY created, id", []).records }
            try check.readRecipients(records)
        }.faults
    }

    private static func checking(
        _ path: String, _ version: Int, say: @escaping (String) -> Void = { _ in },
        _ body: (inout LedgerCheck) throws -> Void
    ) throws(LedgerError) -> LedgerInspection {
        try LedgerError.mapping(path: path, operation: "checking") {
            let file = try LedgerBackup.open(path, isReadonly: true)
            defer { try? file.close() }
            var check = LedgerCheck(version: version, say: say) { look in
                try file.read { try look(SQLiteTransaction($0)) }
            } judge: { error in
                switch error {
                case let error as DatabaseError where error.resultCode == .SQLITE_CORRUPT || error.resultCode == .SQLITE_NOTADB:
                    return (.file, error.message ?? "\(error.resultCode)")
                case let damage as SQLDamage: return (.file, damage.text)
                default: return (.schema, "\(LedgerError(any: error, path: path, operation: "checking"))")
                }
            }
            try body(&check)
            return check.inspection
        }
    }

    private static func look(at part: String, _ pragma: String, _ check: inout LedgerCheck) throws {
        check.progress.begin(part)
        try check.look(at: part) { db, check in
            for problem in try db.all(String.self, pragma) where problem != "ok" { check.note(.file, "the file is damaged: \(problem)") }
        }
    }

    private static func compareTables(_ db: any SQLTransaction, _ check: inout LedgerCheck) throws {
        let ours = try DatabaseQueue()
        try Schema.migrator.migrate(ours)
        check.compare(try parts(db), with: try ours.read { try parts(SQLiteTransaction($0)) })
    }

    /// The columns of each table, view and index, by its kind and name.
    private static func parts(_ db: any SQLTransaction) throws -> [String: [String]] {
        let rows = try db.rows(
            """
            SELECT s.type || ' ' || s.name, c.name FROM sqlite_schema s JOIN pragma_table_info(s.name) c WHERE s.type <> 'index'
            UNION ALL SELECT 'index ' || s.name, coalesce(c.name, '')
                FROM sqlite_schema s JOIN pragma_index_info(s.name) c WHERE s.type = 'index' AND s.name NOT LIKE 'sqlite_%'
            """)
        var parts: [String: [String]] = [:]
        while let row = try rows.next() { try parts[row.read(0), default: []].append(row.read(1)) }
        return parts
    }
}
