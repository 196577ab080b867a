/// The 26th migration: recipients' files that the ledger keeps until their mailings are planned, and those that planners cannot read.
extension Schema {
    static let upload = """
        -- The recipients of a mailing. holder stores them; at is when a slice came last, in milliseconds since 1970; modified is that of
        -- the file; digest is the SHA-256 of the whole, NULL until all of it is here.
        CREATE TABLE upload (
            mailing TEXT PRIMARY KEY NOT NULL,
            holder TEXT NOT NULL,
            at INTEGER NOT NULL,
            parts INTEGER NOT NULL,
            bytes INTEGER NOT NULL,
            modified INTEGER NOT NULL,
            digest TEXT
        ) STRICT, WITHOUT ROWID;
        -- A first byte 1: the rest is compressed by zlib; 0: it is as it was.
        CREATE TABLE upload_part (
            mailing TEXT NOT NULL,
            number INTEGER NOT NULL,
            content BLOB NOT NULL,
            PRIMARY KEY (mailing, number)
        ) STRICT;
        -- Why a machine's planner cannot read the recipients of a mailing; at is when it said so first, in milliseconds since 1970.
        CREATE TABLE source_fault (
            mailing TEXT NOT NULL,
            host TEXT NOT NULL,
            problem TEXT NOT NULL,
            at INTEGER NOT NULL,
            PRIMARY KEY (mailing, host)
        ) STRICT, WITHOUT ROWID;
        """
}
