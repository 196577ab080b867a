import Text

/// Reads the URL of a provider: `scheme://[user[:password]@]host[:port][/path]` (RFC 3986 section 3), with the schemes smtp (port 25
/// unless the URL says another, RFC 5321), smtps (465, RFC 8314), http (80) and https (443, RFC 9110).
package enum ProviderURL {
    /// Whether a text is meant as a URL rather than as the name of a configured provider.
    package static func isURL(_ text: String) -> Bool { text.contains("://") }

    /// The name of the provider that a mailing or a limit names: a URL without its user and path and always with its port,
    /// `smtp://relay.example.com:25`, so that every spelling of one place has one name. A name from the configuration stays as it is.
    /// - Returns: nil for a text that looks like a URL and is none that a mailing may name.
    package static func canonicalName(_ text: String) -> String? {
        guard isURL(text) else { return text }
        do { return try parse(text).name } catch { return nil }
    }

    /// The URL of a provider in its canonical form, with user and path, so that mailings that name one place share its connections. Any
    /// other text stays as it is.
    package static func canonicalURL(_ text: String) -> String {
        guard isURL(text), let url = try? parse(text) else { return text }
        let user = url.username.map { PercentEncoding.encode($0, allowing: PercentEncoding.isUnreserved) + "@" } ?? ""
        let place = url.name.dropFirst(url.scheme.rawValue.count + 3)
        return "\(url.scheme.rawValue)://\(user)\(place)\(url.path == "/" ? "" : url.path)"
    }

    /// What logs and metrics call the provider that a mailing names: its canonical name.
    package static func name(of text: String) -> String { canonicalName(text) ?? "unknown" }

    /// Makes a provider of its URL, with its canonical name and the defaults for what a URL does not say.
    /// - Parameter allowingPassword: false where a file or a list of processes would show it to others, as in a mailing.
    /// - Throws: `ProviderURLError`, which never repeats a password.
    package static func parse(_ text: String, allowingPassword: Bool = false) throws(ProviderURLError) -> Provider {
        let url: ParsedURL
        do { url = try ParsedURL(text) } catch { throw ProviderURLError(error.description) }
        guard let scheme = Provider.Scheme(rawValue: url.scheme) else {
            let allowed = Provider.Scheme.allCases.map(\.rawValue).joined(separator: ", ")
            throw ProviderURLError("has the scheme '\(url.scheme)', which is none of \(allowed)")
        }
        guard !url.host.isEmpty else { throw ProviderURLError("has no host") }
        let path = url.path.hasPrefix("/") ? url.path : "/" + url.path
        guard !scheme.isSMTP || path == "/" else { throw ProviderURLError("has a path, which SMTP does not know; leave it out") }
        guard allowingPassword || url.password == nil else {
            throw ProviderURLError(
                "has a password in it, which a file or a process list would show; name the provider in flotilla.yaml and set its "
                    + "password in the environment")
        }
        let port = url.port ?? scheme.defaultPort
        var provider = Provider(
            name: "\(scheme.rawValue)://\(url.authority(defaultPort: port))", scheme: scheme, host: url.host, port: port, path: path)
        provider.username = url.username
        provider.password = url.password
        return provider
    }
}

/// Why a text is no URL of a provider. Its description goes behind the name of what holds it: "provider has no host".
package struct ProviderURLError: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}
