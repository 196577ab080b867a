import Text

/// A JSON text as a tree, for bodies whose fields are named by data. Its depth and its size are bounded: strangers write it.
enum JSONValue: Equatable {
    case text(String)
    case number(Double)
    case bool(Bool)
    case list([JSONValue])
    case object([String: JSONValue])
    case null

    /// Lists and objects inside each other at most.
    static let deepest = 32
    /// Values of one text at most.
    static let mostValues = 300_000

    /// Nil for what is no JSON, or is too large or too deep.
    init?(_ bytes: [UInt8]) {
        guard bytes.count <= WebhookRequest.mostBytes else { return nil }
        let value = bytes.withUnsafeBufferPointer { bytes -> JSONValue? in
            var reader = Reader(cursor: JSONCursor(bytes, tolerance: .lenient))
            guard let value = try? reader.value(depth: 0), (try? reader.cursor.end()) != nil else { return nil }
            return value
        }
        guard let value else { return nil }
        self = value
    }

    /// What stands at a path with dots, as `bounce.bouncedRecipients.0.emailAddress`. A member's name may have dots of its own.
    subscript(_ path: String) -> JSONValue? {
        var value = self
        var rest = path[...]
        while !rest.isEmpty {
            if case .object(let members) = value, let member = members[String(rest)] { return member == .null ? nil : member }
            let part = rest.prefix { $0 != "." }
            rest = rest.dropFirst(part.count + 1)
            switch value {
            case .object(let members):
                guard let member = members[String(part)] else { return nil }
                value = member
            case .list(let items):
                guard let index = Int(part), items.indices.contains(index) else { return nil }
                value = items[index]
            case .text, .number, .bool, .null: return nil
            }
        }
        return value == .null ? nil : value
    }

    /// The text of a scalar: whole numbers without a fraction.
    var plain: String? {
        switch self {
        case .text(let text): text
        case .number(let number): Int64(exactly: number).map(String.init) ?? String(number)
        case .bool(let value): String(value)
        case .list, .object, .null: nil
        }
    }
}

extension JSONValue {
    private struct Reader {
        var cursor: JSONCursor
        private var count = 0

        init(cursor: JSONCursor) { self.cursor = cursor }

        mutating func value(depth: Int) throws(JSONSyntaxError) -> JSONValue {
            count += 1
            guard depth <= JSONValue.deepest, count <= JSONValue.mostValues else { throw cursor.error(.tooDeep) }
            switch cursor.peek() {
            case UInt8(ascii: "{")?: return try object(depth)
            case UInt8(ascii: "[")?: return try list(depth)
            case UInt8(ascii: "\"")?: return .text(try cursor.string())
            case UInt8(ascii: "t")?:
                try cursor.word("true")
                return .bool(true)
            case UInt8(ascii: "f")?:
                try cursor.word("false")
                return .bool(false)
            case UInt8(ascii: "n")?:
                try cursor.word("null")
                return .null
            default:
                let digits = cursor.text(try cursor.number())
                return .number(Double(String(decoding: digits, as: UTF8.self)) ?? 0)
            }
        }

        private mutating func object(_ depth: Int) throws(JSONSyntaxError) -> JSONValue {
            var members: [String: JSONValue] = [:]
            _ = cursor.take(UInt8(ascii: "{"))
            if cursor.take(UInt8(ascii: "}")) { return .object(members) }
            repeat {
                cursor.skipSpace()
                var key: [UInt8] = []
                try cursor.key(into: &key)
                members[String(decoding: key, as: UTF8.self)] = try value(depth: depth + 1)
            } while cursor.take(UInt8(ascii: ","))
            guard cursor.take(UInt8(ascii: "}")) else { throw cursor.error(.noCommaInObject) }
            return .object(members)
        }

        private mutating func list(_ depth: Int) throws(JSONSyntaxError) -> JSONValue {
            var items: [JSONValue] = []
            _ = cursor.take(UInt8(ascii: "["))
            if cursor.take(UInt8(ascii: "]")) { return .list(items) }
            repeat { items.append(try value(depth: depth + 1)) } while cursor.take(UInt8(ascii: ","))
            guard cursor.take(UInt8(ascii: "]")) else { throw cursor.error(.noCommaInArray) }
            return .list(items)
        }
    }
}
