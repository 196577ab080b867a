package import Model

extension Provider {
    static let allowedURLs =
        "`smtp://host[:port]`, `smtps://host[:port]`, `http(s)://host[:port][/path]`; a user and "
        + "password before the host"

    /// Makes a provider of its URL, with defaults for the rest.
    /// - Parameter name: its name; empty takes `scheme://host:port`.
    /// - Returns: nil for a URL that is none of a provider.
    package init?(name: String = "", url: String) {
        guard let parts = URLParts(url), let scheme = Scheme(rawValue: parts.scheme), !parts.host.isEmpty,
            !parts.path.contains("#")
        else { return nil }
        let port = parts.port ?? scheme.defaultPort
        let place = parts.host.contains(":") ? "[\(parts.host)]:\(port)" : "\(parts.host):\(port)"
        self.init(
            name: name.isEmpty ? "\(scheme.rawValue)://\(place)" : name, scheme: scheme, host: parts.host, port: port)
        switch scheme {
        case .smtp, .smtps: guard parts.path.isEmpty || parts.path == "/" else { return nil }
        case .http, .https: path = parts.path.hasPrefix("/") ? parts.path : "/" + parts.path
        }
        username = parts.username
        password = parts.password.map { Secret($0) }
    }
}

extension Provider.Scheme {
    /// Where its servers listen unless the URL says so: 25 (RFC 5321), 465 (RFC 8314), 80 and 443 (RFC 9110).
    fileprivate var defaultPort: Int {
        switch self {
        case .smtp: 25
        case .smtps: 465
        case .http: 80
        case .https: 443
        }
    }
}
