import Text

/// A telephone number as ITU-T E.164 writes it: a plus sign, the country calling code and the national number, 8 to 15 digits.
package struct PhoneNumber: Sendable, Hashable, CustomStringConvertible {
    package let description: String

    /// - Parameter country: of numbers that are written as in that country (`0170 …`); nil takes none of these.
    package init(_ text: String, country: PhoneCountry? = nil) throws(PhoneNumberError) {
        var out: [UInt8] = []
        var text = text
        let fault = text.withUTF8 { Self.normalise($0, country: country, into: &out) }
        if let fault { throw fault }
        description = String(decoding: out, as: UTF8.self)
    }

    /// Checks a number and appends its E.164 form to `out`. Spaces, hyphens, dots, slashes and parentheses are dropped, so
    /// is the `(0)` that some write behind a country code; `00` (and `011` where the country is of the North American plan,
    /// `0011` in Australia) counts as the plus sign.
    /// - Returns: what is wrong with it, or nil; `out` may have grown even then.
    package static func normalise(
        _ raw: UnsafeBufferPointer<UInt8>, country: PhoneCountry?, into out: inout [UInt8]
    ) -> PhoneNumberError? {
        let bytes = raw.trimmed
        guard !bytes.isEmpty else { return .empty }
        guard bytes.count <= 64 else { return .tooLong }
        let start = out.count
        out.append(UInt8(ascii: "+"))
        let digits = start + 1
        var isInternational = false
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): out.append(byte)
            case UInt8(ascii: "+"):
                guard out.count == digits, !isInternational else { return .misplacedPlus }
                isInternational = true
            case UInt8(ascii: "("):
                let zero: [UInt8] = [UInt8(ascii: "("), UInt8(ascii: "0"), UInt8(ascii: ")")]
                let isAbroad = isInternational || (out.count > digits + 1 && out[digits] == 48 && out[digits + 1] == 48)
                if isAbroad, out.count > digits, bytes[index...].starts(with: zero) { index += 2 }
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "/"),
                UInt8(ascii: ")"):
                break
            default:
                let length = separator(bytes, at: index)
                guard length > 0 else { return fault(bytes, at: index) }
                index += length - 1
            }
            index += 1
        }
        if !isInternational, let fault = internationalise(&out, from: digits, country: country) { return fault }
        guard out.count > digits else { return .noDigits }
        guard out[digits] != UInt8(ascii: "0") else { return .zeroAfterPlus }
        guard out.count - digits >= 8 else { return .tooShort }
        guard out.count - digits <= 15 else { return .tooLong }
        // All of the North American plan has ten digits behind the 1.
        guard out[digits] != UInt8(ascii: "1") || out.count - digits == 11 else { return .notTenDigits }
        return nil
    }

    /// Turns the digits of a number without a plus sign into an international number's.
    private static func internationalise(
        _ out: inout [UInt8], from digits: Int, country: PhoneCountry?
    ) -> PhoneNumberError? {
        func starts(with prefix: String) -> Bool { out[digits...].starts(with: prefix.utf8) }
        guard out.count > digits else { return .noDigits }
        if let country {
            let prefix = country.callingCode == "1" ? "011" : country.callingCode == "61" ? "0011" : "00"
            if starts(with: prefix) {
                out.removeSubrange(digits..<digits + prefix.utf8.count)
                return nil
            }
        }
        if starts(with: "00") {
            out.removeSubrange(digits..<digits + 2)
            return nil
        }
        guard let country else { return .noCountry }
        let trunk = country.trunk
        // A 1 or 8 in front may also be the first digit of the number itself: only the full length tells.
        let isTrunk =
            starts(with: trunk) && (trunk.first == "0" || out.count - digits == 10 + trunk.utf8.count || trunk == "80")
        if !trunk.isEmpty, isTrunk { out.removeSubrange(digits..<digits + trunk.utf8.count) }
        out.insert(contentsOf: country.callingCode.utf8, at: digits)
        return nil
    }

    /// The length of a separator beyond ASCII: hyphens and dashes (U+2010...U+2015), no-break and narrow spaces, and the marks
    /// of writing direction that copying from an address book leaves; 0 for another character.
    private static func separator(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int) -> Int {
        if index + 1 < bytes.count, bytes[index] == 0xc2, bytes[index + 1] == 0xa0 { return 2 }
        guard index + 2 < bytes.count, bytes[index] == 0xe2, bytes[index + 1] == 0x80 else { return 0 }
        switch bytes[index + 2] {
        case 0x80...0x95, 0xaa...0xaf: return 3
        default: return 0
        }
    }

    private static func fault(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int) -> PhoneNumberError {
        let rest = UnsafeBufferPointer(rebasing: bytes[index...])
        guard let text = String(validating: rest, as: UTF8.self), let scalar = text.unicodeScalars.first else {
            return .notUTF8
        }
        return .badCharacter(scalar)
    }
}

/// Why a text is no telephone number.
package enum PhoneNumberError: Error, Equatable, Sendable, CustomStringConvertible {
    case empty, noDigits, noCountry, misplacedPlus, zeroAfterPlus, tooShort, tooLong, notTenDigits, notUTF8
    case badCharacter(Unicode.Scalar)

    package var description: String {
        switch self {
        case .empty: "empty"
        case .noDigits: "no digits"
        case .noCountry: "no country code, and no default country"
        case .misplacedPlus: "plus sign out of place"
        case .zeroAfterPlus: "country code starts with 0"
        case .tooShort: "fewer than 8 digits"
        case .tooLong: "more than 15 digits"
        case .notTenDigits: "not 10 digits after +1"
        case .notUTF8: "not UTF-8"
        case .badCharacter(let scalar):
            scalar.properties.isAlphabetic ? "letter in it" : "character '\(scalar.escaped(asASCII: true))' not allowed"
        }
    }
}
