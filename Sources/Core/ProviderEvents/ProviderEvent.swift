/// What a provider tells of a message that it took, in one form for all providers.
package struct ProviderEvent: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        /// The provider took it, or passed it on.
        case accepted
        /// The recipient's server or telephone has it.
        case delivered
        /// It is tried again.
        case deferred
        /// The recipient's side refused it for good.
        case bounced
        /// It was refused for now, and is not tried again.
        case undelivered
        /// The provider itself does not send it.
        case rejected
        /// The person called it spam.
        case complained
        case opened, clicked, unsubscribed, resubscribed
        /// One that we do not know: it is kept aside, and counted.
        case unknown
    }

    package var kind: Kind
    /// The provider's word for it.
    package var word: String
    /// The provider's id of the message, without what it adds for a recipient; empty where it names none.
    package var providerID = ""
    /// The Message-ID that we gave it, without angle brackets; empty where the provider does not tell.
    package var messageID = ""
    package var recipient = ""
    /// In milliseconds since 1970; nil where the provider does not tell.
    package var time: Int64?
    /// The words of the recipient's server, or the reason.
    package var detail = ""
    /// By the provider's own judgement, a machine opened or followed it.
    package var isMachine = false

    package init(_ kind: Kind, word: String) {
        self.kind = kind
        self.word = word
    }

    /// Bytes of a text that an event keeps.
    package static let longest = 998
}
