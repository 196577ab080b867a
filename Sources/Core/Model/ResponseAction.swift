/// What happens after a provider's response.
package enum ResponseAction: String, Sendable, CaseIterable {
    /// The recipient is sent to.
    case accept
    /// Another attempt after a wait; this one is spent.
    case retry
    /// The provider is sent to more slowly, or not at all for as long as it asks; no attempt is spent.
    case slowDown = "slow_down"
    /// The recipient's domain is sent to more slowly, or not at all for as long as it asks; no attempt is spent.
    case slowDownDomain = "slow_down_domain"
    /// The connection cannot be used any longer, and the message is tried over another one. An attempt is spent only where something of
    /// the message was sent and no response came.
    case reconnect
    /// The recipient has failed.
    case fail
    /// The mailing is paused until a person has corrected what is wrong; no attempt is spent.
    case pauseMailing = "pause_mailing"
    /// It is counted, and changes nothing.
    case count

    /// Another attempt may end better.
    package var isRetryable: Bool {
        switch self {
        case .retry, .slowDown, .slowDownDomain, .reconnect, .pauseMailing: true
        case .accept, .fail, .count: false
        }
    }

    /// It speaks of one message or its recipient, not of the provider or our set-up.
    package var isAboutMessage: Bool {
        switch self {
        case .accept, .retry, .slowDownDomain, .fail, .count: true
        case .slowDown, .reconnect, .pauseMailing: false
        }
    }

    /// The reason of a response that only its action is known of.
    package var usualReason: ResponseReason {
        switch self {
        case .accept: .accepted
        case .slowDown, .slowDownDomain: .rate
        case .reconnect: .network
        case .pauseMailing: .setUp
        case .retry, .fail, .count: .unknown
        }
    }
}

/// Whom a response is about.
package enum ResponseSubject: Sendable {
    /// Certainly this recipient alone.
    case recipient
    /// Certainly everybody: our set-up is refused.
    case everybody
    /// This recipient, or everybody: the responses to others decide.
    case unclear
}
