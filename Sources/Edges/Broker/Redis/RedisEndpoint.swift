package import Model

/// Where a Redis is and how to enter it.
package struct RedisEndpoint: Sendable, Equatable, CustomStringConvertible {
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
    /// Seconds that connecting, or the response to a command, may take.
    package var timeout: Double

    package init(
        place: Place, tls: Bool = false, username: String? = nil, password: Secret? = nil, database: Int = 0,
        caFile: String? = nil, timeout: Double = 5
    ) {
        self.place = place
        self.tls = tls
        self.username = username
        self.password = password
        self.database = database
        self.caFile = caFile
        self.timeout = timeout
    }

    /// Reads `redis://[user[:password]@]host[:port][/database]`, `rediss://…` for TLS, or `unix:///path/of.sock`.
    /// - Throws: `RedisURLError`, which does not repeat a password.
    package init(url: String) throws(RedisURLError) {
        func parts(after scheme: String) -> Substring? {
            url.hasPrefix(scheme) ? url.dropFirst(scheme.count) : nil
        }
        if let path = parts(after: "unix://") {
            guard path.hasPrefix("/") else { throw RedisURLError("the path of a socket is absolute: unix:///run/redis.sock") }
            self.init(place: .unix(path: String(path)))
            return
        }
        let tls = url.hasPrefix("rediss://")
        guard var rest = tls ? parts(after: "rediss://") : parts(after: "redis://") else {
            throw RedisURLError("a Redis URL begins with redis://, rediss:// (TLS) or unix://")
        }
        self.init(place: .tcp(host: "127.0.0.1", port: 6379), tls: tls)
        if let at = rest.lastIndex(of: "@") {
            let user = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            if !user[0].isEmpty { username = String(user[0]) }
            if user.count > 1 { password = Secret(String(user[1])) }
            rest = rest[rest.index(after: at)...]
        }
        if let slash = rest.firstIndex(of: "/") {
            let name = rest[rest.index(after: slash)...]
            guard name.isEmpty || Int(name) != nil else { throw RedisURLError("the database is a number: redis://host:6379/0") }
            database = Int(name) ?? 0
            rest = rest[..<slash]
        }
        var host = String(rest)
        var port = 6379
        if rest.hasPrefix("["), let end = rest.firstIndex(of: "]") {
            host = String(rest[rest.index(after: rest.startIndex)..<end])
            rest = rest[rest.index(after: end)...]
            if rest.hasPrefix(":") { port = Int(rest.dropFirst()) ?? 0 }
        } else if let colon = rest.lastIndex(of: ":") {
            host = String(rest[..<colon])
            port = Int(rest[rest.index(after: colon)...]) ?? 0
        }
        guard (1...65_535).contains(port) else { throw RedisURLError("the port is a number from 1 to 65535") }
        if host.isEmpty { host = "127.0.0.1" }
        place = .tcp(host: host, port: port)
    }

    /// The place alone, without a user or password.
    package var description: String {
        switch place {
        case .tcp(let host, let port): "\(tls ? "rediss" : "redis")://\(host.contains(":") ? "[\(host)]" : host):\(port)/\(database)"
        case .unix(let path): "unix://\(path)"
        }
    }
}

package struct RedisURLError: Error, CustomStringConvertible, Equatable {
    package let description: String
    init(_ description: String) { self.description = description }
}
