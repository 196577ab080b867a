package import Text

/// Where a ledger is, as `ledger.url` and `--ledger` name it: `sqlite:PATH`, a path, or `postgres://user@host/database`.
package enum LedgerPlace: Sendable, Equatable {
    case file(path: String)
    /// What libpq takes, with whatever secrets are in it.
    case postgreSQL(url: Secret)

    private static let scheme = "sqlite:"

    /// - Returns: nil for an empty text, and for a URL of another kind.
    package init?(_ text: String) {
        let lower = text.lowercased()
        if lower.hasPrefix("postgres:") || lower.hasPrefix("postgresql:") {
            // libpq takes the scheme in small letters alone.
            guard let start = text.firstRange(of: "://"), !text.utf8.contains(where: \.isControl) else { return nil }
            self = .postgreSQL(url: Secret("postgres://" + text[start.upperBound...]))
        } else if let path = Self.path(text) {
            self = .file(path: path)
        } else {
            return nil
        }
    }

    private static func path(_ text: String) -> String? {
        guard text.hasPrefix(scheme) else {
            return text.isEmpty || text.contains("://") || text.lowercased().hasPrefix(scheme) ? nil : text
        }
        let rest = text.dropFirst(scheme.count)
        // sqlite:///srv/l.sqlite has an empty host before its path (RFC 8089 has the same of files).
        let path = rest.hasPrefix("//") ? rest.dropFirst(2) : rest
        guard !path.isEmpty, rest == path || path.hasPrefix("/") else { return nil }
        return String(path)
    }

    /// The ledger's file; nil for one on a server.
    package var file: String? {
        if case .file(let path) = self { path } else { nil }
    }

    /// Whether both name one ledger, whatever link leads to its file.
    package func isSame(as other: LedgerPlace) -> Bool {
        if let file, let otherFile = other.file { return RealPath.of(file) == RealPath.of(otherFile) }
        return self == other
    }
}
