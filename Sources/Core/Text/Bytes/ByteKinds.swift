/// What bytes a text has, told eight at a time: by it nearly all texts need no look at each byte.
public struct ByteKinds: Equatable, Sendable {
    /// A byte beyond ASCII.
    public var hasHigh = false
    /// A control character of C0, a quotation mark or a backslash: what stands escaped in a JSON string (RFC 8259 section 7).
    public var hasEscaped = false

    /// The top bits of a word's bytes.
    @inlinable static var tops: UInt64 { 0x8080_8080_8080_8080 }

    @inlinable
    public init(_ bytes: UnsafeBufferPointer<UInt8>) {
        let raw = UnsafeRawBufferPointer(bytes)
        var (high, escaped): (UInt64, UInt64) = (0, 0)
        var index = 0
        while index + 8 <= raw.count {
            let word = raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            high |= word
            escaped |= Self.escaped(word)
            index += 8
        }
        while index < raw.count {
            // The other bytes are spaces, which count for nothing.
            let word = 0x2020_2020_2020_2000 | UInt64(raw[index])
            high |= word
            escaped |= Self.escaped(word)
            index += 1
        }
        hasHigh = high & Self.tops != 0
        hasEscaped = escaped != 0
    }

    /// Whether all bytes are ASCII, and none of them is a capital letter.
    @inlinable
    public static func isLowerASCII(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        let raw = UnsafeRawBufferPointer(bytes)
        var marks: UInt64 = 0
        var index = 0
        while index + 8 <= raw.count {
            marks |= capital(raw.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            index += 8
        }
        while index < raw.count {
            marks |= capital(UInt64(raw[index]))
            index += 1
        }
        return marks == 0
    }

    /// The top bit of each byte of a word that is beyond ASCII or, in a word of ASCII alone, a capital letter.
    @inlinable @inline(__always)
    static func capital(_ word: UInt64) -> UInt64 {
        let (ones, low): (UInt64, UInt64) = (0x0101_0101_0101_0101, word & ~tops)
        // From A on the first sum has the top bit, from the byte behind Z on the second.
        return (word | (low &+ ones &* 0x3f) & ~(low &+ ones &* 0x25)) & tops
    }

    /// The top bit of each byte of a word that stands escaped in a JSON string, exactly as far as the first one; bytes behind that may be
    /// marked too.
    @inlinable @inline(__always)
    static func escaped(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let (quote, backslash) = (word ^ (ones &* 0x22), word ^ (ones &* 0x5c))
        let control = (word &- ones &* 0x20) & ~word
        return (control | (quote &- ones) & ~quote | (backslash &- ones) & ~backslash) & tops
    }
}
