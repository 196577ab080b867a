extension Schema {
    /// Two messages of which the provider had both and answered neither in time are the most that anybody gets.
    static let missed = """
        -- How the response was missed: 3 by a time-out, 4 as the connection ended, 5 as the worker ended; 0 where none was waited for.
        ALTER TABLE uncertain ADD COLUMN missed INTEGER NOT NULL DEFAULT 0;
        """
}
