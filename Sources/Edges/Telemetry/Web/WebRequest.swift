import HTTPTypes
import NIOCore

/// The head of a request as its visitor sent it: nothing in it can be believed.
package struct WebRequest: Sendable {
    package enum Method: Sendable, Equatable { case get, head, post, other }

    package let method: Method
    /// Path and query.
    package let target: String
    /// The body, where the server keeps it.
    package internal(set) var body: [UInt8] = []
    private let fields: HTTPFields
    private let address: SocketAddress?

    init(_ head: HTTPRequest, from address: SocketAddress?) {
        method =
            switch head.method {
            case .get: .get
            case .head: .head
            case .post: .post
            default: .other
            }
        target = head.path ?? ""
        fields = head.headerFields
        self.address = address
    }

    /// A request that nobody sent, for tests.
    package init(
        _ method: Method, _ target: String, agent: String? = nil, forwarded: [String] = [], peer: String? = nil,
        headers: [String: String] = [:], body: [UInt8] = []
    ) {
        self.method = method
        self.target = target
        self.body = body
        var fields = HTTPFields()
        for (name, value) in headers { if let name = HTTPField.Name(name) { fields[name] = value } }
        if let agent { fields[.userAgent] = agent }
        fields[values: .forwardedFor] = forwarded
        self.fields = fields
        address = peer.flatMap { try? SocketAddress(ipAddress: $0, port: 0) }
    }

    /// The target without its query.
    package var path: Substring { target.prefix { $0 != "?" } }

    /// Who made the connection, a visitor or a proxy, as an IP address; nil for one through a unix socket.
    package var peer: String? { address?.ipAddress }

    /// `User-Agent`; empty for none.
    package var agent: String { fields[.userAgent] ?? "" }

    /// All fields, by their names in small letters; of several of a name the first.
    package var headers: [String: String] {
        Dictionary(fields.map { ($0.name.canonicalName, $0.value) }) { first, _ in first }
    }

    /// The values of `X-Forwarded-For`, in the order of its fields.
    package var forwarded: [String] { fields[values: .forwardedFor] }
}

extension HTTPField.Name {
    /// The name is a token, so that it is never nil.
    fileprivate static let forwardedFor = HTTPField.Name("X-Forwarded-For") ?? .userAgent
}
