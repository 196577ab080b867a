import Text

/// Text from outside, as a terminal may show it: what it would obey is escaped.
package enum LogText {
    /// Appends text that stays on one line: a provider's response cannot forge a line or control the terminal.
    package static func append(_ text: String, to out: inout String) {
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where scalar.isTerminalControl: out += "\\u{\(String(scalar.value, radix: 16))}"
            default: out.unicodeScalars.append(scalar)
            }
        }
    }

    /// The text on one line.
    package static func line(_ text: String) -> String {
        if isPlain(text) { return text }
        var out = ""
        append(text, to: &out)
        return out
    }

    /// The text on as many lines as it has.
    package static func lines(_ text: String) -> String {
        if isPlain(text) { return text }
        return text.split(separator: "\n" as Character, omittingEmptySubsequences: false).map { line(String($0)) }.joined(separator: "\n")
    }

    /// JSON whose strings hold no control: as escapes of JSON, so that it says the same.
    package static func json(_ text: String) -> String {
        if isPlain(text) { return text }
        var out = ""
        for scalar in text.unicodeScalars {
            if scalar.isTerminalControl, scalar != "\n" { out += scalar.jsonEscape } else { out.unicodeScalars.append(scalar) }
        }
        return out
    }

    /// Nothing in the text needs an escape.
    package static func isPlain(_ text: String) -> Bool { !text.unicodeScalars.contains(where: \.isTerminalControl) }

    /// A value that a reader would not take for one: empty, or with spaces, quotes, `=` or control characters.
    static func needsQuotes(_ text: String) -> Bool {
        text.isEmpty || text.unicodeScalars.contains { $0 == " " || $0 == "\"" || $0 == "=" || $0.isTerminalControl }
    }
}
