/// The 40th migration: as `Schema.prunedAddresses` has it.
extension PostgreSQLSchema {
    static let prunedAddresses = """
        CREATE TABLE pruned_address (number bigint, batch bigint, hashes bytea NOT NULL, PRIMARY KEY (number, batch));
        """
}
