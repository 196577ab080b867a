/// The 50th migration: customers, what they may have, and what they agreed to. PostgreSQL takes the same statements with its own types.
extension Schema {
    static let customers = customers(
        key: "INTEGER PRIMARY KEY", word: "TEXT", staging: "TABLE", end: "STRICT", narrowEnd: "STRICT, WITHOUT ROWID")

    /// - Parameters:
    ///   - key: the type of a number that the engine counts up.
    ///   - word: the type of a text that is compared byte by byte.
    ///   - staging: how the engine calls a table that needs not survive a crash.
    ///   - end: what stands behind a table.
    ///   - narrowEnd: the same for a table that is its own index.
    static func customers(key: String, word: String, staging: String, end: String, narrowEnd: String) -> String {
        let number = word == "TEXT" ? "INTEGER" : "bigint"
        return """
            -- Attributes, each with a column a1, a2, … in customer and customer_staging: number.
            CREATE TABLE attribute (
                name \(word) NOT NULL PRIMARY KEY,
                type \(word) NOT NULL,
                number \(number) NOT NULL UNIQUE,
                created \(number) NOT NULL
            ) \(narrowEnd);

            -- id is that of other systems. status: 0 enabled, 1 disabled, 2 blocked. tags, as attributes that are lists, have the character
            -- U+001F before and behind each element. Numbers are in millionths, dates in milliseconds since 1970.
            CREATE TABLE customer (
                number \(key),
                id \(word) NOT NULL UNIQUE,
                status \(number) NOT NULL,
                language \(word),
                time_zone \(word),
                main_channel \(word),
                tags \(word),
                source \(word) NOT NULL,
                created \(number) NOT NULL,
                changed \(number) NOT NULL
            ) \(end);

            -- place 0 is the main one. address is the normal form, key the one in which addresses are compared.
            CREATE TABLE customer_address (
                channel \(word) NOT NULL,
                customer \(number) NOT NULL,
                place \(number) NOT NULL,
                address \(word) NOT NULL,
                key \(word) NOT NULL,
                valid \(number) NOT NULL,
                PRIMARY KEY (channel, customer, place)
            ) \(narrowEnd);
            CREATE INDEX customer_address_key ON customer_address (key, channel);

            -- Of a channel, or with a category of mailings of that category. state: 0 unsubscribed, 1 subscribed, 2 unconfirmed.
            CREATE TABLE subscription (
                customer \(number) NOT NULL,
                channel \(word) NOT NULL,
                category \(word) NOT NULL,
                state \(number) NOT NULL,
                source \(word) NOT NULL,
                at \(number) NOT NULL,
                proof \(word) NOT NULL,
                PRIMARY KEY (customer, channel, category)
            ) \(narrowEnd);

            -- Rows of one transaction of an import: empty but within it.
            CREATE \(staging) customer_staging (
                row \(number) NOT NULL PRIMARY KEY,
                customer \(number),
                id \(word) NOT NULL,
                status \(number),
                language \(word),
                time_zone \(word),
                main_channel \(word),
                tags \(word)
            ) \(end);
            CREATE \(staging) customer_address_staging (
                row \(number) NOT NULL, place \(number) NOT NULL, address \(word) NOT NULL, key \(word) NOT NULL, valid \(number) NOT NULL
            ) \(end);
            CREATE \(staging) subscription_staging (
                row \(number) NOT NULL, channel \(word) NOT NULL, category \(word) NOT NULL, state \(number) NOT NULL
            ) \(end);
            """
    }
}
