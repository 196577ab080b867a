/// An address that is not sent to over one channel: with mailings of one category, or with any.
package struct Suppression: Sendable, Equatable {
    package enum Reason: String, Codable, Sendable, CaseIterable {
        case unsubscribe, complaint
        /// A mailbox or a number that does not exist, as a provider said.
        case hardBounce = "hard_bounce"
        /// A person of ours wants it.
        case manual
        /// It came from another system, which did not say why.
        case imported = "import"
    }

    /// Whom it is about, and for what; of two suppressions with one key only one is kept.
    package struct Key: Sendable, Hashable {
        package var channel: Channel
        /// The `AddressKey` of the address, as text.
        package var address: String
        /// The category; empty for all mailings of the channel.
        package var category: String

        package init(_ channel: Channel, _ address: String, category: String = "") {
            self.channel = channel
            self.address = address
            self.category = category
        }
    }

    package var key: Key
    package var reason: Reason
    /// The delivery that led to it, as `MAILING.BATCH.INDEX`; empty where none did.
    package var source: String
    /// The provider that sent the message; empty where none is known.
    package var provider: String
    /// Since when it is known, in milliseconds since 1970.
    package var at: Int64
    /// From when on it no longer counts, in milliseconds since 1970; nil for never.
    package var expires: Int64?

    package init(_ key: Key, reason: Reason, source: String = "", provider: String = "", at: Int64, expires: Int64? = nil) {
        self.key = key
        self.reason = reason
        self.source = source
        self.provider = provider
        self.at = at
        self.expires = expires
    }

    package func isInForce(at now: Int64) -> Bool { expires.map { $0 > now } ?? true }

    /// Of two with one key the one that is kept: that which lasts longer, then any but a hard bounce, which may turn out to be none, then
    /// that which is known for longer. The order is total, so that any order of additions, and any repetition, leads to the same list.
    package func merged(with other: Suppression) -> Suppression { other.rank < rank ? other : self }

    /// The lowest is kept.
    private var rank: (Int64, Int, Int64, Int, String, String) {
        (-(expires ?? .max), reason == .hardBounce ? 1 : 0, at, Reason.allCases.firstIndex(of: reason) ?? 0, source, provider)
    }
}

/// The mailings that a question about suppressions is for.
package struct SuppressionTarget: Sendable, Hashable {
    package var channel: Channel
    /// The category of the mailing; empty for one without, to which only suppressions for all mailings apply.
    package var category: String

    package init(_ channel: Channel, category: String = "") {
        self.channel = channel
        self.category = category
    }
}
