import Model

/// A reply of Redis (RESP2).
package enum RESPValue: Sendable, Equatable {
    case null
    case integer(Int64)
    /// A bulk or status string.
    case string([UInt8])
    case array([RESPValue])
    /// An error reply, as Redis worded it.
    case error(String)

    package var text: String? {
        guard case .string(let bytes) = self else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    package var bytes: [UInt8]? {
        guard case .string(let bytes) = self else { return nil }
        return bytes
    }

    package var int: Int64? {
        switch self {
        case .integer(let value): value
        case .string(let bytes): Int64(String(decoding: bytes, as: UTF8.self))
        default: nil
        }
    }

    package var array: [RESPValue]? {
        guard case .array(let values) = self else { return nil }
        return values
    }

    /// The response to TIME, in microseconds since 1970.
    package var time: Int64? {
        guard let parts = array, parts.count == 2, let seconds = parts[0].int, let rest = parts[1].int,
            WireLimit.count.contains(seconds / 1000), (0..<1_000_000).contains(rest)
        else { return nil }
        return seconds * 1_000_000 + rest
    }

    /// A count as Redis tells it; what is none counts as 0.
    package var count: Int { int.map { Int(min(max(0, $0), WireLimit.count.upperBound)) } ?? 0 }

    /// A finite number from 0 to `most`, of those that scripts return as text; nil for any other.
    func number(atMost most: Double) -> Double? {
        guard let value = text.flatMap(Double.init), (0...most).contains(value) else { return nil }
        return value
    }
}

/// One word of a command: text, a number, or bytes as they are.
package enum RedisArgument: Sendable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    case text(String)
    case bytes([UInt8])
    /// The run id of the server that the command goes to, whichever connection it takes.
    case serverRun

    package init(stringLiteral value: String) { self = .text(value) }
    package init(integerLiteral value: Int64) { self = .text(String(value)) }
    package init(_ value: Int) { self = .text(String(value)) }
    package init(_ value: Int64) { self = .text(String(value)) }
    package init(_ value: String) { self = .text(value) }
}
