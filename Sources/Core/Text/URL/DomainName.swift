/// The form of domain names (RFC 1123 section 2.1).
package enum DomainName {
    /// Labels of 1 to 63 letters, digits and hyphens with dots between, at most 253 bytes, without a dot at the end.
    package static func isValid(_ text: some StringProtocol) -> Bool {
        guard 1...253 ~= text.utf8.count else { return false }
        return text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
            let hyphen = UInt8(ascii: "-")
            return 1...63 ~= label.count && label.first != hyphen && label.last != hyphen
                && label.allSatisfy { $0.isLetterOrDigit || $0 == hyphen }
        }
    }

    /// A domain name, or an address literal in brackets (RFC 5321 section 4.1.3): what EHLO and Message-ID take.
    package static func isValidOrLiteral(_ text: some StringProtocol) -> Bool {
        guard text.hasPrefix("["), text.hasSuffix("]") else { return isValid(text) }
        let inner = text.utf8.dropFirst().dropLast()
        return !inner.isEmpty && inner.allSatisfy { $0.isLetterOrDigit || ".:-".utf8.contains($0) }
    }
}
