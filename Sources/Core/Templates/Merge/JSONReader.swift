/// Where a text stops being JSON, and why.
struct JSONError: Error, Equatable {
    let offset: Int
    let what: String
}

/// Reads any JSON text (RFC 8259), nested at most 64 deep.
struct JSONReader {
    private let bytes: [UInt8]
    private var position = 0
    private static let deepest = 64

    /// - Throws: `JSONError` at the first byte that does not fit.
    static func read(_ bytes: [UInt8]) throws(JSONError) -> StructuredValue {
        var reader = JSONReader(bytes: bytes)
        let value = try reader.value(depth: 0)
        reader.skipSpace()
        guard reader.position == bytes.count else { throw reader.error("text after the end of the value") }
        return value
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private func error(_ what: String) -> JSONError { JSONError(offset: position, what: what) }
    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { position += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) throws(JSONError) -> StructuredValue {
        guard depth < Self.deepest else { throw error("lists and objects more than \(Self.deepest) deep") }
        skipSpace()
        let start = position
        switch next {
        case UInt8(ascii: "{"):
            let members = try object(depth: depth)
            return .object(members, source: bytes[start..<position])
        case UInt8(ascii: "["):
            let items = try list(depth: depth)
            return .list(items, source: bytes[start..<position])
        case UInt8(ascii: "\""): return .text(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case let byte? where byte == UInt8(ascii: "-") || byte.isDigit: return .number(try number())
        case nil: throw error("the text ends where a value should stand")
        default: throw error("no value begins with '\(shown)'")
        }
    }

    /// The character at the position, for messages.
    private var shown: String {
        let rest = String(decoding: bytes[position..<min(position + 4, bytes.count)], as: UTF8.self)
        return rest.first.map { String($0) } ?? ""
    }

    private mutating func object(depth: Int) throws(JSONError) -> [StructuredValue.Member] {
        position += 1
        var members: [StructuredValue.Member] = []
        skipSpace()
        if take(UInt8(ascii: "}")) { return [] }
        repeat {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw error("a member's name in quotes should stand here") }
            let name = try string()
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw error("':' should follow the member's name") }
            members.append(StructuredValue.Member(name: name, value: try value(depth: depth + 1)))
            skipSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "}")) else { throw error("',' or '}' should stand here") }
        return members
    }

    private mutating func list(depth: Int) throws(JSONError) -> [StructuredValue] {
        position += 1
        var items: [StructuredValue] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return [] }
        repeat {
            items.append(try value(depth: depth + 1))
            skipSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "]")) else { throw error("',' or ']' should stand here") }
        return items
    }

    private mutating func word(_ word: String, _ value: StructuredValue) throws(JSONError) -> StructuredValue {
        guard bytes[position...].starts(with: word.utf8) else { throw error("no value begins with '\(shown)'") }
        position += word.utf8.count
        return value
    }

    private mutating func digits() throws(JSONError) {
        let start = position
        while let byte = next, byte.isDigit { position += 1 }
        guard position > start else { throw error("a digit should stand here") }
    }

    private mutating func number() throws(JSONError) -> ArraySlice<UInt8> {
        let start = position
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { try digits() }
        if take(UInt8(ascii: ".")) { try digits() }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try digits()
        }
        return bytes[start..<position]
    }

    private mutating func string() throws(JSONError) -> [UInt8] {
        position += 1
        var text: [UInt8] = []
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return text
            case UInt8(ascii: "\\"):
                position += 1
                try escape(into: &text)
            case 0..<0x20: throw error("a control character in a string is not escaped")
            default:
                text.append(byte)
                position += 1
            }
        }
        throw error("a string has no end")
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
        guard let byte = next else { throw error("a string has no end") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "n"): text.append(0x0a)
        case UInt8(ascii: "r"): text.append(0x0d)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0c)
        case UInt8(ascii: "u"):
            var unit = try hexadecimal()
            if (0xd800..<0xdc00).contains(unit), take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) {
                let low = try hexadecimal()
                unit = (0xdc00..<0xe000).contains(low) ? 0x10000 + (unit - 0xd800) << 10 + (low - 0xdc00) : unit
            }
            guard let scalar = Unicode.Scalar(unit) else { throw error("half of a surrogate pair") }
            text.append(contentsOf: UTF8.encode(scalar).map(Array.init) ?? [])
        default:
            position -= 1
            throw error("no escape begins with '\\\(shown)'")
        }
    }

    private mutating func hexadecimal() throws(JSONError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw error("four hexadecimal digits should follow '\\u'")
            }
            value = value << 4 + UInt32(digit)
            position += 1
        }
        return value
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
}
