import Text

/// Macros in the domains that a record of SPF names (RFC 7208 section 7).
enum SPFMacro {
    struct Values {
        var sender: String
        var domain: String
        var helo: String
        /// Nil where no address is judged.
        var address: SenderAddress?

        func value(of letter: Character) -> String {
            let parts = sender.split(separator: "@", maxSplits: 1)
            switch letter {
            case "s": return sender
            case "l": return parts.first.map(String.init) ?? "postmaster"
            case "o": return parts.last.map(String.init) ?? domain
            case "d": return domain
            case "h": return helo
            case "v": return address?.isVersion4 == false ? "ip6" : "in-addr"
            case "i": return address?.labels.joined(separator: ".") ?? "0.0.0.0"
            // `p` costs look-ups, and is not to be used (section 7.2).
            default: return "unknown"
            }
        }
    }

    private enum Piece {
        case text(String)
        case macro(letter: Character, keep: Int?, isReversed: Bool, delimiters: String)
    }

    static func isValid(_ text: String, inExplanation: Bool) -> Bool { pieces(text, inExplanation: inExplanation) != nil }

    /// Whether a text ends as a domain does: with a label that is no number, or with a macro (section 7.1, `domain-end`).
    static func isDomain(_ text: String) -> Bool {
        if text.hasSuffix("}") { return true }
        var labels = text.split(separator: ".", omittingEmptySubsequences: false)
        if labels.last?.isEmpty == true { labels.removeLast() }
        guard labels.count > 1, let last = labels.last, !last.isEmpty, !last.hasPrefix("-"), !last.hasSuffix("-") else { return false }
        return last.utf8.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: "-") } && !last.utf8.allSatisfy(\.isDigit)
    }

    /// The text with its macros replaced; at most 253 bytes, without labels at the left where there are more (section 7.3).
    static func expand(_ text: String, _ values: Values) -> String {
        var out = ""
        for piece in pieces(text, inExplanation: false) ?? [] {
            switch piece {
            case .text(let text): out += text
            case .macro(let letter, let keep, let isReversed, let delimiters):
                let value = values.value(of: letter)
                var parts = value.split(omittingEmptySubsequences: false) { delimiters.contains($0) }
                if isReversed { parts.reverse() }
                if let keep { parts = Array(parts.suffix(keep)) }
                out += parts.joined(separator: ".")
            }
        }
        if out.hasSuffix(".") { out.removeLast() }
        while out.utf8.count > 253, let dot = out.firstIndex(of: ".") { out = String(out[out.index(after: dot)...]) }
        return out.lowercased()
    }

    private static func pieces(_ text: String, inExplanation: Bool) -> [Piece]? {
        var pieces: [Piece] = []
        var plain = ""
        var rest = text[...]
        while let next = rest.popFirst() {
            guard next == "%" else {
                plain.append(next)
                continue
            }
            switch rest.popFirst() {
            case "%": plain += "%"
            case "_": plain += " "
            case "-": plain += "%20"
            case "{":
                guard let end = rest.firstIndex(of: "}"), let macro = macro(rest[..<end], inExplanation) else { return nil }
                pieces += [.text(plain), macro]
                plain = ""
                rest = rest[rest.index(after: end)...]
            default: return nil
            }
        }
        return pieces + [.text(plain)]
    }

    /// What stands between the braces: a letter, how many parts are kept, `r` for reversed, and what delimits the parts.
    private static func macro(_ text: Substring, _ inExplanation: Bool) -> Piece? {
        var rest = Substring(text.lowercased())
        guard let letter = rest.popFirst(), (inExplanation ? "slodiphcrtv" : "slodiphv").contains(letter) else { return nil }
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        rest = rest.dropFirst(digits.count)
        var keep: Int?
        if !digits.isEmpty {
            guard digits.count <= 3, let number = Int(digits), number > 0 else { return nil }
            keep = number
        }
        let isReversed = rest.first == "r"
        if isReversed { rest.removeFirst() }
        guard rest.allSatisfy({ ".-+,/_=".contains($0) }) else { return nil }
        return .macro(letter: letter, keep: keep, isReversed: isReversed, delimiters: rest.isEmpty ? "." : String(rest))
    }
}
