/// Where a text stops being JSON (RFC 8259), and why.
public struct JSONSyntaxError: Error, Equatable, Sendable {
    /// Its description goes behind the name of what holds the text: "row 2 has no JSON value".
    public enum Problem: Sendable, Equatable, CustomStringConvertible {
        case noValue, noString, noNumber, noArray, endsBeforeValue, tooDeep, textBehind
        case noColon, noCommaInObject, noCommaInArray
        case unfinishedString, controlCharacter, unknownEscape, badHexadecimal, halfSurrogate, nul
        case leadingZero, noDigitsBehindDot, noDigitsInExponent, numberOutOfRange

        public var description: String {
            switch self {
            case .noValue: "has no JSON value (a text needs quotation marks)"
            case .noString: "needs a key or text between quotation marks"
            case .noNumber: "needs a whole number"
            case .noArray: "needs an array"
            case .endsBeforeValue: "ends before a value"
            case .tooDeep: "is nested more than \(JSONCursor.deepest) deep"
            case .textBehind: "has text behind its value"
            case .noColon: "needs a ':' behind the key"
            case .noCommaInObject: "needs ',' or '}'"
            case .noCommaInArray: "needs ',' or ']'"
            case .unfinishedString: "has no closing quotation mark"
            case .controlCharacter: "has a control character in a text; write it as \\n, \\t or \\u00XX"
            case .unknownEscape: "has an unknown escape in a text"
            case .badHexadecimal: "needs four hexadecimal digits behind \\u"
            case .halfSurrogate: "has half a surrogate pair"
            case .nul: "has a NUL (\\u0000) in a text"
            case .leadingZero: "has a number with a leading zero; put it between quotation marks"
            case .noDigitsBehindDot: "has a number without digits behind its dot"
            case .noDigitsInExponent: "has a number without digits in its exponent"
            case .numberOutOfRange: "has a number out of range"
            }
        }
    }

    public let problem: Problem
    /// The byte, from 0.
    public let offset: Int

    @usableFromInline
    init(_ problem: Problem, at offset: Int) {
        self.problem = problem
        self.offset = offset
    }
}
