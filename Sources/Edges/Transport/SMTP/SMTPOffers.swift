/// What the connections to a provider have offered so far. A name may stand for several servers, of which some understand less: whether the
/// provider takes a message is known only when several have been asked.
struct SMTPOffers: Sendable {
    /// Connections that are asked for a message which not all can take.
    static let connectionsToAsk = 8

    /// Whether a connection other than the one at hand may offer an extension.
    enum Elsewhere: Sendable {
        /// None of many did.
        case never
        case unknown
        case offered
    }

    private var connections = 0
    private var isUTF8Offered = false

    mutating func note(_ capabilities: SMTPCapabilities) {
        connections = min(connections + 1, Self.connectionsToAsk)
        if capabilities.smtpUTF8 { isUTF8Offered = true }
    }

    /// SMTPUTF8 (RFC 6531).
    var utf8: Elsewhere { isUTF8Offered ? .offered : connections < Self.connectionsToAsk ? .unknown : .never }
}
