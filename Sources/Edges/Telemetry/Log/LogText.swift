/// Text inside a line for people.
package enum LogText {
    /// Appends text with each control character as an escape, so that what a provider answered cannot forge a line or
    /// steer the terminal.
    package static func append(_ text: String, to out: inout String) {
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where isControl(scalar): out += "\\u{\(String(scalar.value, radix: 16))}"
            default: out.unicodeScalars.append(scalar)
            }
        }
    }

    /// Nothing in a text would have to be escaped.
    package static func isPlain(_ text: String) -> Bool { !text.unicodeScalars.contains(where: isControl) }

    /// A value that would not be read back as one: empty, or with spaces, quotes, `=` or control characters.
    static func needsQuotes(_ text: String) -> Bool {
        text.isEmpty || text.unicodeScalars.contains { $0 == " " || $0 == "\"" || $0 == "=" || isControl($0) }
    }

    /// C0, DEL, C1, and the line and paragraph separators.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) || scalar.value == 0x2028 || scalar.value == 0x2029
    }
}
