/// The 38th migration: as `Schema.channels` has it.
extension PostgreSQLSchema {
    static let channels = "ALTER TABLE batch ADD COLUMN channel word"
}
