#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The bytes that the parsers look for.
enum Byte {
    static let cr = UInt8(ascii: "\r")
    static let lf = UInt8(ascii: "\n")
    static let tab = UInt8(ascii: "\t")
    static let space = UInt8(ascii: " ")
    static let dot = UInt8(ascii: ".")
    static let colon = UInt8(ascii: ":")
    static let quote = UInt8(ascii: "\"")
    static let backslash = UInt8(ascii: "\\")
    static let less = UInt8(ascii: "<")
    static let greater = UInt8(ascii: ">")
}

extension UnsafeRawBufferPointer {
    /// Where a byte comes first, at or after a place.
    func place(of byte: UInt8, from start: Int = 0) -> Int? {
        guard let base = baseAddress, start < count, let found = memchr(base + start, Int32(byte), count - start) else {
            return nil
        }
        return UnsafeRawPointer(found) - base
    }

    /// The bytes of a range, with places from 0.
    func slice(_ range: Range<Int>) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: self[range]) }

    func slice(from start: Int) -> UnsafeRawBufferPointer { slice(start..<count) }

    /// Without white space (RFC 9110's OWS) at both ends.
    var trimmed: UnsafeRawBufferPointer {
        var range = 0..<count
        while let first = range.first, self[first] == Byte.space || self[first] == Byte.tab { range.removeFirst() }
        while let last = range.last, self[last] == Byte.space || self[last] == Byte.tab { range.removeLast() }
        return slice(range)
    }

    func starts(with word: StaticString) -> Bool {
        guard let base = baseAddress, count >= word.utf8CodeUnitCount else { return false }
        return memcmp(base, word.utf8Start, word.utf8CodeUnitCount) == 0
    }

    /// Whether it begins with a word, whose letters are written in lower case here, in upper or lower case.
    func startsIgnoringCase(_ word: StaticString) -> Bool {
        guard count >= word.utf8CodeUnitCount else { return false }
        for index in 0..<word.utf8CodeUnitCount {
            var byte = self[index]
            if (0x41...0x5a).contains(byte) { byte |= 0x20 }
            if byte != word.utf8Start[index] { return false }
        }
        return true
    }

    func equalsIgnoringCase(_ word: StaticString) -> Bool {
        count == word.utf8CodeUnitCount && startsIgnoringCase(word)
    }

    /// Reads a whole number in decimal digits alone; nil when it is none or has more than 15 digits.
    var decimal: Int? {
        guard (1...15).contains(count) else { return nil }
        var value = 0
        for byte in self {
            guard case let digit = Int(byte) - 48, (0...9).contains(digit) else { return nil }
            value = value * 10 + digit
        }
        return value
    }

    var isASCII: Bool { allSatisfy { $0 < 0x80 } }
}

extension String {
    /// A field's value without the white space behind it, which NIO's decoder leaves there (RFC 9112 section 5.1).
    var beforeTrailingSpace: Substring {
        guard let last = utf8.lastIndex(where: { $0 != Byte.space && $0 != Byte.tab }) else { return "" }
        return self[...last]
    }
}
