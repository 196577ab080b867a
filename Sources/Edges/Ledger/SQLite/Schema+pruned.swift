/// The 40th migration: what stands for the addresses of pruned mailings' recipients.
extension Schema {
    static let prunedAddresses = """
        -- So that whoever unsubscribes by a link of a mailing whose recipients are pruned is heard. For each batch the hashes of its
        -- recipients' addresses (`AddressHasher`), 8 bytes each, the lowest first; 0 where there is none. `number` is the mailing's.
        CREATE TABLE pruned_address (
            number INTEGER NOT NULL,
            batch INTEGER NOT NULL,
            hashes BLOB NOT NULL,
            PRIMARY KEY (number, batch)
        ) STRICT;
        """
}
