extension Schema {
    /// How a response was missed. Nobody gets a third copy from a provider that answers too late.
    static let missed = """
        -- How the response was missed: 3 by a time-out, 4 as the connection ended, 5 as the worker ended; 0 where none was waited for.
        ALTER TABLE uncertain ADD COLUMN missed INTEGER NOT NULL DEFAULT 0;
        """
}
