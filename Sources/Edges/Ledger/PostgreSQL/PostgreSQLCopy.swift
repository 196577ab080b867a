/// Rows in PostgreSQL's binary copy format, gathered before they are sent.
struct PostgreSQLCopy {
    private(set) var bytes: [UInt8]

    /// Signature, no flags, no header extension.
    init() {
        bytes = Array("PGCOPY\n".utf8) + [0xff, 0x0d, 0x0a, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    }

    /// Adds a row. Each field's type is that of its column: `bigint`, `text` or `bytea`.
    /// - Parameter types: those of the columns, as `pg_type` numbers them, where some numbers are smaller than `bigint`.
    mutating func append(_ row: [SQLValue], types: [UInt32] = []) {
        append(Int16(clamping: row.count))
        for (place, value) in row.enumerated() {
            if case .bigint(let number) = value, place < types.count, types[place] != SQLValue.bigint(0).type {
                appendShort(number, isSmallest: types[place] == Self.smallint)
                continue
            }
            guard let encoded = value.encoded else {
                append(Int32(-1))
                continue
            }
            append(Int32(clamping: encoded.count))
            bytes += encoded
        }
    }

    private static let smallint: UInt32 = 21

    private mutating func appendShort(_ number: Int64, isSmallest: Bool) {
        append(Int32(isSmallest ? 2 : 4))
        if isSmallest { append(Int16(clamping: number)) } else { append(Int32(clamping: number)) }
    }

    /// Ends the data; nothing is added after it.
    mutating func end() { append(Int16(-1)) }

    /// What has been gathered, to be sent now.
    mutating func take() -> [UInt8] {
        defer { bytes.removeAll(keepingCapacity: true) }
        return bytes
    }

    private mutating func append(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: number.bigEndian) { bytes += $0 }
    }
}
