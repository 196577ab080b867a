package import Text

/// Where a ledger is, as `ledger.url` and `--ledger` name it: `sqlite:PATH`, a path, or `postgres://user@host/database`.
package enum LedgerPlace: Sendable, Equatable {
    case file(path: String)
    /// The URL for libpq, with its secrets.
    case postgreSQL(url: Secret)

    private static let scheme = "sqlite:"

    /// - Returns: nil for an empty text, and for a URL of another kind.
    package init?(_ text: String) {
        let lower = text.lowercased()
        if lower.hasPrefix("postgres:") || lower.hasPrefix("postgresql:") {
            // libpq knows the scheme only in lower case.
            guard let start = text.firstRange(of: "://"), !text.utf8.contains(where: \.isControl) else { return nil }
            self = .postgreSQL(url: Secret("postgres://" + text[start.upperBound...]))
        } else if let path = Self.path(text) {
            self = .file(path: path)
        } else {
            return nil
        }
    }

    /// Whether a text is a URL or libpq's settings that were mistyped, and not the path of a file: a password in it would be shown.
    package static func isMistypedURL(_ text: String) -> Bool {
        let lower = text.lowercased()
        if lower.contains("://") || lower.contains("password") && lower.contains("=") { return true }
        // These say that they are paths: a file may have any name.
        if lower.hasPrefix("./") || lower.hasPrefix("../") || lower.hasPrefix("/") && !lower.hasPrefix("//") { return false }
        let colon = lower.firstIndex(of: ":")
        if lower.contains("//"), colon != nil || lower.contains("@") { return true }
        return colon.map { lower[$0...].contains("@") } ?? false
    }

    private static func path(_ text: String) -> String? {
        plainPath(text).flatMap { isMistypedURL($0) ? nil : $0 }
    }

    private static func plainPath(_ text: String) -> String? {
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
