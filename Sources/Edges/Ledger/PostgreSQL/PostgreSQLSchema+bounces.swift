extension PostgreSQLSchema {
    /// By which provider's answer an address is suppressed.
    static let suppressionProvider = "ALTER TABLE suppression ADD COLUMN provider word NOT NULL DEFAULT '';"
}
