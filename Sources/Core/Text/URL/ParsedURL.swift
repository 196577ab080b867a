/// A URL in its parts (RFC 3986 section 3): `scheme://[user[:password]@]host[:port][path][?query]`.
///
/// Two spellings of one place have equal parts: the scheme and the host are in lower case, escapes of user, password and host are
/// undone, and an IPv6 address is in its canonical form.
package struct ParsedURL: Sendable, Equatable {
    package let scheme: String
    /// Nil where there is none, or an empty one.
    package let username: String?
    package let password: Secret?
    /// As `URLHost` writes it, an IPv6 address without brackets; empty where the URL has none, as in `unix:///path`.
    package let host: String
    /// 1 to 65,535; nil where the URL has none.
    package let port: Int?
    /// Path and query as they were written; empty, or from `/` or `?`.
    package let path: String

    /// - Throws: `URLSyntaxError`, which never repeats a password.
    package init(_ text: String) throws(URLSyntaxError) {
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://"), Self.isScheme(text[..<colon]) else {
            throw URLSyntaxError("is no URL; a URL begins as in https://host")
        }
        scheme = text[..<colon].lowercased()
        guard !text.unicodeScalars.contains(where: { $0.properties.isWhitespace || $0.value < 0x20 || $0.value == 0x7f }) else {
            throw URLSyntaxError("has white space or a control character in it")
        }
        var authority = text[colon...].dropFirst(3)
        guard !authority.contains("#") else {
            throw URLSyntaxError("has a fragment (#), which is never sent; leave it out, or write %23 in a user or password")
        }
        let end = authority.firstIndex { $0 == "/" || $0 == "?" } ?? authority.endIndex
        path = String(authority[end...])
        authority = authority[..<end]
        // A '/' or '?' of a password that should have been escaped makes an authority of a part of it: then nothing is repeated.
        let mayShow = !path.contains("@")
        if let at = authority.lastIndex(of: "@") {
            (username, password) = try Self.user(authority[..<at])
            authority = authority[at...].dropFirst()
        } else {
            (username, password) = (nil, nil)
        }
        do throws(URLSyntaxError) {
            let (place, digits) = try Self.split(authority)
            host = place.isEmpty ? "" : try URLHost.canonical(place)
            port = try digits.map { digits throws(URLSyntaxError) in try Self.port(digits) }
        } catch {
            guard mayShow else {
                throw URLSyntaxError("has an '@' behind its host; write '/' in a user or password as %2F, and '?' as %3F")
            }
            throw error
        }
        guard port == nil || !host.isEmpty else { throw URLSyntaxError("has no host") }
    }

    /// Host and port as they stand in a URL.
    /// - Parameter defaultPort: taken where the URL has none.
    package func authority(defaultPort: Int) -> String { "\(URLHost.bracketed(host)):\(port ?? defaultPort)" }

    /// A URL, or what was meant as one, without user information, query and fragment, for errors and logs.
    package static func withoutSecrets(_ text: String) -> String {
        var rest = text[...]
        var scheme = ""
        if let separator = rest.firstRange(of: "://") ?? rest.firstRange(of: "//") {
            scheme = String(rest[..<separator.upperBound])
            rest = rest[separator.upperBound...]
        }
        // A password may hold what it should have escaped: everything up to the last @ goes.
        if let at = rest.lastIndex(of: "@") { rest = "…" + rest[at...] }
        if let query = rest.firstIndex(where: { $0 == "?" || $0 == "#" }) { rest = rest[..<query] + "?…" }
        // libpq's settings in one text, and a password whose host was forgotten.
        if let word = rest.firstRange(of: /password/.ignoresCase()) { rest = rest[..<word.lowerBound] + "…" }
        let authority = rest.prefix { $0 != "/" }
        if !scheme.isEmpty, let colon = authority.lastIndex(of: ":"), authority.last != "]",
            !authority[authority.index(after: colon)...].utf8.allSatisfy(\.isDigit)
        {
            rest = rest[..<colon] + ":…"
        }
        return scheme + rest
    }

    private static func isScheme(_ text: Substring) -> Bool {
        text.utf8.first?.isLetter == true && text.utf8.allSatisfy { $0.isLetterOrDigit || "+-.".utf8.contains($0) }
    }

    private static func user(_ text: Substring) throws(URLSyntaxError) -> (name: String?, password: Secret?) {
        let colon = text.firstIndex(of: ":") ?? text.endIndex
        guard let name = PercentEncoding.decode(text[..<colon]), let password = PercentEncoding.decode(text[colon...].dropFirst()) else {
            throw URLSyntaxError("has a '%' in the user or password without two hexadecimal digits behind it")
        }
        guard !name.isEmpty || !password.isEmpty else { throw URLSyntaxError("has an empty user before the @") }
        guard !name.utf8.contains(where: \.isControl), !password.utf8.contains(where: \.isControl) else {
            throw URLSyntaxError("has a control character in the user or password")
        }
        return (name.isEmpty ? nil : name, password.isEmpty ? nil : Secret(password))
    }

    /// - Returns: the host, perhaps empty, and what stands behind the colon.
    private static func split(_ text: Substring) throws(URLSyntaxError) -> (host: Substring, port: Substring?) {
        if text.hasPrefix("[") {
            guard let close = text.firstIndex(of: "]") else { throw URLSyntaxError("has no ']' behind the IPv6 address") }
            let tail = text[close...].dropFirst()
            guard tail.isEmpty || tail.hasPrefix(":") else { throw URLSyntaxError("has text behind the IPv6 address and before the port") }
            return (text[...close], tail.isEmpty ? nil : tail.dropFirst())
        }
        guard let colon = text.firstIndex(of: ":") else { return (text, nil) }
        let port = text[colon...].dropFirst()
        guard !port.contains(":") else {
            throw URLSyntaxError("has more than one ':' in host and port; put an IPv6 address between brackets")
        }
        return (text[..<colon], port)
    }

    /// The port of 1 to 65,535 that some digits name.
    static func port(_ digits: Substring) throws(URLSyntaxError) -> Int {
        guard !digits.isEmpty, digits.utf8.allSatisfy(\.isDigit), let number = Int(digits), 1...65_535 ~= number else {
            throw URLSyntaxError("has a port that is no number from 1 to 65535")
        }
        return number
    }
}

/// Why a text is no URL of the wanted kind. Its description goes behind the name of what holds it: "provider has no host".
package struct URLSyntaxError: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
