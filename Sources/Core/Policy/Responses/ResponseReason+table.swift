package import Model

extension ResponseReason {
    /// What follows from a reason, unless a rule of the response table says otherwise.
    package struct Consequence: Sendable, Equatable {
        /// After a response that may be different next time: 4xx of SMTP, 5xx of HTTP.
        package let temporary: ResponseAction
        /// After one that will not be: 5xx of SMTP, 3xx and 4xx of HTTP.
        package let permanent: ResponseAction
        /// It is about the recipient, and would be so from any sender.
        package let isRecipients: Bool
        /// No later mailing sends to the address, until a person says otherwise.
        package let suppresses: Bool

        init(_ temporary: ResponseAction, _ permanent: ResponseAction, isRecipients: Bool = false, suppresses: Bool = false) {
            self.temporary = temporary
            self.permanent = permanent
            self.isRecipients = isRecipients
            self.suppresses = suppresses
        }
    }

    package var consequence: Consequence {
        switch self {
        case .accepted: Consequence(.accept, .accept)
        case .unknownUser: Consequence(.retry, .fail, isRecipients: true, suppresses: true)
        case .unknownHost: Consequence(.retry, .fail, isRecipients: true, suppresses: true)
        case .moved: Consequence(.retry, .fail, isRecipients: true, suppresses: true)
        case .inactive: Consequence(.retry, .fail, isRecipients: true, suppresses: true)
        case .full: Consequence(.retry, .retry, isRecipients: true)
        case .policy: Consequence(.retry, .fail)
        case .reputation: Consequence(.retry, .pauseMailing)
        case .spam: Consequence(.retry, .fail)
        case .authentication: Consequence(.retry, .pauseMailing)
        case .rate: Consequence(.slowDown, .slowDown)
        case .greylisted: Consequence(.retry, .retry)
        case .content: Consequence(.retry, .fail)
        case .tooLarge: Consequence(.retry, .fail)
        case .system: Consequence(.retry, .fail)
        case .network: Consequence(.retry, .fail)
        case .expired: Consequence(.retry, .fail)
        case .complaint: Consequence(.count, .count, suppresses: true)
        case .autoReply: Consequence(.count, .count)
        case .setUp: Consequence(.pauseMailing, .pauseMailing)
        case .unknown: Consequence(.retry, .fail)
        }
    }
}
