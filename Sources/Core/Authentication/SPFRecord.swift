import Text

/// A record of SPF: who may send for a domain (RFC 7208 section 4.6).
package struct SPFRecord: Sendable, Equatable {
    package enum Qualifier: Character, Sendable {
        case pass = "+"
        case fail = "-"
        case softFail = "~"
        case neutral = "?"
    }

    package enum Mechanism: String, Sendable {
        case all, include, a, mx, ptr, ip4, ip6, exists

        /// It asks DNS, and counts against the limit of ten (section 4.6.4).
        var asks: Bool { ![.all, .ip4, .ip6].contains(self) }
    }

    package struct Directive: Sendable, Equatable {
        package var qualifier: Qualifier
        package var mechanism: Mechanism
        /// Behind the colon: a domain with macros, or an address; nil for the domain itself.
        package var target: String?
        package var bits4: Int?
        package var bits6: Int?
    }

    package private(set) var directives: [Directive] = []
    package private(set) var redirect: String?

    /// Whether a text is a record of SPF at all, of whatever content.
    package static func isRecord(_ text: String) -> Bool {
        let first = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false).first ?? ""
        return first.lowercased() == "v=spf1"
    }

    /// - Throws: `SPFSyntaxError` with the term that is wrong.
    package init(_ text: String) throws(SPFSyntaxError) {
        var names: Set<String> = []
        for term in text.split(separator: " ").dropFirst() {
            guard term.utf8.allSatisfy({ 0x21...0x7e ~= $0 }) else { throw SPFSyntaxError(term: String(term)) }
            if let sign = term.firstIndex(where: { "=:/".contains($0) }), term[sign] == "=" {
                let name = term[..<sign].lowercased()
                let value = String(term[term.index(after: sign)...])
                let isName = name.first?.isLetter == true && name.utf8.allSatisfy { $0.isLetterOrDigit || "-_.".utf8.contains($0) }
                guard isName, SPFMacro.isValid(value, inExplanation: !["redirect", "exp"].contains(name)) else {
                    throw SPFSyntaxError(term: String(term))
                }
                guard ["redirect", "exp"].contains(name) else { continue }
                // Each at most once (section 6).
                guard names.insert(name).inserted, SPFMacro.isDomain(value) else { throw SPFSyntaxError(term: String(term)) }
                if name == "redirect" { redirect = value }
            } else {
                directives.append(try Self.directive(term))
            }
        }
    }

    private static func directive(_ term: Substring) throws(SPFSyntaxError) -> Directive {
        let wrong = SPFSyntaxError(term: String(term))
        let qualifier = term.first.flatMap(Qualifier.init)
        let rest = qualifier == nil ? term : term.dropFirst()
        let end = rest.firstIndex { ":/".contains($0) } ?? rest.endIndex
        guard let mechanism = Mechanism(rawValue: rest[..<end].lowercased()) else { throw wrong }
        var made = Directive(qualifier: qualifier ?? .pass, mechanism: mechanism)
        var behind = rest[end...]
        if mechanism == .ip4 || mechanism == .ip6 {
            guard behind.first == ":", IPNetwork(behind.dropFirst()) != nil else { throw wrong }
            let parts = behind.dropFirst().split(separator: "/")
            guard parts[0].contains(":") == (mechanism == .ip6), parts.count < 2 || isLength(parts[1]) else { throw wrong }
            made.target = String(parts[0])
            let bits = parts.count > 1 ? Int(parts[1]) : nil
            if mechanism == .ip4 { made.bits4 = bits } else { made.bits6 = bits }
            return made
        }
        if mechanism == .a || mechanism == .mx { (behind, made.bits4, made.bits6) = try lengths(behind, wrong) }
        if behind.first == ":" {
            let target = String(behind.dropFirst())
            guard mechanism != .all, SPFMacro.isValid(target, inExplanation: false), SPFMacro.isDomain(target) else { throw wrong }
            made.target = target
        } else if !behind.isEmpty || mechanism == .include || mechanism == .exists {
            throw wrong
        }
        return made
    }

    /// Takes `/24`, `//64` or `/24//64` from the end (section 5.6). Any other slash is the domain's.
    private static func lengths(_ text: Substring, _ wrong: SPFSyntaxError) throws(SPFSyntaxError) -> (Substring, Int?, Int?) {
        func number(_ text: Substring, atMost most: Int) throws(SPFSyntaxError) -> Int {
            guard isLength(text), let number = Int(text), number <= most else { throw wrong }
            return number
        }
        guard let (before, last, isDouble) = length(at: text) else { return (text, nil, nil) }
        guard isDouble else { return (before, try number(last, atMost: 32), nil) }
        let six = try number(last, atMost: 128)
        guard let (first, digits, isDouble) = length(at: before), !isDouble else { return (before, nil, six) }
        return (first, try number(digits, atMost: 32), six)
    }

    /// The digits behind a slash, or two, at the end of a text; nil where there are none.
    private static func length(at text: Substring) -> (before: Substring, digits: Substring, isDouble: Bool)? {
        guard let slash = text.lastIndex(of: "/") else { return nil }
        let digits = text[text.index(after: slash)...]
        guard !digits.isEmpty, digits.utf8.allSatisfy(\.isDigit) else { return nil }
        let before = text[..<slash]
        return before.last == "/" ? (before.dropLast(), digits, true) : (before, digits, false)
    }

    /// Up to three digits, without a zero before others.
    private static func isLength(_ text: Substring) -> Bool {
        1...3 ~= text.utf8.count && text.utf8.allSatisfy(\.isDigit) && (text.count == 1 || text.first != "0")
    }
}

/// A record that no receiver can read: SPF's permanent error.
package struct SPFSyntaxError: Error, Equatable {
    package let term: String
}
