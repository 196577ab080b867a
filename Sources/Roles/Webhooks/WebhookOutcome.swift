/// What became of an attempt to tell a receiver of an event.
enum WebhookOutcome: Sendable, Equatable {
    /// It was answered with 200 to 299.
    case accepted
    /// It was answered with 410: the receiver wants no more.
    case gone
    /// Any other answer, or none. The words are for people, and have nothing of the answer's body.
    case failed(words: String, retryAfter: Double?)
    /// It was not sent, as the role ends.
    case notSent
}
