/// A part of invented recipients, and the e-mail domain that they are given.
package struct SyntheticDomainShare: Sendable, Equatable {
    /// In small letters.
    package let domain: String
    /// From 0 to 1.
    package let share: Double

    /// - Parameter share: `0.4` or `40%`.
    package init(_ domain: String, _ share: String) throws(SyntheticDomainShareError) {
        guard Self.isReserved(domain) else {
            throw .name("a domain here ends in .example or .test, or is example.com, .org or .net or below them: nothing may reach anybody")
        }
        guard let share = Self.part(share) else {
            throw .share("'\(share.prefix(80))' is no share; it is a number from 0 to 1, such as 0.4, or 40%")
        }
        self.domain = domain
        self.share = share
    }

    /// Each domain once, and of all recipients no more than there are.
    /// - Throws: what is wrong with them together.
    package static func check(_ shares: [SyntheticDomainShare]) throws(SyntheticDomainShareError) {
        var seen: Set<String> = []
        for one in shares where !seen.insert(one.domain).inserted {
            throw .together("'\(one.domain)' is there twice")
        }
        let sum = shares.reduce(0) { $0 + $1.share }
        guard sum <= 1 + 1e-9 else {
            throw .together(
                "the shares come to \((sum * 1000).rounded() / 10)%; together they are at most 100%, and the rest gets other domains")
        }
    }

    private static func part(_ text: String) -> Double? {
        let isPercent = text.hasSuffix("%")
        var digits = isPercent ? text.dropLast() : text[...]
        while digits.last == " " { digits.removeLast() }
        guard let first = digits.utf8.first, first != UInt8(ascii: "+"), let number = Double(digits), number.isFinite else { return nil }
        let share = isPercent ? number / 100 : number
        return 0...1 ~= share ? share : nil
    }

    /// Kept for examples and tests (RFC 2606, RFC 6761), and well formed (RFC 1123, section 2.1).
    private static func isReserved(_ domain: String) -> Bool {
        let labels = domain.split(separator: ".", omittingEmptySubsequences: false)
        let isFormed =
            domain.utf8.count <= 253 && labels.count >= 2
            && labels.allSatisfy { label in
                (1...63).contains(label.utf8.count) && label.utf8.first != hyphen && label.utf8.last != hyphen
                    && label.utf8.allSatisfy { byte in
                        UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || byte == hyphen
                    }
            }
        guard isFormed, let last = labels.last else { return false }
        if last == "example" || last == "test" { return true }
        return labels[labels.count - 2] == "example" && ["com", "org", "net"].contains(last)
    }

    private static let hyphen = UInt8(ascii: "-")
}

/// Why domains' shares are refused, as the end of a sentence that begins with where they stand.
package enum SyntheticDomainShareError: Error, Equatable, CustomStringConvertible {
    case name(String)
    case share(String)
    /// What is wrong with several of them.
    case together(String)

    package var description: String {
        switch self {
        case .name(let text), .share(let text), .together(let text): text
        }
    }
}
