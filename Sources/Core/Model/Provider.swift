package import Text

/// A provider as the configuration names it: where messages go, and how to speak to it.
package struct Provider: Sendable, Equatable {
    package enum Scheme: String, Sendable, CaseIterable {
        /// SMTP (RFC 5321) in clear, with STARTTLS (RFC 3207) where `startTLS` says so.
        case smtp
        /// SMTP inside TLS from the first byte (RFC 8314).
        case smtps
        case http, https

        package var isSMTP: Bool { self == .smtp || self == .smtps }

        /// The port of a URL that names none (RFC 5321 section 4.5.4.2, RFC 8314 section 7.3, RFC 9110 section 4.2).
        package var defaultPort: Int {
            switch self {
            case .smtp: 25
            case .smtps: 465
            case .http: 80
            case .https: 443
            }
        }
    }

    package enum StartTLS: String, Sendable, CaseIterable {
        /// Used when the server offers it, with the certificate unchecked (RFC 7435), and in clear where the handshake fails. With a user
        /// name or a CA file the certificate is checked as with `required`, but for a server on this machine without a CA file.
        case opportunistic
        /// Without it, or without a valid certificate, nothing is sent.
        case required
        case never
    }

    /// Its name in the configuration, in metrics and logs; for a provider given by URL alone, `scheme://host:port`.
    package var name: String
    package var scheme: Scheme
    package var host: String
    package var port: Int
    /// HTTP: path and query, from "/".
    package var path: String
    package var username: String?
    package var password: Secret?
    package var startTLS = StartTLS.opportunistic
    /// A PEM file of certificate authorities in place of the system's.
    package var caFile: String?
    /// Connections at most, for each worker process.
    package var connections = defaultConnections
    package static let defaultConnections = 20
    /// Connections at most beside these, on which late responses are waited for; a worker bounds it by its descriptors.
    package var lateConnections = Int.max
    /// The time for TCP, and again for TLS.
    package var connectTimeout = Duration.seconds(10)
    /// How long a response may take, but for the one to the final dot of SMTP; nil for what the protocol says: 60 s over HTTP, by stage
    /// over SMTP (RFC 5321 section 4.5.3.2).
    package var timeout: Duration?
    /// SMTP: how long the response to the final dot may take. Whoever gives up earlier sends a second copy (RFC 1047).
    package var finalTimeout = Duration.seconds(600)
    /// HTTP: further header fields; a value may be secret (an API key).
    package var headers: [String: Secret] = [:]
    /// HTTP: the template of the body; nil takes the mailing's own (webhook) or the built-in one (sms, messenger).
    package var body: String?
    package var contentType = "application/json"
    /// The content type as it is sent: one among the header fields stands before the setting.
    package var sentContentType: String {
        headers.first { $0.key.lowercased() == "content-type" }?.value.exposed ?? contentType
    }
    /// HTTP: the member of a JSON response that holds the provider's message id, as a path with dots: `messages.0.id`.
    package var messageID: String?

    /// How long a response of HTTP may take.
    package var responseTime: Duration { timeout ?? .seconds(60) }

    /// A provider with the defaults for all but its place.
    package init(name: String, scheme: Scheme, host: String, port: Int, path: String = "/") {
        self.name = name
        self.scheme = scheme
        self.host = host
        self.port = port
        self.path = path
    }

    /// The provider with some of its properties changed.
    package func with(_ change: (inout Provider) -> Void) -> Provider {
        var changed = self
        change(&changed)
        return changed
    }
}
