/// Where a Redis is, and as whom to speak to it: `redis://[user:password@]host[:port][/database]`, `rediss://…` for TLS, or
/// `unix:///path/of.sock`.
package struct RedisURL: Sendable, Equatable {
    package enum Endpoint: Sendable, Equatable {
        case tcp(host: String, port: Int, tls: Bool)
        /// The path of a socket.
        case unix(String)
    }

    package static let defaultPort = 6_379

    package let endpoint: Endpoint
    package let username: String?
    package let password: Secret?
    /// 0 where the URL names none.
    package let database: Int

    /// - Throws: `URLSyntaxError`, which never repeats a password.
    package init(_ text: String) throws(URLSyntaxError) {
        let url = try ParsedURL(text)
        username = url.username
        password = url.password
        guard !url.path.contains("?") else { throw URLSyntaxError("has a query (?), which a Redis URL does not know; leave it out") }
        switch url.scheme {
        case "unix":
            guard url.host.isEmpty, url.path.count > 1 else {
                throw URLSyntaxError("has no absolute path of a socket; write it as in unix:///run/redis.sock")
            }
            guard let path = PercentEncoding.decode(url.path) else {
                throw URLSyntaxError("has a '%' in the path without two hexadecimal digits behind it")
            }
            endpoint = .unix(path)
            database = 0
        case "redis", "rediss":
            guard !url.host.isEmpty else { throw URLSyntaxError("has no host") }
            let name = url.path.dropFirst()
            guard name.isEmpty || name.utf8.allSatisfy(\.isDigit), let number = name.isEmpty ? 0 : Int(name) else {
                throw URLSyntaxError("has a path that is no number of a database, as in redis://host:6379/0")
            }
            endpoint = .tcp(host: url.host, port: url.port ?? Self.defaultPort, tls: url.scheme == "rediss")
            database = number
        default: throw URLSyntaxError("has another scheme than redis, rediss (TLS) and unix")
        }
    }
}
