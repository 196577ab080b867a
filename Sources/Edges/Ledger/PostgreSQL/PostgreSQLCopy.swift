/// Rows in PostgreSQL's binary copy format, gathered before they are sent.
struct PostgreSQLCopy {
    private(set) var bytes: [UInt8]

    /// Signature, no flags, no header extension.
    init() {
        bytes = Array("PGCOPY\n".utf8) + [0xff, 0x0d, 0x0a, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    }

    /// Adds a row. Each field's type is that of its column: `bigint`, `text` or `bytea`.
    mutating func append(_ row: [SQLValue]) {
        append(Int16(clamping: row.count))
        for value in row {
            guard let encoded = value.encoded else {
                append(Int32(-1))
                continue
            }
            append(Int32(clamping: encoded.count))
            bytes += encoded
        }
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
