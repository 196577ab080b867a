/// A row of an answer.
protocol SQLRow {
    /// Nil for null.
    /// - Throws: `SQLDamage` where the column holds no number.
    func integer(_ column: Int) throws -> Int64?
    func text(_ column: Int) throws -> String?
    /// The bytes of a text or of a byte string.
    func bytes(_ column: Int) throws -> [UInt8]?
    /// The name of a column, for people.
    func name(of column: Int) -> String
}

/// A value that can be read from a row. Whatever the database holds, the reader gets a value within its bounds, or an error.
protocol SQLReadable {
    static func read(_ row: any SQLRow, _ column: Int) throws -> Self?
}

extension Int64: SQLReadable {
    /// Milliseconds, since 1970 or of a span: no sum of two overflows. A mailing's lifetime may be as long as 30 million years.
    private static let times: ClosedRange<Int64> = -(1 << 61)...(1 << 61)

    static func read(_ row: any SQLRow, _ column: Int) throws -> Int64? {
        guard let number = try row.integer(column) else { return nil }
        guard times.contains(number) else { throw SQLDamage(row, column, "holds \(number), which no ledger does") }
        return number
    }
}

extension Int: SQLReadable {
    /// Counts and numbers: no sum of thousands of them overflows.
    private static let counts: ClosedRange<Int64> = -(1 << 50)...(1 << 50)

    static func read(_ row: any SQLRow, _ column: Int) throws -> Int? {
        guard let number = try row.integer(column) else { return nil }
        guard counts.contains(number) else { throw SQLDamage(row, column, "holds \(number), which no ledger does") }
        return Int(number)
    }
}

extension Bool: SQLReadable {
    static func read(_ row: any SQLRow, _ column: Int) throws -> Bool? { try row.integer(column).map { $0 != 0 } }
}

extension String: SQLReadable {
    static func read(_ row: any SQLRow, _ column: Int) throws -> String? { try row.text(column) }
}

extension SQLRow {
    @inline(__always) func read<Value: SQLReadable>(_ column: Int) throws -> Value? { try Value.read(self, column) }

    @inline(__always) func read<Value: SQLReadable>(_ column: Int) throws -> Value {
        guard let value = try Value.read(self, column) else { throw SQLDamage(self, column, "holds nothing") }
        return value
    }

    /// Empty for null.
    func read(_ column: Int) throws -> [UInt8] { try bytes(column) ?? [] }
}

extension SQLDamage {
    init(_ row: any SQLRow, _ column: Int, _ what: String) { self.init("its column '\(row.name(of: column))' \(what)") }
}
