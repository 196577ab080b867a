package import Model

/// When the recipients of a mailing need not be kept any more. A pure rule: an engine reads what it looks at.
package struct RetentionRule: Sendable, Equatable {
    /// Why a mailing's recipients are kept, in the order in which the reasons are looked at.
    package enum Obstacle: Sendable, Equatable {
        /// It has not ended, or something of it is still open or with workers.
        case inWork
        /// It ended too short a time ago.
        case young
        /// That many recipients may have got the message, and wait for a person's decision.
        case uncertain(Int)
        /// A mailing that is to leave out whom this one has reached is not planned yet.
        case needed
    }

    /// What the rule looks at.
    package struct Facts: Sendable, Equatable {
        package var state: MailingState
        /// When it ended, in milliseconds since 1970.
        package var ended: Int64?
        /// Recipients of whom an attempt is still to come.
        package var open = 0
        package var uncertain = 0
        /// Batches that are with workers.
        package var dispatched = 0
        /// Mailings of the same identity that have yet to read whom it reached.
        package var readers = 0

        package init(state: MailingState, ended: Int64?) {
            self.state = state
            self.ended = ended
        }
    }

    /// Mailings that ended before that time are old enough, in milliseconds since 1970.
    package var cutoff: Int64

    package init(cutoff: Int64) { self.cutoff = cutoff }

    /// - Parameter age: how long ago a mailing has to have ended.
    package init(keeping age: Duration, now: Int64) { cutoff = now - min(max(age, .zero), Self.longest).milliseconds }

    /// A hundred years.
    private static let longest = Duration.seconds(36_500 * 86_400)

    /// - Returns: nil for a mailing whose recipients may go.
    package func obstacle(_ mailing: Facts) -> Obstacle? {
        guard mailing.state.isTerminal, mailing.dispatched == 0 else { return .inWork }
        // Nobody comes back to the open recipients of one that failed; those of a stopped one are being stopped.
        if mailing.open > 0, mailing.state != .failed { return .inWork }
        guard let ended = mailing.ended, ended < cutoff else { return .young }
        if mailing.uncertain > 0 { return .uncertain(mailing.uncertain) }
        return mailing.readers > 0 ? .needed : nil
    }
}

extension RetentionRule.Obstacle: CustomStringConvertible {
    package var description: String {
        switch self {
        case .inWork: "it has not ended, or something of it is still with workers"
        case .young: "it ended too short a time ago"
        case .uncertain(let count): "\(count) \(count == 1 ? "recipient is" : "recipients are") held as uncertain until a person decides"
        case .needed: "a mailing that leaves out whom it reached (--only-new) is not planned yet"
        }
    }
}
