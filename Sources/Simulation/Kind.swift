import Policy

/// A kind of send: the recipients of a mailing that the same limits hold for.
struct Kind: Sendable {
    /// A limit of ours that holds for it.
    struct Scope: Sendable {
        var name: String
        var limit: SlotCalendar.Limit

        /// Messages a second.
        var perSecond: Double { 1e6 / limit.interval }
    }

    /// By their places.
    let mailing: Int
    let provider: Int
    /// The provider's scope, which may have a pace though it has no limit.
    let providerScope: String
    /// The narrowest first.
    let scopes: [Scope]
    /// Its part, compared with others'.
    let weight: Double
    var backlog: Backlog
    /// Parts of messages that are still to begin.
    var carry = 0.0
    /// Where each message goes by itself: no slot is near before that moment.
    var blockedUntil = 0.0
    /// What holds it back now.
    var brake = Brake.nothing
    /// Messages on their way, where each goes by itself.
    var flying = 0

    /// How long its narrowest limit makes it, for comparison with others.
    var effort: Double { Double(backlog.available) * (scopes.first?.limit.interval ?? 1) }
}
