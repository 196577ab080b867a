import GRDB

/// Values of rows as the ledger reads them: whatever a file holds, who reads it gets a value that can be reckoned with, or an error. GRDB's
/// own subscripts end the process where a value is null or of another type.
extension Row {
    /// Milliseconds, since 1970 or of a span: no sum of two overflows. A mailing's lifetime may be as long as 30 million years.
    private static let times: ClosedRange<Int64> = -(1 << 61)...(1 << 61)
    /// Whatever is counted or numbered: no sum of thousands overflows.
    private static let counts: ClosedRange<Int64> = -(1 << 50)...(1 << 50)

    /// - Throws: `DatabaseError` (`SQLITE_CORRUPT`) where the column holds no such value.
    func read<Value: DatabaseValueConvertible & StatementColumnConvertible>(_ column: Int) throws -> Value {
        do {
            return try decode(Value.self, atIndex: column)
        } catch {
            throw damage(column, "holds \(self[column] == nil ? "nothing" : "a value of another kind")")
        }
    }

    func read(_ column: Int) throws -> Int64 {
        guard let number: Int64 = try read(column) else { throw damage(column, "holds nothing") }
        return number
    }

    func read(_ column: Int) throws -> Int64? { try number(column, in: Self.times) }

    func read(_ column: Int) throws -> Int {
        guard let number: Int = try read(column) else { throw damage(column, "holds nothing") }
        return number
    }

    func read(_ column: Int) throws -> Int? { try number(column, in: Self.counts).map { Int($0) } }

    private func number(_ column: Int, in range: ClosedRange<Int64>) throws -> Int64? {
        let number: Int64?
        do { number = try decode(Int64?.self, atIndex: column) } catch { throw damage(column, "holds no number") }
        guard let number, !range.contains(number) else { return number }
        throw damage(column, "holds \(number), which no ledger does")
    }

    private func damage(_ column: Int, _ what: String) -> DatabaseError {
        DatabaseError(resultCode: .SQLITE_CORRUPT, message: "its column '\(Array(columnNames)[column])' \(what)")
    }
}
