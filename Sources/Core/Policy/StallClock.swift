import Model

/// Tells, from one look at a mailing to the next, for how long it got no result that it could have had.
///
/// `Progress` is what changes when somebody gets a result.
package struct StallClock<Progress: Equatable & Sendable>: Sendable {
    private var progress: Progress?
    /// Seconds, of the looks' clock.
    private var since = 0.0
    private var allowance = 0.0

    package init() {}

    /// The blocking reason of a mailing at a time, in seconds.
    /// - Parameters:
    ///   - facts: what is known of it; their silence is set here.
    ///   - stuckAfter: how long without a result after which a mailing that nothing blocks is stuck.
    package mutating func look(_ facts: inout BlockingFacts, _ progress: Progress, at now: Double, stuckAfter: Duration) -> BlockingReason {
        if progress != self.progress { since = now }
        self.progress = progress
        defer { allowance = facts.allowance }
        facts.silence = now - since
        var blockingReason = facts.blockingReason(stuckAfter: stuckAfter)
        // A limit that allowed so long a silence was lifted, or something else that blocked it has ended: now it begins to be late.
        let wasAllowed = allowance > facts.allowance && facts.silence < stuckAfter.seconds + allowance
        if case .stuck = blockingReason, wasAllowed {
            facts.silence = 0
            blockingReason = facts.blockingReason(stuckAfter: stuckAfter)
            since = now
        } else if blockingReason.isHeld {
            since = now
        }
        return blockingReason
    }
}
