/// A parameter of a statement, or a field of a row that is copied in; it goes to the server in binary form.
enum SQLValue: Sendable, Equatable {
    /// A null with its type, which a server cannot find out by itself.
    case null(SQLType)
    case bigint(Int64)
    case text(String)
    case bytes([UInt8])

    /// Its bytes as a parameter of PostgreSQL's protocol.
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

/// What a statement takes as a parameter.
protocol SQLConvertible {
    static var sqlType: SQLType { get }
    var sqlValue: SQLValue { get }
}

/// The types of values.
enum SQLType: Sendable {
    case bigint, text, bytes
}

extension Int: SQLConvertible {
    static var sqlType: SQLType { .bigint }
    var sqlValue: SQLValue { .bigint(Int64(self)) }
}

extension Int64: SQLConvertible {
    static var sqlType: SQLType { .bigint }
    var sqlValue: SQLValue { .bigint(self) }
}

/// Flags are numbers in both engines.
extension Bool: SQLConvertible {
    static var sqlType: SQLType { .bigint }
    var sqlValue: SQLValue { .bigint(self ? 1 : 0) }
}

extension String: SQLConvertible {
    static var sqlType: SQLType { .text }
    var sqlValue: SQLValue { .text(self) }
}

extension [UInt8]: SQLConvertible {
    static var sqlType: SQLType { .bytes }
    var sqlValue: SQLValue { .bytes(self) }
}

extension Optional: SQLConvertible where Wrapped: SQLConvertible {
    static var sqlType: SQLType { Wrapped.sqlType }
    var sqlValue: SQLValue { self?.sqlValue ?? .null(Wrapped.sqlType) }
}
