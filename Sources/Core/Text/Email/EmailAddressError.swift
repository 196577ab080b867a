/// Why a text is no e-mail address.
package enum EmailAddressError: Error, Equatable, Sendable, CustomStringConvertible {
    case empty, noAt, twoAt, noLocalPart, noDomain, noDot, numericDomain
    case space, control, displayName, comment, several, misplacedQuote, notUTF8
    case dots, hyphen, badLiteral
    case longLocalPart, longDomain, longLabel, tooLong
    case badCharacter(Unicode.Scalar)
    /// A domain beyond ASCII that IDNA 2008 does not allow, in the library's words.
    case badInternationalDomain(String)

    init(_ failure: InternationalDomain.Failure) {
        switch failure {
        case .longLabel: self = .longLabel
        case .longDomain: self = .longDomain
        case .badCharacter(let scalar): self = .badCharacter(scalar)
        case .other(let words): self = .badInternationalDomain(words)
        }
    }

    package var description: String {
        switch self {
        case .empty: "empty"
        case .noAt: "no @"
        case .twoAt: "two @"
        case .noLocalPart: "nothing before the @"
        case .noDomain: "no domain"
        case .noDot: "domain without a dot"
        case .numericDomain: "domain ends in a number"
        case .space: "space in it"
        case .control: "control character in it"
        case .displayName: "name or angle brackets in it"
        case .comment: "parentheses in it"
        case .several: "more than one address, or a comma in it"
        case .misplacedQuote: "quotation mark out of place"
        case .notUTF8: "not UTF-8"
        case .dots: "dot at the start, at the end, or twice in a row"
        case .hyphen: "hyphen at the start or end of a part of the domain"
        case .badLiteral: "no IP address in the brackets"
        case .longLocalPart: "more than 64 bytes before the @"
        case .longDomain: "domain of more than 255 bytes"
        case .longLabel: "part of the domain too long"
        case .tooLong: "more than 254 bytes"
        case .badInternationalDomain(let words): "no internationalised domain name: \(words)"
        case .badCharacter(let scalar) where scalar.value < 0x80: "character '\(scalar)' not allowed"
        case .badCharacter(let scalar) where scalar.properties.isDefaultIgnorableCodePoint:
            "invisible character U+\(hexadecimal(scalar.value)) in it"
        case .badCharacter(let scalar): "character U+\(hexadecimal(scalar.value)) not allowed"
        }
    }

    private func hexadecimal(_ value: UInt32) -> String {
        let digits = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
