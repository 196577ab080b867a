/// Text inside a line for people.
package enum LogText {
    /// Appends text with control characters escaped, so that a provider's response cannot forge a line or control the terminal.
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

    /// The text with control characters escaped.
    package static func escaped(_ text: String) -> String {
        var out = ""
        append(text, to: &out)
        return out
    }

    /// Nothing in the text needs an escape.
    package static func isPlain(_ text: String) -> Bool { !text.unicodeScalars.contains(where: isControl) }

    /// A value that a reader would not take for one: empty, or with spaces, quotes, `=` or control characters.
    static func needsQuotes(_ text: String) -> Bool {
        text.isEmpty || text.unicodeScalars.contains { $0 == " " || $0 == "\"" || $0 == "=" || isControl($0) }
    }

    /// C0, DEL, C1, and the line and paragraph separators.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) || scalar.value == 0x2028 || scalar.value == 0x2029
    }
}
