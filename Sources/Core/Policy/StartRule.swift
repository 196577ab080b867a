package import Model

/// When a mailing begins, and what becomes of it when nobody was there to begin it.
package struct StartRule: Sendable, Equatable {
    /// Times in milliseconds.
    package enum Decision: Sendable, Equatable {
        case begin
        /// It is so late that it had to be decided upon, and begins all the same.
        case beginLate(by: Int64)
        case wait(Int64)
        /// It is so late that a person decides.
        case hold(by: Int64)
    }

    /// Milliseconds since 1970; nil begins at once.
    package let start: Int64?
    package let late: Mailing.LatePolicy
    /// How late it may begin as if nothing were, in seconds.
    package let maximumDelay: Double

    package init(start: Int64?, late: Mailing.LatePolicy, maximumDelay: Double) {
        self.start = start
        self.late = late
        self.maximumDelay = maximumDelay
    }

    /// A mailing's own rule: what it leaves out is to hold when an hour late.
    package init(_ mailing: Mailing, start: Int64?) {
        self.init(start: start, late: mailing.late ?? .hold, maximumDelay: mailing.maximumDelay ?? 3_600)
    }

    /// - Parameter now: milliseconds since 1970.
    package func decide(now: Int64) -> Decision {
        guard let start else { return .begin }
        let delay = now - start
        if delay < 0 { return .wait(-delay) }
        guard Double(delay) > maximumDelay * 1000 else { return .begin }
        return late == .send ? .beginLate(by: delay) : .hold(by: delay)
    }
}
