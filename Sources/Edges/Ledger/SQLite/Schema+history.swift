/// The 51st migration: what customers did and bought, and segments of customers. PostgreSQL takes the same statements with its own types.
extension Schema {
    static let history = history(
        key: "INTEGER PRIMARY KEY", word: "TEXT", staging: "TABLE", end: "STRICT", narrowEnd: "STRICT, WITHOUT ROWID")

    /// The parameters are those of `customers(key:word:staging:end:narrowEnd:)`.
    static func history(key: String, word: String, staging: String, end: String, narrowEnd: String) -> String {
        let number = word == "TEXT" ? "INTEGER" : "bigint"
        return """
            -- key is that of other systems. at is in milliseconds since 1970. properties is a JSON object, or empty.
            CREATE TABLE customer_event (
                number \(key),
                customer \(number) NOT NULL,
                name \(word) NOT NULL,
                at \(number) NOT NULL,
                key \(word) NOT NULL UNIQUE,
                properties \(word) NOT NULL
            ) \(end);
            CREATE INDEX customer_event_of ON customer_event (name, customer, at);
            CREATE TABLE customer_event_name (name \(word) NOT NULL PRIMARY KEY) \(narrowEnd);

            -- amount and quantity are in millionths. A line repeats what segments ask of its order, so that an index answers them.
            CREATE TABLE customer_order (
                number \(key),
                customer \(number) NOT NULL,
                key \(word) NOT NULL UNIQUE,
                at \(number) NOT NULL,
                amount \(number) NOT NULL,
                currency \(word) NOT NULL
            ) \(end);
            CREATE INDEX customer_order_of ON customer_order (customer, at, currency, amount);
            CREATE TABLE customer_order_line (
                order_number \(number) NOT NULL,
                line \(number) NOT NULL,
                customer \(number) NOT NULL,
                at \(number) NOT NULL,
                currency \(word) NOT NULL,
                product \(word) NOT NULL,
                quantity \(number) NOT NULL,
                amount \(number) NOT NULL,
                PRIMARY KEY (order_number, line)
            ) \(narrowEnd);
            CREATE INDEX customer_order_line_of ON customer_order_line (product, customer, at, currency, amount);

            -- Rows of one transaction of an import: empty but within it.
            CREATE \(staging) customer_event_staging (
                row \(number) NOT NULL, customer \(word) NOT NULL, name \(word) NOT NULL, at \(number) NOT NULL, key \(word) NOT NULL,
                properties \(word) NOT NULL
            ) \(end);
            CREATE \(staging) customer_order_staging (
                row \(number) NOT NULL, customer \(word) NOT NULL, key \(word) NOT NULL, at \(number) NOT NULL, amount \(number) NOT NULL,
                currency \(word) NOT NULL
            ) \(end);
            CREATE \(staging) customer_order_line_staging (
                row \(number) NOT NULL, line \(number) NOT NULL, product \(word) NOT NULL, quantity \(number) NOT NULL,
                amount \(number) NOT NULL
            ) \(end);

            -- definition is a tree of conditions as JSON, in the form in which a person wrote it.
            CREATE TABLE segment (
                name \(word) NOT NULL PRIMARY KEY,
                owner \(word) NOT NULL,
                definition \(word) NOT NULL,
                created \(number) NOT NULL,
                changed \(number) NOT NULL
            ) \(narrowEnd);
            """
    }
}
