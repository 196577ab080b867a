extension PostgreSQLSchema {
    /// Recipients' files that are kept until their mailings are planned. Slices are compressed already.
    static let uploads = """
        CREATE TABLE upload (
            mailing word PRIMARY KEY,
            holder word NOT NULL,
            at bigint NOT NULL,
            parts bigint NOT NULL,
            bytes bigint NOT NULL,
            modified bigint NOT NULL,
            digest word
        );
        CREATE TABLE upload_part (mailing word, number bigint, content bytea NOT NULL, PRIMARY KEY (mailing, number));
        ALTER TABLE upload_part ALTER COLUMN content SET STORAGE EXTERNAL;
        CREATE TABLE source_fault (
            mailing word, host word, problem word NOT NULL, at bigint NOT NULL, PRIMARY KEY (mailing, host));

        """
}
