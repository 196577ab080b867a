/// A path to a member of a JSON text (RFC 8259), with dots: `messages.0.id`. It finds a scalar in bytes that anybody may
/// have written, cut off at any place, without building a tree and without recursion.
struct JSONPath: Sendable {
    private let components: [[UInt8]]

    init(_ text: String) {
        components = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map(Array.init)
    }

    /// The string or the number at the path, as text; nil where there is none.
    func text(in json: [UInt8]) -> String? {
        json.withUnsafeBufferPointer { text(in: $0) }
    }

    private func text(in json: UnsafeBufferPointer<UInt8>) -> String? {
        var cursor = JSONCursor(json)
        for component in components {
            switch cursor.peek() {
            case UInt8(ascii: "{"): guard cursor.enterObject(at: component) else { return nil }
            case UInt8(ascii: "["):
                guard let index = Int(String(decoding: component, as: UTF8.self)), index >= 0,
                    cursor.enterArray(at: index)
                else { return nil }
            default: return nil
            }
        }
        return cursor.scalar()
    }
}

/// A place in a JSON text.
private struct JSONCursor {
    private let json: UnsafeBufferPointer<UInt8>
    private var position = 0

    init(_ json: UnsafeBufferPointer<UInt8>) { self.json = json }

    /// The next byte that is not white space.
    mutating func peek() -> UInt8? {
        while position < json.count {
            switch json[position] {
            case 0x20, 0x09, 0x0a, 0x0d: position += 1
            default: return json[position]
            }
        }
        return nil
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        position += 1
        return true
    }

    /// From an object to the value of the member of that name.
    mutating func enterObject(at name: [UInt8]) -> Bool {
        guard take(UInt8(ascii: "{")) else { return false }
        repeat {
            guard peek() == UInt8(ascii: "\""), let key = string() else { return false }
            guard take(UInt8(ascii: ":")) else { return false }
            if json[key].elementsEqual(name) { return true }
            guard skipValue() else { return false }
        } while take(UInt8(ascii: ","))
        return false
    }

    /// From an array to its element of that index.
    mutating func enterArray(at index: Int) -> Bool {
        guard take(UInt8(ascii: "[")), peek() != UInt8(ascii: "]") else { return false }
        for _ in 0..<index {
            guard skipValue(), take(UInt8(ascii: ",")) else { return false }
        }
        return peek() != nil
    }

    /// Passes a string; the range of its bytes between the quotes, escapes as they stand.
    private mutating func string() -> Range<Int>? {
        position += 1
        let start = position
        while position < json.count {
            switch json[position] {
            case UInt8(ascii: "\""):
                position += 1
                return start..<position - 1
            case UInt8(ascii: "\\"): position += 2
            default: position += 1
            }
        }
        return nil
    }

    private mutating func skipValue() -> Bool {
        var depth = 0
        repeat {
            guard let byte = peek() else { return false }
            switch byte {
            case UInt8(ascii: "\""):
                guard string() != nil else { return false }
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                position += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                position += 1
            case UInt8(ascii: ","), UInt8(ascii: ":"):
                guard depth > 0 else { return false }
                position += 1
            default: _ = literal()
            }
        } while depth > 0
        return depth == 0
    }

    /// Passes a number, true, false or null.
    private mutating func literal() -> Range<Int> {
        let start = position
        while position < json.count {
            switch json[position] {
            case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "E"):
                position += 1
            default:
                // A byte that JSON does not know is passed too, so that each call goes on.
                if position == start { position += 1 }
                return start..<position
            }
        }
        return start..<position
    }

    /// The string or the number here, as text.
    mutating func scalar() -> String? {
        guard let first = peek() else { return nil }
        switch first {
        case UInt8(ascii: "\""): return string().map { unescaped(json[$0]) }
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            return String(decoding: json[literal()], as: UTF8.self)
        default: return nil
        }
    }

    private func unescaped(_ raw: Slice<UnsafeBufferPointer<UInt8>>) -> String {
        guard raw.contains(UInt8(ascii: "\\")) else { return String(decoding: raw, as: UTF8.self) }
        var units: [UInt16] = []
        var rest = raw
        while let start = rest.firstIndex(of: UInt8(ascii: "\\")) {
            units.append(contentsOf: String(decoding: rest[..<start], as: UTF8.self).utf16)
            rest = rest[start...].dropFirst()
            guard let kind = rest.popFirst() else { break }
            switch kind {
            case UInt8(ascii: "n"): units.append(0x0a)
            case UInt8(ascii: "r"): units.append(0x0d)
            case UInt8(ascii: "t"): units.append(0x09)
            case UInt8(ascii: "b"): units.append(0x08)
            case UInt8(ascii: "f"): units.append(0x0c)
            case UInt8(ascii: "u"):
                units.append(UInt16(String(decoding: rest.prefix(4), as: UTF8.self), radix: 16) ?? 0xfffd)
                rest = rest.dropFirst(4)
            default: units.append(UInt16(kind))
            }
        }
        units.append(contentsOf: String(decoding: rest, as: UTF8.self).utf16)
        // Lone surrogates become U+FFFD.
        return String(decoding: units, as: UTF16.self)
    }
}
