package import Ledger
package import Model

/// What `send` does with a mailing file, by the mailings of its identity that are in the ledger.
package enum SendDecision: Sendable, Equatable {
    /// It is added as a new mailing.
    case new
    /// The one that has not ended continues.
    case goOn(MailingRecord)
    /// The one that has not ended waits for a person, who has to resume it.
    case waits(MailingRecord)
    /// It was sent, and nobody said that it is to be sent again.
    case sentBefore(EarlierMailings)
    /// It may have been sent by a mailing that this ledger, an older copy, does not know.
    case lost(MailingID)
    /// It is to be sent to new people only, and it is not known any more whom that one has reached.
    case forgotten(EarlierMailings.Sent)

    package init(_ earlier: EarlierMailings, _ policy: RepeatPolicy) {
        if let unfinished = earlier.unfinished {
            self = unfinished.state == .paused && unfinished.stateReason.needsPerson ? .waits(unfinished) : .goOn(unfinished)
            return
        }
        self =
            switch earlier.obstacle(policy) {
            case .sentBefore(let earlier): .sentBefore(earlier)
            case .lost(let id): .lost(id)
            case .forgotten(let earlier): .forgotten(earlier)
            case .unfinished, .added, nil: .new
            }
    }
}
