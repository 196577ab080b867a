import FoundationEssentials
import Policy
import Text

/// A value of an attribute.
package enum AttributeValue: Sendable, Equatable {
    case text(String)
    /// In millionths.
    case number(Int64)
    /// Milliseconds since 1970.
    case date(Int64)
    case boolean(Bool)
    /// Sorted.
    case list([String])

    /// Bytes of a text at most, or of a list with all of its elements.
    package static let longest = 65_536
    /// The digits behind the point of a number.
    private static let scale: Int64 = 1_000_000
    /// Numbers up to a trillion: sums of millions of them fit.
    private static let largest: Int64 = 1_000_000_000_000
    /// Parts the elements of a list; no element has it.
    package static let separator: Character = "\u{1f}"

    /// Why a text is no value of a type, as the end of a sentence.
    package struct Fault: Error, Equatable, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// Reads a value as a person or a table writes it.
    /// - Returns: nil for an empty text.
    package init?(_ raw: String, _ type: AttributeType) throws(Fault) {
        let text = String(raw.trimmed)
        guard !text.isEmpty else { return nil }
        guard text.utf8.count <= Self.longest else { throw Fault(description: "is longer than \(Self.longest) bytes") }
        guard !text.utf8.contains(0) else { throw Fault(description: "holds a NUL, which no text may") }
        switch type {
        case .text: self = .text(text)
        case .number: self = .number(try Self.number(text))
        case .date: self = .date(try Self.date(text))
        case .boolean: self = .boolean(try Self.boolean(text))
        case .list:
            let elements = try Self.elements(text)
            guard !elements.isEmpty else { return nil }
            self = .list(elements)
        }
    }

    /// A decimal number (`-12.5`, `1e3` is none), in millionths.
    static func number(_ text: String) throws(Fault) -> Int64 {
        var rest = text.utf8[...]
        let isNegative = rest.first == UInt8(ascii: "-")
        if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { rest = rest.dropFirst() }
        let whole = rest.prefix { $0.isDigit }
        rest = rest.dropFirst(whole.count)
        var fraction = rest.prefix(0)
        if rest.first == UInt8(ascii: ".") {
            fraction = rest.dropFirst().prefix { $0.isDigit }
            rest = rest.dropFirst(fraction.count + 1)
        }
        guard rest.isEmpty, !whole.isEmpty || !fraction.isEmpty else {
            throw Fault(description: "is no number; write it as -1234.5, with a point and without separators of thousands")
        }
        guard fraction.reversed().drop(while: { $0 == UInt8(ascii: "0") }).count <= 6 else {
            throw Fault(description: "has more than six digits behind the point")
        }
        guard let units = Int64("0" + String(decoding: whole, as: UTF8.self)), units <= largest else {
            throw Fault(description: "is larger than \(largest)")
        }
        var millionths: Int64 = 0
        for place in 0..<6 {
            let digit = fraction.dropFirst(place).first.map { Int64($0 - UInt8(ascii: "0")) } ?? 0
            millionths = millionths * 10 + digit
        }
        let value = units * scale + millionths
        return isNegative ? -value : value
    }

    /// A time of RFC 3339, or a day alone, which begins at midnight UTC.
    static func date(_ text: String) throws(Fault) -> Int64 {
        do throws(MomentError) {
            return try Moment(text.utf8.count == 10 ? "\(text)T00:00:00Z" : text).milliseconds
        } catch {
            throw Fault(description: "is no date; write a day as 2026-12-01, or a time as 2026-12-01T09:00:00Z")
        }
    }

    static func boolean(_ text: String) throws(Fault) -> Bool {
        switch text.lowercased() {
        case "true", "yes", "1": true
        case "false", "no", "0": false
        default: throw Fault(description: "is neither true nor false")
        }
    }

    /// The texts of a JSON array, or those with `|` between them, in their order.
    static func texts(_ text: String) throws(Fault) -> [String] {
        guard text.first == "[" else { return text.split(separator: "|").map { String($0.trimmed) } }
        guard let read = try? JSONDecoder().decode([String].self, from: Data(text.utf8)) else {
            throw Fault(description: "is no JSON array of texts")
        }
        return read.map { String($0.trimmed) }
    }

    /// The same as a list: sorted, each once.
    static func elements(_ text: String) throws(Fault) -> [String] {
        let elements = Set(try texts(text)).subtracting([""])
        guard elements.allSatisfy({ !$0.contains(separator) }) else {
            throw Fault(description: "has an element with the control character U+001F")
        }
        return elements.sorted()
    }

    /// How the ledger keeps a list, so that an element is found between two separators; nil for none.
    package static func packed(_ elements: [String]) -> String? {
        elements.isEmpty ? nil : "\(separator)\(elements.joined(separator: String(separator)))\(separator)"
    }

    package static func unpacked(_ text: String) -> [String] { text.split(separator: separator).map(String.init) }
}

extension AttributeValue: CustomStringConvertible {
    /// As `init(_:_:)` reads it.
    package var description: String {
        switch self {
        case .text(let text): text
        case .number(let millionths): Self.decimal(millionths)
        case .date(let time):
            time % 86_400_000 == 0 ? String(Moment(milliseconds: time).description.prefix(10)) : Moment(milliseconds: time).description
        case .boolean(let flag): flag ? "true" : "false"
        case .list(let elements): String(decoding: JSONWriter.texts(elements), as: UTF8.self)
        }
    }

    private static func decimal(_ millionths: Int64) -> String {
        let (units, rest) = millionths.magnitude.quotientAndRemainder(dividingBy: UInt64(scale))
        var text = (millionths < 0 ? "-" : "") + String(units)
        if rest > 0 {
            var digits = String(rest + UInt64(scale)).dropFirst()
            while digits.last == "0" { digits.removeLast() }
            text += "." + digits
        }
        return text
    }
}

extension JSONWriter {
    /// A JSON array of texts.
    static func texts(_ texts: [String]) -> [UInt8] {
        var wire = JSONWriter()
        wire.beginArray()
        for text in texts { wire.string(text.utf8) }
        wire.endArray()
        return wire.bytes
    }
}
