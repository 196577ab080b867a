extension Schema {
    /// Where a dead letter was found, in columns of its own, and how many are not kept any more.
    static let letters = """
        -- The number of the status stream that it was in; or its lane, as CHANNEL:PROVIDER.
        ALTER TABLE dead_letter ADD COLUMN status_stream INTEGER;
        ALTER TABLE dead_letter ADD COLUMN lane TEXT;
        UPDATE dead_letter SET lane = iif(is_batch, substr(stream, 6), NULL),
            status_stream = iif(stream GLOB 'status:[0-9]*', CAST(substr(stream, 8) AS INTEGER), NULL);

        -- The oldest beyond the bounds, by kind: status, lane, foreign.
        CREATE TABLE dead_letter_discarded (
            kind TEXT PRIMARY KEY NOT NULL,
            n INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        """

    /// Why the dispatcher dispatches nothing by way of Redis: one row, or none while it does.
    static let redisProblem = "CREATE TABLE redis_problem (text TEXT NOT NULL) STRICT"
}
