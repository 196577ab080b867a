package import Model
package import Text

/// What the sink listens on, and how it behaves.
package struct SinkConfiguration: Sendable {
    /// An extension of SMTP that the sink can be told not to offer.
    package enum Extension: String, Sendable, CaseIterable {
        case pipelining, size
        case eightBitMIME = "8bitmime"
        case smtpUTF8 = "smtputf8"
    }

    /// The PEM files of a server's certificate (with its chain) and key.
    package struct Certificate: Sendable, Equatable {
        package var chain: String
        package var key: String
        package init(chain: String, key: String) {
            self.chain = chain
            self.key = key
        }
    }

    /// Credentials of clients: AUTH in SMTP; in HTTP Basic, or Bearer with the password alone.
    package struct Credentials: Sendable, Equatable {
        package var username: String
        package var password: Secret
        package init(username: String, password: Secret) {
            self.username = username
            self.password = password
        }
    }

    package var listeners: [SinkListener]
    /// The file to which a line is appended for every message and its response; nil for none.
    package var record: String?
    /// Lines are handed to the operating system before the responses they tell of are sent.
    package var sync = false
    /// How long the response to a whole message is held back.
    package var latency = SinkLatency.none
    package var failures = FailureProfile()
    /// What comes faster is refused; nil for no limit.
    package var limit: SinkLimit?
    /// Two runs with one seed give a recipient's n-th attempt the same response.
    package var seed: UInt64 = 1
    /// Connections at once; further ones are refused with 421 or 503. 0 for as many as the process's descriptors allow.
    package var maxConnections = 0
    /// Messages over one connection: the next is refused with 421 and the connection closed; HTTP closes behind the last
    /// response. 0 for no limit.
    package var messagesPerConnection = 0
    /// Threads that serve connections.
    package var threads = 1
    /// Needed for `smtps` and `https`; with it SMTP in clear offers STARTTLS.
    package var certificate: Certificate?
    package var credentials: Credentials?
    /// Extensions that EHLO does not offer, and that are refused when used.
    package var without: Set<Extension> = []
    /// Bytes of an e-mail at most (SIZE, RFC 1870).
    package var maxMessageBytes = 10 << 20
    /// Bytes of an HTTP body at most.
    package var maxBodyBytes = 1 << 20
    /// The name in the greeting.
    package var name = "sink.example.com"

    package init(listeners: [SinkListener]) { self.listeners = listeners }
}

/// An address that the sink listens on.
package struct SinkListener: Sendable, Equatable, CustomStringConvertible {
    package var scheme: Provider.Scheme
    package var host: String
    /// 0 takes a free port; a running sink tells which.
    package var port: Int

    package init(scheme: Provider.Scheme, host: String = "127.0.0.1", port: Int = 0) {
        self.scheme = scheme
        self.host = host
        self.port = port
    }

    /// Reads `127.0.0.1:2525`, `[::1]:2525` or `localhost:2525`.
    /// - Throws: `SinkError` when the text has no host or no port from 0 to 65535.
    package init(scheme: Provider.Scheme, parsing text: String) throws(SinkError) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            throw SinkError("'\(text)' is no address to listen on: write host:port, such as 127.0.0.1:2525")
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty else {
            throw SinkError(
                "'\(text)' lacks the host to listen on: write 127.0.0.1:\(port), or 0.0.0.0:\(port) for all")
        }
        self.init(scheme: scheme, host: String(host), port: Int(port))
    }

    /// The URL by which it is reached.
    package var description: String {
        "\(scheme.rawValue)://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }
}
