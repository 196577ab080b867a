/// An RFC 5322 mailbox with an ASCII address: `news@example.com` or `Example Shop <news@example.com>`.
struct Mailbox: Equatable {
    let displayName: String
    /// The addr-spec, without brackets.
    let address: String

    /// Nil unless the text is one mailbox: a dot-atom or quoted local part of at most 64 bytes, and a domain name (RFC 1123)
    /// or an address literal.
    init?(_ text: String) {
        let text = text.trimmed
        guard !text.unicodeScalars.contains(where: \.endsLineOrField) else { return nil }
        if text.hasSuffix(">") {
            guard let bracket = text.lastIndex(of: "<"), let name = Self.unquoted(String(text[..<bracket]).trimmed)
            else {
                return nil
            }
            displayName = name
            address = String(text[text.index(after: bracket)...].dropLast())
        } else {
            displayName = ""
            address = text
        }
        guard Self.isAddress(address) else { return nil }
    }

    /// The phrase's text; nil where it has quotes that do not enclose all of it, or brackets or commas outside of quotes.
    private static func unquoted(_ phrase: String) -> String? {
        guard phrase.hasPrefix("\"") else {
            return phrase.contains { "\"<>,;@".contains($0) } ? nil : phrase
        }
        var text = ""
        var isEscaped = false
        var rest = phrase.dropFirst()
        while let character = rest.popFirst() {
            if isEscaped {
                text.append(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "\"" {
                return rest.isEmpty ? text.trimmed : nil
            } else {
                text.append(character)
            }
        }
        return nil
    }

    private static func isAddress(_ address: String) -> Bool {
        guard let at = address.lastIndex(of: "@") else { return false }
        return isLocalPart(address[..<at]) && isDomain(String(address[address.index(after: at)...]))
    }

    private static func isLocalPart(_ local: Substring) -> Bool {
        guard (1...64).contains(local.utf8.count), local.utf8.allSatisfy({ (0x20..<0x7f).contains($0) }) else {
            return false
        }
        if local.hasPrefix("\"") {
            var rest = local.dropFirst()
            while let character = rest.popFirst() {
                if character == "\"" { return rest.isEmpty }
                if character == "\\", rest.popFirst() == nil { return false }
            }
            return false
        }
        return local.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { atom in
            !atom.isEmpty && atom.utf8.allSatisfy(\.isAtomText)
        }
    }

    /// A domain name of letters, digits and hyphens, or an address literal.
    static func isDomain(_ domain: String) -> Bool {
        if domain.hasPrefix("["), domain.hasSuffix("]") {
            let literal = domain.dropFirst().dropLast()
            return !literal.isEmpty && literal.utf8.allSatisfy { $0.isLetterOrDigit || ".:-".utf8.contains($0) }
        }
        return domain.utf8.count <= 253
            && domain.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
                (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                    && label.utf8.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: "-") }
            }
    }

    /// Appends it as the value of a header field that begins with `column` characters.
    func write(column: Int, into out: inout [UInt8]) {
        guard !displayName.isEmpty else { return out.append(contentsOf: address.utf8) }
        let start = out.count
        let isPlain = displayName.utf8.allSatisfy { $0.isAtomText || $0 == 0x20 } && !displayName.contains("=?")
        if displayName.utf8.allSatisfy({ (0x20..<0x7f).contains($0) }), !displayName.contains("=?"),
            displayName.utf8.count <= 60
        {
            let quoted = displayName.map { "\"\\".contains($0) ? "\\\($0)" : "\($0)" }.joined()
            out.append(contentsOf: (isPlain ? displayName : "\"\(quoted)\"").utf8)
        } else {
            out.appendEncodedWords(Array(displayName.utf8), column: column)
        }
        let lineStart = out.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? start - column
        let isLong = out.count - max(lineStart, start - column) + address.utf8.count + 3 > 76
        out.append(contentsOf: (isLong ? "\r\n <" : " <").utf8)
        out.append(contentsOf: address.utf8)
        out.append(UInt8(ascii: ">"))
    }
}

extension String {
    /// Without spaces and tabs at its ends.
    var trimmed: String {
        var text = self[...]
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return String(text)
    }
}

extension Unicode.Scalar {
    /// A control character or a line separator.
    fileprivate var endsLineOrField: Bool {
        switch value {
        case 0..<0x20, 0x7f..<0xa0, 0x2028, 0x2029: true
        default: false
        }
    }
}

extension UInt8 {
    var isLetterOrDigit: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    /// atext of RFC 5322 section 3.2.3.
    var isAtomText: Bool { isLetterOrDigit || "!#$%&'*+-/=?^_`{|}~".utf8.contains(self) }
}
