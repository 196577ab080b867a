/// Where a ledger is, as `ledger.url` and `--ledger` name it: `sqlite:PATH`, or a path.
package enum LedgerURL {
    private static let scheme = "sqlite:"

    /// The path of the ledger's file; nil for an empty one, and for a URL of another kind.
    package static func path(_ text: String) -> String? {
        guard text.hasPrefix(scheme) else {
            let isURL = text.contains("://") || [scheme, "postgres:", "postgresql:"].contains { text.lowercased().hasPrefix($0) }
            return text.isEmpty || isURL ? nil : text
        }
        let rest = text.dropFirst(scheme.count)
        // sqlite:///srv/l.sqlite has an empty host before its path (RFC 8089 has the same of files).
        let path = rest.hasPrefix("//") ? rest.dropFirst(2) : rest
        guard !path.isEmpty, rest == path || path.hasPrefix("/") else { return nil }
        return String(path)
    }
}
