package import Text

/// The address of a Redis, and the credentials for it.
package struct RedisEndpoint: Sendable, Equatable, CustomStringConvertible {
    /// Where the server listens.
    package enum Place: Sendable, Equatable {
        case tcp(host: String, port: Int)
        case unix(path: String)
    }

    package var place: Place
    package var tls: Bool
    package var username: String?
    package var password: Secret?
    package var database: Int
    /// A PEM file of certificate authorities in place of the system's.
    package var caFile: String?
    /// How long connecting, or the response to a command, may take.
    package var timeout: Duration

    package init(
        place: Place, tls: Bool = false, username: String? = nil, password: Secret? = nil, database: Int = 0,
        caFile: String? = nil, timeout: Duration = .seconds(5)
    ) {
        self.place = place
        self.tls = tls
        self.username = username
        self.password = password
        self.database = database
        self.caFile = caFile
        self.timeout = timeout
    }

    /// The place that a URL names, without credentials.
    package init(_ endpoint: RedisURL.Endpoint) {
        switch endpoint {
        case .tcp(let host, let port, let tls): self.init(place: .tcp(host: host, port: port), tls: tls)
        case .unix(let path): self.init(place: .unix(path: path))
        }
    }

    /// The place, the credentials and the database of a URL.
    package init(_ url: RedisURL) {
        self.init(url.endpoint)
        username = url.username
        password = url.password
        database = url.database
    }

    /// The place alone, without a user or password.
    package var description: String {
        switch place {
        case .tcp(let host, let port): "\(tls ? "rediss" : "redis")://\(URLHost.bracketed(host)):\(port)/\(database)"
        case .unix(let path): "unix://\(path)"
        }
    }
}
