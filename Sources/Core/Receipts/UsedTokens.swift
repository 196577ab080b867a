import DequeModule

/// Which body came with which token, of schemes whose signature covers no body (`ProviderScheme.token`): whoever has seen a request cannot
/// send another body with its signature. A provider sends a request again that was not answered, and that is the same body. A pure value.
package struct UsedTokens: Sendable {
    /// A token and the body that came with it, by a keyed hash of each: nobody can find another body with the same one.
    package struct Use: Sendable, Equatable {
        package let token: UInt64
        package let body: UInt64
        /// When the token's time is up, in seconds since 1970.
        package let until: Int64

        package init(token: UInt64, body: UInt64, until: Int64) { (self.token, self.body, self.until) = (token, body, until) }
    }

    /// Tokens that are known at most: beyond that the oldest is forgotten.
    package static let most = 100_000

    private var bodies: [UInt64: UInt64] = [:]
    private var order: Deque<(token: UInt64, until: Int64)> = []

    package init() {}

    /// Tokens that are known.
    package var count: Int { bodies.count }

    /// - Parameter now: seconds since 1970.
    /// - Returns: false where the token came with another body.
    package mutating func take(_ use: Use, at now: Int64) -> Bool {
        while let first = order.first, first.until < now || order.count >= Self.most {
            order.removeFirst()
            bodies[first.token] = nil
        }
        if let known = bodies[use.token] { return known == use.body }
        bodies[use.token] = use.body
        order.append((use.token, use.until))
        return true
    }
}
