import Model
import Policy

/// A recipient as the ledger has it, and what of it is needed to take news that come long after the attempt: a pure rule around
/// `DeliveryEvidence`, of which the ledger keeps only what a state does not say.
struct LateState: Equatable {
    /// What the recipient is counted as.
    var shown: RecipientState
    /// Of one whose message came back: what attempts and receipts came to. Nil where it did not come back.
    var beneath: RecipientState?

    /// - Parameter isSeen: a person has opened or followed it, or complained, or unsubscribed by it.
    func after(_ news: DeliveryEvidence.News, isSeen: Bool) -> LateState {
        var base = beneath ?? shown
        switch news {
        case .attempt(let state):
            // A provider that tells of a message took it: more is not to be learnt of it.
            guard base == .uncertain, state.rank > base.rank else { return self }
            base = state
        // Somebody held, whose message a person has seen, has it.
        case .person: if base == .uncertain { base = .sent }
        case .receipt, .bounce: break
        }
        let hasBounce = beneath != nil || news == .bounce
        // Of what comes back the provider had taken it, whatever attempt that was.
        if hasBounce, base.rank < RecipientState.sent.rank { base = .sent }
        var evidence = DeliveryEvidence()
        evidence.take(.attempt(base))
        evidence.take(news)
        if isSeen { evidence.take(.person(.opened)) }
        guard hasBounce else { return LateState(shown: evidence.state, beneath: nil) }
        var others = DeliveryEvidence()
        others.take(.attempt(base))
        if news == .receipt { others.take(.receipt) }
        evidence.take(.bounce)
        return LateState(shown: evidence.state, beneath: others.state)
    }
}
