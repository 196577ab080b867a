import Text

/// Why a text is no telephone number.
package enum PhoneNumberError: Error, Equatable, Sendable, CustomStringConvertible {
    case empty, noDigits, noNumber, noCountry, unknownCountryCode, noAreaCode, ambiguous, misplacedPlus, notUTF8
    case tooShort, tooLong, wrongLength
    /// Its digits could be dialled, and mean something else.
    case lookalike(PhoneLookalike)
    case badCharacter(Unicode.Scalar)

    /// Why the library does not read a text.
    init(_ failure: PhoneReading.Failure, of text: PhoneText) {
        switch failure {
        case .noCountry: self = .unknownCountryCode
        case .tooShort: self = .tooShort
        case .tooLong: self = .tooLong
        case .noNumber where text.text.dropFirst().contains("+"): self = .misplacedPlus
        case .noNumber:
            let isShort = text.text.count(where: \.isNumber) < 3
            self = text.strangeScalar.map { .badCharacter($0) } ?? (isShort ? .tooShort : .noNumber)
        }
    }

    package var description: String {
        switch self {
        case .empty: "empty"
        case .noDigits: "no digits"
        case .noNumber: "no telephone number"
        case .noCountry: "no country code, and no default country"
        case .unknownCountryCode: "country code that no country has"
        case .noAreaCode: "no area code"
        case .ambiguous: "may begin with a country code or not; write a plus sign in front of a country code"
        case .misplacedPlus: "plus sign out of place"
        case .tooShort: "too few digits for its country"
        case .tooLong: "too many digits for its country"
        case .wrongLength: "a number of digits that its country does not use"
        case .notUTF8: "not UTF-8"
        case .lookalike(let what): "\(what.rawValue), and no telephone number"
        case .badCharacter(let scalar):
            scalar.properties.isAlphabetic ? "letter in it" : "character '\(scalar.escaped(asASCII: true))' not allowed"
        }
    }
}
