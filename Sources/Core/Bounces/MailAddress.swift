import Text

/// Addresses as reports and texts name them.
enum MailAddress {
    /// The address in a field: behind its type, in brackets, or by itself (RFC 3464 section 2.3.1, RFC 5322 section 3.4).
    static func inField(_ text: String) -> String {
        var rest = text[...]
        if let mark = rest.firstIndex(of: ";") { rest = rest[rest.index(after: mark)...] }
        return bracketed(String(rest)) ?? bare(rest) ?? ""
    }

    /// The last address in angle brackets; nil where there is none.
    static func bracketed(_ text: String) -> String? {
        var rest = text[...]
        while let open = rest.lastIndex(of: "<") {
            if let close = rest[open...].firstIndex(of: ">"), let address = bare(rest[rest.index(after: open)..<close]) { return address }
            rest = rest[..<open]
        }
        return nil
    }

    /// A word that is an address; nil where the text is none.
    static func bare(_ text: some StringProtocol) -> String? {
        var word = Substring(text)
        let edges: Set<Character> = [" ", "<", ">", "\"", "'", ":", ",", ";", ".", "(", ")", "*", "[", "]", "\t", "-", "{", "}"]
        while let first = word.first, edges.contains(first) { word = word.dropFirst() }
        while let last = word.last, edges.contains(last) { word = word.dropLast() }
        for prefix in ["mailto:", "smtp:", "rfc822;", "lmtp:"] where word.lowercased().hasPrefix(prefix) {
            word = word.dropFirst(prefix.count)
        }
        guard let mark = word.lastIndex(of: "@"), mark > word.startIndex, word.utf8.count <= 320,
            word.index(after: mark) < word.endIndex, !word.contains(where: { $0 == " " || $0 == "\t" || $0 == "<" || $0 == ">" })
        else { return nil }
        let domain = word[word.index(after: mark)...]
        guard domain.allSatisfy({ $0.isLetter || $0.isNumber || "-._[]:".contains($0) }) else { return nil }
        return String(word)
    }

    /// The recipient that a line of a report is about: it stands alone, or behind or before a word that says so; nil for any other line.
    static func aloneIn(_ line: String) -> String? {
        var text = line[...]
        if let mark = text.firstIndex(of: ":"), text[..<mark].utf8.count < 30, !text[..<mark].contains("@") {
            let label = text[..<mark].lowercased()
            let names = [
                "recipient", "recipients", "address", "final-recipient", "original-recipient", "failed recipient", "user", "rcpt to",
                "the following recipient", "destinataire", "mailbox", "recipient address", "envelope-to", "email", "addressee",
            ]
            guard names.contains(where: { label.hasSuffix($0) }) else { return nil }
            text = text[text.index(after: mark)...]
        }
        if let address = bare(text) { return address }
        if let address = inTranscript(text) { return address }
        // "<a@example.com>: reason", "a@example.com on 4/1/2016 9:11", "<a@example.com> (expanded from: ...)", "a@example.com, reason"
        let trimmed = text.drop { $0 == " " || $0 == "*" || $0 == "-" || $0 == "\"" || $0 == "'" }
        let first = trimmed.prefix { $0 != " " && $0 != "," && $0 != "(" }
        let behind = trimmed[first.endIndex...].drop { $0 == " " }
        guard let address = bare(first) else { return nil }
        let isNamed =
            first.hasPrefix("<") && (first.hasSuffix(">:") || behind.hasPrefix("(") || behind.hasPrefix(":"))
            || first.hasSuffix(":") || ["invalid address", "user unknown"].contains(where: { behind.lowercased().hasPrefix($0) })
            || behind.hasPrefix("on ") || behind.hasPrefix("(")
        return isNamed ? address : nil
    }

    /// `550 <a@example.com>... User unknown`, as Sendmail writes it.
    static func inTranscript(_ line: Substring) -> String? {
        let pieces = line.split(separator: " ", maxSplits: 2)
        guard pieces.count >= 2, pieces[0].count == 3, let code = Int(pieces[0]), 400..<600 ~= code, pieces[1].hasSuffix("...") else {
            return nil
        }
        return bare(pieces[1])
    }
}
