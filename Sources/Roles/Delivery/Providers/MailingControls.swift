import Model
import Policy

/// What an operator may change of a mailing while a worker sends it, and whether the worker has halted it by itself. Times are parameters.
struct MailingControls: Equatable {
    /// A halt ends after this time without a published pause: somebody resumed the mailing before this worker saw the pause.
    static let haltTime = Duration.seconds(5)

    /// As it was published last.
    private(set) var state = MailingState.sending
    /// The mailing's own limit; nil for none.
    var speed: RateLimit?
    /// When this worker halted the mailing. Nobody has published a pause since.
    private var haltedAt: ContinuousClock.Instant?

    init(speed: RateLimit? = nil) { self.speed = speed }

    /// Whether messages may start here.
    var isSending: Bool { state == .sending && haltedAt == nil }

    /// Takes over the published state. A pause takes the place of the halt, so that a later resume lifts both.
    mutating func take(_ published: MailingState, at now: ContinuousClock.Instant) {
        if let haltedAt, published != .sending || now - haltedAt > Self.haltTime { self.haltedAt = nil }
        state = published
    }

    /// Stops further messages here until a pause was published and lifted.
    mutating func halt(at now: ContinuousClock.Instant) { haltedAt = now }
}
