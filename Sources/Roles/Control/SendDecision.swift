package import Ledger
import Model

/// What `send` does with a mailing file, by the mailings of its identity that are in the ledger.
package enum SendDecision: Sendable, Equatable {
    /// It is added as a new mailing.
    case new
    /// The one that has not ended goes on.
    case goOn(MailingRecord)
    /// The one that has not ended waits for a person, who has to resume it.
    case waits(MailingRecord)
    /// It was sent, and nobody said that it is to be sent again.
    case sentBefore(EarlierMailings)

    package init(_ earlier: EarlierMailings, _ policy: RepeatPolicy) {
        if let unfinished = earlier.unfinished {
            self = unfinished.state == .paused && unfinished.stateReason.needsPerson ? .waits(unfinished) : .goOn(unfinished)
        } else if case .sentBefore(let earlier) = earlier.obstacle(policy) {
            self = .sentBefore(earlier)
        } else {
            self = .new
        }
    }
}
