/// The 29th migration: who was erased, as hashes alone. PostgreSQL has the same columns.
extension Schema {
    static let erasure = """
        -- A person whose values were taken out. hash is the SHA-256 of the ledger's identity and the address, fingerprint the hash by which
        -- a batch is found; suppressions: those of the address went too; at is when, in milliseconds since 1970.
        CREATE TABLE erasure (
            hash TEXT PRIMARY KEY NOT NULL,
            fingerprint INTEGER NOT NULL,
            suppressions INTEGER NOT NULL,
            at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        """
}
