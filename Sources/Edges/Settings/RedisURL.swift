package import Model

/// The address and the credentials of a Redis: `redis://[user:password@]host[:port]`, `rediss://…` (TLS), or
/// `unix:///path/to.sock`.
package struct RedisURL: Sendable, Equatable {
    package enum Endpoint: Sendable, Equatable {
        case tcp(host: String, port: Int, tls: Bool)
        /// The path of a socket.
        case unix(String)
    }

    package let endpoint: Endpoint
    package let username: String?
    package let password: Secret?

    static let allowed =
        "`redis://host[:port]`, `rediss://host[:port]`, `unix:///path`; a user and password before the host"

    /// Nil for any other text, also for a database number: fleets on one Redis differ in `redis.prefix`.
    package init?(_ text: String) {
        guard let parts = URLParts(text) else { return nil }
        switch parts.scheme {
        case "unix":
            guard parts.host.isEmpty, parts.port == nil, parts.path.count > 1 else { return nil }
            endpoint = .unix(parts.path)
        case "redis", "rediss":
            guard !parts.host.isEmpty, parts.path.isEmpty || parts.path == "/" else { return nil }
            endpoint = .tcp(host: parts.host, port: parts.port ?? 6_379, tls: parts.scheme == "rediss")
        default: return nil
        }
        username = parts.username
        password = parts.password.map { Secret($0) }
    }
}
