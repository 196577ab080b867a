/// Classes of ASCII bytes. None of them depends on a locale, and bytes from 0x80 belong to none.
///
/// What is inlined into other modules has to be public in this module: Swift 6.3 does not inline `package` functions across modules.
extension UInt8 {
    /// `0` to `9`.
    @inlinable public var isDigit: Bool { self &- UInt8(ascii: "0") < 10 }

    /// `a` to `z` and `A` to `Z`.
    @inlinable public var isLetter: Bool { (self | 0x20) &- UInt8(ascii: "a") < 26 }

    @inlinable public var isLetterOrDigit: Bool { isLetter || isDigit }

    /// C0 and DEL.
    @inlinable public var isControl: Bool { self < 0x20 || self == 0x7f }

    /// A space, tab, line feed, vertical tab, form feed or carriage return.
    @inlinable public var isSpace: Bool { self == 0x20 || self &- 0x09 < 5 }

    /// A letter in lower case; every other byte as it is.
    @inlinable public var lowercased: UInt8 { self &- UInt8(ascii: "A") < 26 ? self | 0x20 : self }

    /// An atext character (RFC 5322 section 3.2.3).
    @inlinable public var isAtomText: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            // ! # $ % & ' * + - / = ? ^ _ ` { | } ~
            0x21, 0x23...0x27, 0x2a, 0x2b, 0x2d, 0x2f, 0x3d, 0x3f, 0x5e...0x60, 0x7b...0x7e:
            true
        default: false
        }
    }

    /// The value of a hexadecimal digit in upper or lower case; nil for any other byte.
    @inlinable public var hexadecimalValue: UInt8? {
        if isDigit { return self &- UInt8(ascii: "0") }
        let letter = self | 0x20
        return letter &- UInt8(ascii: "a") < 6 ? letter &- UInt8(ascii: "a") &+ 10 : nil
    }

    /// The digit of a number below 16, in upper case.
    @inlinable public static func hexadecimalDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") &+ value : UInt8(ascii: "A") &- 10 &+ value
    }

    /// The digit of a number below 16, in lower case.
    @inlinable public static func lowercaseHexadecimalDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") &+ value : UInt8(ascii: "a") &- 10 &+ value
    }
}

/// Comparison of ASCII text without regard to case.
package enum ASCII {
    /// Whether two texts are equal but for the case of ASCII letters.
    package static func equalIgnoringCase(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
        left.count == right.count && zip(left, right).allSatisfy { $0.lowercased == $1.lowercased }
    }
}
