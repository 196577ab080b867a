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

    /// A `smallint`, `integer`, `bigint`, a `boolean` as 0 or 1, or a `numeric` (a sum) without fraction; nil for null.
    func integer(_ row: Int, _ column: Int) throws(PostgreSQLError) -> Int64? {
        guard let bytes = try field(row, column) else { return nil }
        switch Int(PQftype(result, Int32(column))) {
        case Self.boolean where bytes.count == 1: return Int64(bytes[0])
        case Self.numeric:
            guard let number = Self.whole(bytes) else { throw Self.unexpected(column, "a whole number") }
            return number
        case Self.text, Self.bytes: throw Self.unexpected(column, "a number")
        default: break
        }
        switch bytes.count {
        case 2: return Int64(Int16(truncatingIfNeeded: Self.number(bytes)))
        case 4: return Int64(Int32(truncatingIfNeeded: Self.number(bytes)))
        case 8: return Int64(bitPattern: Self.number(bytes))
        default: throw Self.unexpected(column, "a number")
        }
    }

    /// Text; nil for null.
    func text(_ row: Int, _ column: Int) throws(PostgreSQLError) -> String? {
        guard let bytes = try field(row, column) else { return nil }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw Self.unexpected(column, "text") }
        return text
    }

    /// A `bytea`; nil for null.
    func bytes(_ row: Int, _ column: Int) throws(PostgreSQLError) -> [UInt8]? {
        try field(row, column).map { Array($0) }
    }

    func name(of column: Int) -> String { PQfname(result, Int32(column)).map { String(cString: $0) } ?? "\(column + 1)" }

    private func field(_ row: Int, _ column: Int) throws(PostgreSQLError) -> UnsafeBufferPointer<UInt8>? {
        guard row >= 0, row < count, column >= 0, column < Int(PQnfields(result)), PQfformat(result, Int32(column)) == 1 else {
            throw Self.unexpected(column, "there")
        }
        guard PQgetisnull(result, Int32(row), Int32(column)) == 0 else { return nil }
        let length = Int(PQgetlength(result, Int32(row), Int32(column)))
        guard length > 0, let start = PQgetvalue(result, Int32(row), Int32(column)) else {
            return UnsafeBufferPointer(start: nil, count: 0)
        }
        return UnsafeBufferPointer(start: UnsafeRawPointer(start).assumingMemoryBound(to: UInt8.self), count: length)
    }

    /// Types by their numbers in `pg_type`.
    private static let (boolean, numeric, text, bytes) = (16, 1700, 25, 17)

    /// A `numeric`: how many digits of base 10,000, the weight of the first, sign, scale, digits. Nil where it is not whole or too large.
    private static func whole(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
        func short(_ place: Int) -> Int { Int(Int16(truncatingIfNeeded: Int(bytes[2 * place]) << 8 | Int(bytes[2 * place + 1]))) }
        guard bytes.count >= 8, bytes.count == 8 + 2 * short(0) else { return nil }
        let (count, weight, sign) = (short(0), short(1), short(2))
        guard count <= weight + 1, weight < 5, sign == 0 || sign == 0x4000 else { return nil }
        var number: Int64 = 0
        for place in 0..<max(0, count == 0 ? 0 : weight + 1) {
            let (product, isTooLarge) = number.multipliedReportingOverflow(by: 10_000)
            let (sum, isOver) = product.subtractingReportingOverflow(place < count ? Int64(short(4 + place)) : 0)
            guard !isTooLarge, !isOver else { return nil }
            number = sum
        }
        // It is reckoned below zero, where there is one number more.
        guard sign == 0 else { return number }
        return number == .min ? nil : -number
    }

    private static func number(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }

    private static func unexpected(_ column: Int, _ expected: String) -> PostgreSQLError {
        PostgreSQLError(kind: .corrupt, detail: "column \(column + 1) of the server's answer is not \(expected)")
    }
}
