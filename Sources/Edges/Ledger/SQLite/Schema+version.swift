import GRDB

/// A ledger's version is the number of the last change that its tables have had.
extension Schema {
    /// The version that this release makes.
    static let version = version(of: migrator.migrations)

    private static func version(of changes: some Sequence<String>) -> Int {
        changes.compactMap { Int($0.prefix { $0.isNumber }) }.max() ?? 0
    }

    /// - Returns: nil for an empty database, of which a ledger can be made.
    /// - Throws: `LedgerError.foreign` for a database of another program, `newer` for a ledger of a later release.
    static func version(_ db: Database, path: String) throws -> Int? {
        let migrator = migrator
        let applied = try migrator.appliedIdentifiers(db)
        let application = try Int32.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        // GRDB has tables of its own. Another process that opens the new ledger may just have made them.
        let tables =
            try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'grdb%'") ?? 0
        let isEmpty = application == 0 && tables == 0
        guard application == applicationID || isEmpty else { throw LedgerError.foreign(path: path) }
        let unknown = applied.subtracting(migrator.migrations)
        guard unknown.isEmpty else { throw LedgerError.newer(path: path, found: unknown.sorted()) }
        return isEmpty ? nil : version(of: applied)
    }
}
