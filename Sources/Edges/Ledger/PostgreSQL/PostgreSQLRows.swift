import CPQ

/// The rows that a statement gave, in binary form. A field that is not of the expected kind is an error, never a trap.
final class PostgreSQLRows {
    private let result: OpaquePointer

    /// Takes ownership of `result`.
    init(_ result: OpaquePointer) { self.result = result }

    deinit { PQclear(result) }

    var count: Int { Int(PQntuples(result)) }

    /// How many rows the statement wrote; 0 for one that only reads.
    var changes: Int { PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? 0 }

    /// A `smallint`, `integer` or `bigint`; nil for null.
    func integer(_ row: Int, _ column: Int) throws(PostgreSQLError) -> Int64? {
        guard let bytes = try field(row, column) else { return nil }
        switch bytes.count {
        case 2: return Int64(Int16(truncatingIfNeeded: Self.number(bytes)))
        case 4: return Int64(Int32(truncatingIfNeeded: Self.number(bytes)))
        case 8: return Int64(bitPattern: Self.number(bytes))
        default: throw Self.misfit(column, "a number")
        }
    }

    /// Text; nil for null.
    func text(_ row: Int, _ column: Int) throws(PostgreSQLError) -> String? {
        guard let bytes = try field(row, column) else { return nil }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw Self.misfit(column, "text") }
        return text
    }

    /// A `bytea`; nil for null.
    func bytes(_ row: Int, _ column: Int) throws(PostgreSQLError) -> [UInt8]? {
        try field(row, column).map { Array($0) }
    }

    private func field(_ row: Int, _ column: Int) throws(PostgreSQLError) -> UnsafeBufferPointer<UInt8>? {
        guard row >= 0, row < count, column >= 0, column < Int(PQnfields(result)), PQfformat(result, Int32(column)) == 1 else {
            throw Self.misfit(column, "there")
        }
        guard PQgetisnull(result, Int32(row), Int32(column)) == 0 else { return nil }
        let length = Int(PQgetlength(result, Int32(row), Int32(column)))
        guard length > 0, let start = PQgetvalue(result, Int32(row), Int32(column)) else {
            return UnsafeBufferPointer(start: nil, count: 0)
        }
        return UnsafeBufferPointer(start: UnsafeRawPointer(start).assumingMemoryBound(to: UInt8.self), count: length)
    }

    private static func number(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }

    private static func misfit(_ column: Int, _ expected: String) -> PostgreSQLError {
        PostgreSQLError(kind: .corrupt, detail: "column \(column + 1) of the server's answer is not \(expected)")
    }
}
