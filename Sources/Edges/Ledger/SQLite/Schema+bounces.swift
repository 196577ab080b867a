/// The 42nd migration: by which provider's answer an address is suppressed. PostgreSQL takes the same statement.
extension Schema {
    static let suppressionProvider = "ALTER TABLE suppression ADD COLUMN provider TEXT NOT NULL DEFAULT '';"
}
