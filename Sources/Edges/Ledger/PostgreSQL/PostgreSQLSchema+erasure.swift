extension PostgreSQLSchema {
    /// Who was erased, as hashes alone (docs/ledger.md).
    static let erasure = """
        CREATE TABLE erasure (hash word PRIMARY KEY, fingerprint bigint NOT NULL, suppressions smallint NOT NULL, at bigint NOT NULL);
        """
}
