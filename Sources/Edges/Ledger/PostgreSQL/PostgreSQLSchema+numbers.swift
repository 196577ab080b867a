/// The 33rd migration: as `Schema.numbers` has it.
extension PostgreSQLSchema {
    static let numbers = """
        SELECT setval(pg_get_serial_sequence('mailing', 'number'), 1000001 + floor(random() * 1900000000)::bigint);
        """
}
