/// A parameter of a statement, or a field of a row that is copied in; it goes to the server in binary form.
enum PostgreSQLValue: Sendable, Equatable {
    case null
    case bigint(Int64)
    case text(String)
    case bytes([UInt8])

    /// Its bytes on the wire.
    var size: Int {
        switch self {
        case .null: 0
        case .bigint: 8
        case .text(let text): text.utf8.count
        case .bytes(let bytes): bytes.count
        }
    }

    /// In the server's byte order; nil for null.
    var encoded: [UInt8]? {
        switch self {
        case .null: nil
        case .bigint(let number): withUnsafeBytes(of: number.bigEndian) { Array($0) }
        case .text(let text): Array(text.utf8)
        case .bytes(let bytes): bytes
        }
    }
}
