import Model

/// How the rows that a mailing has for its recipients are parted, and the statements that make and remove the parts.
///
/// A large mailing has a part of its own in each of these tables, which goes at once when it is pruned. The others share a part for each
/// month in which they were added: ids sort by that time. A row that has no such part is in `TABLE_other`, which is as good, but for the
/// time that its removal takes.
enum PostgreSQLPartitions {
    /// A mailing that seems to have as many recipients has parts of its own. A guess from its file may be half of what comes.
    static let large = 500_000

    /// A partitioned table, with how its parts are kept.
    struct Table {
        var name: String
        var options: String

        fileprivate var shared: String { name + "_shared" }
        fileprivate var other: String { name + "_other" }
        fileprivate func month(_ month: Month) -> String { "\(name)_\(month.name)" }
        func own(_ mailing: MailingID) -> String { "\(name)_of_\(mailing)" }
    }

    /// What is inserted only needs no room on its pages. What is updated leaves some, so that a new version of a row stays on its page and
    /// no index hears of it; its dead versions are removed early.
    static let tables = [
        Table(name: "exclusion", options: insertedOnly), Table(name: "batch", options: insertedOnly),
        Table(name: "fingerprint", options: insertedOnly), Table(name: "progress", options: updated),
        Table(name: "result", options: insertedOnly), Table(name: "recipient_error", options: updated),
        Table(name: "uncertain", options: updated), Table(name: "event", options: insertedOnly),
        Table(name: "skipped", options: insertedOnly),
    ]
    private static let insertedOnly = "autovacuum_vacuum_insert_scale_factor = 0.5"
    private static let updated = "fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0"

    /// The parts of a new ledger.
    static var first: String {
        tables.map { table in
            """
            CREATE TABLE \(table.shared) PARTITION OF \(table.name) DEFAULT PARTITION BY RANGE (mailing);
            CREATE TABLE \(table.other) PARTITION OF \(table.shared) DEFAULT WITH (\(table.options));

            """
        }.joined()
    }
}

extension PostgreSQLPartitions {
    /// A month in UTC.
    struct Month: Sendable {
        /// As in `2026_11`.
        var name: String
        /// The first id that a mailing of the month may have, and the first of the month after it.
        var first: MailingID
        var end: MailingID

        /// Of the time at which a mailing was added.
        static let query = """
            SELECT to_char(month, 'YYYY_MM'), (extract(epoch FROM month) * 1000)::bigint,
                (extract(epoch FROM month + interval '1 month') * 1000)::bigint
            FROM (SELECT date_trunc('month', to_timestamp(?1::bigint / 1000) AT TIME ZONE 'UTC') AS month) AS that
            """

        func contains(_ id: MailingID) -> Bool { first <= id && id < end }

        init(_ row: any SQLRow) throws {
            name = try row.read(0)
            first = try MailingID(firstOf: row.read(1))
            end = try MailingID(firstOf: row.read(2))
        }
    }

    /// Makes the parts of a month. The constraint spares the server a look at their rows when others are attached. Whoever writes or reads
    /// meanwhile does not wait: the table is made by itself, and attaching it keeps nobody out but of `TABLE_other`.
    static func make(_ month: Month) -> String {
        tables.map { table in
            let part = table.month(month)
            return """
                CREATE TABLE \(part) (LIKE \(table.name) INCLUDING ALL,
                    CHECK (mailing >= '\(month.first)' AND mailing < '\(month.end)')) WITH (\(table.options));
                ALTER TABLE \(table.shared) ATTACH PARTITION \(part) FOR VALUES FROM ('\(month.first)') TO ('\(month.end)');

                """
        }.joined()
    }

    /// Makes a mailing's own parts in a ledger that nobody else uses.
    static func make(_ id: MailingID) -> String {
        tables.map { table in
            """
            CREATE TABLE \(table.own(id)) (LIKE \(table.name) INCLUDING ALL) WITH (\(table.options));
            ALTER TABLE \(table.name) ATTACH PARTITION \(table.own(id)) FOR VALUES IN ('\(id)');

            """
        }.joined()
    }

    /// Makes a mailing's own part of a table, which is not attached yet, and has the part where its rows would be otherwise say that it
    /// has none of them.
    static func make(_ table: Table, of id: MailingID, besides sharedPart: String) -> String {
        """
        CREATE TABLE \(table.own(id)) (LIKE \(table.name) INCLUDING ALL, CHECK (mailing = '\(id)')) WITH (\(table.options));
        ALTER TABLE \(sharedPart) ADD CONSTRAINT \(absence(id)) CHECK (mailing <> '\(id)') NOT VALID
        """
    }

    /// Reads the shared part, beside all who read and write it, so that the next step need not.
    static func validate(_ id: MailingID, _ sharedPart: String) -> String { "ALTER TABLE \(sharedPart) VALIDATE CONSTRAINT \(absence(id))" }

    /// Takes the locks that keep others out for a moment.
    static func attach(_ table: Table, of id: MailingID, besides sharedPart: String) -> String {
        """
        ALTER TABLE \(table.name) ATTACH PARTITION \(table.own(id)) FOR VALUES IN ('\(id)');
        ALTER TABLE \(sharedPart) DROP CONSTRAINT \(absence(id))
        """
    }

    /// What is left of a mailing's own parts that were not attached.
    struct HalfMade: Sendable {
        var mailing: MailingID
        var tables: [String]
        /// They are said to have none of its rows.
        var sharedParts: [String]
    }

    /// After a failure: the mailing's rows may be in the shared parts.
    static func discard(_ left: HalfMade) -> String {
        (left.sharedParts.map { "ALTER TABLE \($0) DROP CONSTRAINT IF EXISTS \(absence(left.mailing))" }
            + left.tables.map { "DROP TABLE IF EXISTS \($0)" }).joined(separator: ";\n")
    }

    static func absence(_ id: MailingID) -> String { "without_\(id)" }

    /// The part in which a mailing's rows are that has none of its own.
    static func sharedPart(_ table: Table, _ month: Month?) -> String { month.map(table.month) ?? table.other }

    /// Empties a mailing's own parts: it keeps out those who read these, and nobody else.
    static func truncate(_ parts: [String]) -> String { "TRUNCATE " + parts.joined(separator: ", ") }

    /// Removes empty parts.
    static func drop(_ parts: [String]) -> String { "DROP TABLE " + parts.joined(separator: ", ") }
}
