package import Model

/// Decides when a mailing starts, and what happens when its start was missed (its misfire policy).
package struct StartRule: Sendable, Equatable {
    /// Times in milliseconds.
    package enum Decision: Sendable, Equatable {
        case begin
        /// It is later than its maximum delay, and starts.
        case beginLate(by: Int64)
        case wait(Int64)
        /// It is later than its maximum delay, and a person decides.
        case hold(by: Int64)
    }

    /// Milliseconds since 1970; nil begins at once.
    package let start: Int64?
    package let misfirePolicy: Mailing.MisfirePolicy
    /// How late it may start without a decision, in seconds.
    package let maximumDelay: Double

    package init(start: Int64?, misfirePolicy: Mailing.MisfirePolicy, maximumDelay: Double) {
        self.start = start
        self.misfirePolicy = misfirePolicy
        self.maximumDelay = maximumDelay
    }

    /// The rule of a mailing; the default is to hold when it is more than an hour late.
    package init(_ mailing: Mailing, start: Int64?) {
        self.init(start: start, misfirePolicy: mailing.late ?? .hold, maximumDelay: mailing.maximumDelay ?? 3_600)
    }

    /// - Parameter now: milliseconds since 1970.
    package func decide(now: Int64) -> Decision {
        guard let start else { return .begin }
        let delay = now - start
        if delay < 0 { return .wait(-delay) }
        guard Double(delay) > maximumDelay * 1000 else { return .begin }
        return misfirePolicy == .send ? .beginLate(by: delay) : .hold(by: delay)
    }
}
