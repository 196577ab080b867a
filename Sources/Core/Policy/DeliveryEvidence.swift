package import Model

/// The facts about one message to one recipient, from attempts and later news, and the state that follows from them. The same news in
/// any order, and any number of times, give the same state: each only adds a fact.
///
/// A person who has seen the message outweighs a bounce, and a bounce outweighs whatever a provider said when it took the message. Of
/// attempts and receipts the one that came nearest to the person holds (`RecipientState.rank`).
package struct DeliveryEvidence: Sendable, Equatable {
    /// One fact about the message.
    package enum News: Sendable, Hashable {
        /// The result of an attempt.
        case attempt(RecipientState)
        /// The provider says that the message has arrived.
        case receipt
        /// The provider took the message, and says for good, later, that it could not be delivered. A report of a delay is none.
        case bounce
        /// A person did something with it. What a machine opened or clicked is no fact.
        case person(EventKind)
    }

    /// The best result of an attempt.
    private var attempt = RecipientState.planned
    private var hasReceipt = false
    private var hasBounce = false
    private var isSeen = false

    package init() {}

    package mutating func take(_ news: News) {
        switch news {
        case .attempt(let state): if state.rank > attempt.rank { attempt = state }
        case .receipt: hasReceipt = true
        case .bounce: hasBounce = true
        // A person who complains about a message, or unsubscribes by it, has it.
        case .person: isSeen = true
        }
    }

    /// The recipient counts as failed because the message came back, and not because of an attempt.
    package var isBounced: Bool { hasBounce && !isSeen }

    package var state: RecipientState {
        if isBounced { return .failed }
        return hasReceipt && RecipientState.delivered.rank > attempt.rank ? .delivered : attempt
    }
}

/// The rounds of one recipient of one mailing. The first begins with the plan; an operator who has the mailing sent again to those who
/// failed opens the next one. Each round is counted by itself: what becomes known late of an earlier one changes that one alone.
package struct DeliveryRounds: Sendable, Equatable {
    /// More than these are not opened.
    package static let most = 100

    /// Indexed by round, from 0.
    private var rounds: [Int: DeliveryEvidence] = [0: DeliveryEvidence()]

    package init() {}

    /// Opens a round, and those before it; one that is open stays as it is.
    /// - Returns: false for a number beyond the bounds.
    @discardableResult
    package mutating func open(_ round: Int) -> Bool {
        guard (0...Self.most).contains(round) else { return false }
        for number in 0...round where rounds[number] == nil { rounds[number] = DeliveryEvidence() }
        return true
    }

    /// Adds news about the message of a round, which may come before the news that the round was opened.
    /// - Returns: false for a number beyond the bounds, which changes nothing.
    @discardableResult
    package mutating func take(_ news: DeliveryEvidence.News, round: Int) -> Bool {
        guard open(round) else { return false }
        rounds[round]?.take(news)
        return true
    }

    /// The newest round.
    package var current: Int { rounds.count - 1 }

    /// What the recipient counts as in a round; nil for one that is not open.
    package func state(of round: Int) -> RecipientState? { rounds[round]?.state }

    /// What the recipient counts as now: what the newest round came to. Only that a message of an earlier round has arrived after all
    /// counts for it too, as nobody is sent to who has the message.
    package var state: RecipientState {
        guard let newest = rounds[current] else { return .planned }
        guard !newest.isBounced else { return newest.state }
        let earlier = rounds.filter { $0.key < current }.values.map(\.state).filter { $0.rank >= RecipientState.sent.rank }
        return (earlier + [newest.state]).max { $0.rank < $1.rank } ?? newest.state
    }
}
