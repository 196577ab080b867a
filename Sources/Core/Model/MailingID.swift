/// The name of a mailing: 13 characters of Crockford's base 32 in lower case, 41 bits of milliseconds since 1970 and 24
/// random bits, so that ids sort by time of creation and two ledgers on one Redis never share one.
package struct MailingID: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
    package let description: String

    private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz")
    private static let length = 13

    /// Takes an id as text; nil unless it has the form of one.
    package init?(_ text: String) {
        guard text.utf8.count == Self.length, text.utf8.allSatisfy(Self.isDigit) else { return nil }
        description = text
    }

    /// Whether a byte is a digit of Crockford's base 32 in lower case: no i, l, o or u.
    private static func isDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "i"), UInt8(ascii: "l"), UInt8(ascii: "o"), UInt8(ascii: "u"): false
        case UInt8(ascii: "a")...UInt8(ascii: "z"): true
        default: false
        }
    }

    /// Makes a new id.
    /// - Parameter milliseconds: the time since 1970-01-01 UTC.
    package init(
        milliseconds: Int64, using generator: inout some RandomNumberGenerator
    ) {
        var bits = UInt64(milliseconds) << 24 | UInt64.random(in: 0..<(1 << 24), using: &generator)
        var characters: [Character] = []
        for _ in 0..<Self.length {
            characters.append(Self.alphabet[Int(bits & 31)])
            bits >>= 5
        }
        description = String(characters.reversed())
    }

    /// The first id that a mailing of a time may have.
    /// - Parameter milliseconds: the time since 1970-01-01 UTC.
    package init(firstOf milliseconds: Int64) {
        var zeros = Zeros()
        self.init(milliseconds: milliseconds, using: &zeros)
    }

    private struct Zeros: RandomNumberGenerator {
        func next() -> UInt64 { 0 }
    }

    /// When the mailing was added, in milliseconds since 1970. Ids hold the lower 40 bits of it, and none is from before 2004.
    package var added: Int64 {
        let bits = description.utf8.reduce(into: UInt64(0)) { bits, digit in
            bits = bits << 5 | UInt64(Self.alphabet.firstIndex(of: Character(Unicode.Scalar(digit))) ?? 0)
        }
        return Int64(bits >> 24) | 1 << 40
    }

    package static func < (left: MailingID, right: MailingID) -> Bool { left.description < right.description }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let id = MailingID(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "'\(text)' is no mailing id")
        }
        self = id
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
