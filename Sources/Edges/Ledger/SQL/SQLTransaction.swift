import Model

/// A transaction of an engine. Statements are written once, as both engines take them: parameters are `?`, or `?1` where one stands several
/// times; tables of `ON CONFLICT` name their columns.
protocol SQLTransaction: AnyObject {
    /// Rows that the last statement wrote.
    var changes: Int { get }

    /// What happens in it and webhooks tell of.
    var outbox: WebhookOutbox { get }

    /// Runs a statement that gives no rows.
    func run(_ sql: String, _ values: [any SQLConvertible]) throws

    /// Runs one statement for several rows of values, in their order and without waiting for each.
    /// - Returns: how many rows of the table each wrote.
    @discardableResult
    func runAll(_ sql: String, _ rows: [[any SQLConvertible]]) throws -> [Int]

    /// The same for a query.
    /// - Returns: for each query what `read` makes of its first row and its index; nil for no row.
    func firstRows<Value>(
        _ sql: String, _ rows: [[any SQLConvertible]], _ read: (any SQLRow, Int) throws -> Value
    ) throws -> [Value?]

    /// Rows as they come: the same query is not asked again while they are read.
    func rows(_ sql: String, _ values: [any SQLConvertible]) throws -> any SQLCursor
    /// The first row; nil for none.
    func row(_ sql: String, _ values: [any SQLConvertible]) throws -> (any SQLRow)?
    func allRows(_ sql: String, _ values: [any SQLConvertible]) throws -> [any SQLRow]

    /// The end of a query of rows that the transaction is about to change, so that no other changes them meanwhile.
    var locking: String { get }
    /// The end of a query of rows that must stay as they are until the transaction ends.
    var sharing: String { get }
    /// The elements of a parameter that is a JSON array of texts, as rows of `key` (from 0) and `value`.
    var elements: String { get }
    /// The condition that a row of `fingerprint` may hold the hash that a parameter, as `?1`, is.
    func holdsHash(_ parameter: String) -> String
    /// The join whose left table is read first.
    var orderedJoin: String { get }
    /// The condition that a flag is set, as the engine's partial indexes say it.
    func isSet(_ flag: String) -> String
    /// The table or view of the different responses with their counts.
    var countedFailures: String { get }
    /// The text behind the name of a table that is to be read by an index, where the engine has to be told.
    func indexed(_ index: String) -> String

    /// Prepares the transaction for queries that look at all customers.
    func beginAnalysis() throws

    /// What a column of a type is declared as; texts are compared byte by byte.
    func columnType(_ type: SQLType) -> String

    /// The tables whose rows are of a mailing.
    func tablesOfMailings() throws -> [String]

    /// Adds to counters. A counter that several transactions add to at once may be kept in several rows, and is read as their sum.
    /// - Parameters:
    ///   - keys: columns that name the counters, and their values.
    ///   - sums: columns to add to, and how much.
    func add(to table: String, _ keys: KeyValuePairs<String, any SQLConvertible>, _ sums: KeyValuePairs<String, any SQLConvertible>) throws

    /// Writes rows into a table.
    /// - Parameter columns: their names, in the order of each row's values.
    func insert(into table: String, _ columns: String, _ rows: [[any SQLConvertible]]) throws

    /// Removes all that a mailing has of its recipients at once, where it has tables of its own.
    /// - Returns: how many recipients it had; nil where they have to be removed row by row.
    func removeAtOnce(_ id: MailingID) throws -> Int?

    /// The database's clock, in milliseconds since 1970.
    func now() throws -> Int64

    /// Counts a commit that Redis will be told of.
    /// - Returns: the number of commits, this one included.
    func countCommit() throws -> Int64
    func commits() throws -> Int64
    /// Whether another server has taken the place of the former one, which may have had more commits. `commits` stays what it was then
    /// until `raiseCommits`: Redis may know of more commits, and must not be told of others with the same numbers.
    func isMoved() throws -> Bool
    /// On which server the ledger stands, and after which fail-over; nil for a file, and where that cannot be known.
    func standing() throws -> String?
    /// Raises the ledger's number of commits above one that Redis knows.
    func raiseCommits(above number: Int64) throws
}

/// Rows in their order.
protocol SQLCursor: AnyObject {
    /// The next row, which holds until the one after it is asked for; nil at the end.
    func next() throws -> (any SQLRow)?
}

/// The ledger holds an impossible value: somebody changed it, or it is damaged.
struct SQLDamage: Error {
    /// For people.
    var text: String

    init(_ text: String) { self.text = text }
}

extension SQLTransaction {
    func insert(into table: String, _ columns: String, _ rows: [[any SQLConvertible]]) throws {
        let places = columns.split(separator: ",").map { _ in "?" }.joined(separator: ", ")
        try runAll("INSERT INTO \(table) (\(columns)) VALUES (\(places))", rows)
    }

    func removeAtOnce(_ id: MailingID) throws -> Int? { nil }
    func beginAnalysis() throws {}

    func run(_ sql: String) throws { try run(sql, []) }
    func rows(_ sql: String) throws -> any SQLCursor { try rows(sql, []) }
    func row(_ sql: String) throws -> (any SQLRow)? { try row(sql, []) }
    func allRows(_ sql: String) throws -> [any SQLRow] { try allRows(sql, []) }

    /// The first column of the first row; nil for null, and for no row.
    func one<Value: SQLReadable>(_ type: Value.Type, _ sql: String, _ values: [any SQLConvertible] = []) throws -> Value? {
        try rows(sql, values).next().flatMap { try Value.read($0, 0) }
    }

    /// The first column of all rows.
    func all<Value: SQLReadable>(_ type: Value.Type, _ sql: String, _ values: [any SQLConvertible] = []) throws -> [Value] {
        let cursor = try rows(sql, values)
        var found: [Value] = []
        while let row = try cursor.next() { if let value = try Value.read(row, 0) { found.append(value) } }
        return found
    }
}
