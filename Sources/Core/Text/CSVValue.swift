/// Values as they stand in a CSV file (RFC 4180).
package enum CSVValue {
    /// The value, in quotation marks where a reader could take it for something else, whatever the delimiter.
    package static func encoded(_ value: String) -> String {
        guard value.utf8.contains(where: { ",;|\t\"\n\r".utf8.contains($0) }) || value.first == " " || value.last == " " else {
            return value
        }
        return "\"\(value.replacing("\"", with: "\"\""))\""
    }

    private static let apostrophe = UInt8(ascii: "'")

    /// The value with an apostrophe before it where a spreadsheet would calculate it: what others wrote into an address or a name must not
    /// run as a formula where a person opens the file (OWASP, CSV Injection). A sign with digits behind it, as a telephone number, is a
    /// number to a spreadsheet, and stays as it is.
    package static func guarded(_ value: String) -> String { isFormula(value.utf8[...]) ? "'\(value)" : value }

    /// The value that `guarded` made this one of.
    package static func unguarded(_ value: String) -> String {
        guard value.utf8.first == apostrophe, isFormula(value.utf8.dropFirst()) else { return value }
        return String(value.utf8.dropFirst()) ?? value
    }

    /// A value that begins as a formula does, or as a guarded one, which would lose its own apostrophe when it is read back.
    private static func isFormula(_ value: Substring.UTF8View) -> Bool {
        let text = value.drop { $0 == apostrophe }
        guard let first = text.first else { return false }
        return switch first {
        case UInt8(ascii: "+"), UInt8(ascii: "-"): !text.dropFirst().allSatisfy { $0.isDigit || $0 == UInt8(ascii: ".") }
        case UInt8(ascii: "="), UInt8(ascii: "@"), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"): true
        // The full-width forms are read as the others.
        default: ["＝", "＋", "－", "＠"].contains { text.starts(with: $0.utf8) }
        }
    }
}
