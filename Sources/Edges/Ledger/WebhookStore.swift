package import Model
package import Text

/// Which other systems are told of what happens, and the outbox of what they are to be told. `now` is in milliseconds since 1970.
package protocol WebhookStore: Sendable {
    /// Adds a subscription, which is told of all that happens from now on.
    /// - Throws: `LedgerError.refused` when there are too many.
    func addWebhook(_ new: WebhookSubscription, note: AuditNote?) async throws(LedgerError)

    /// All subscriptions, the oldest first, with how many rows of the outbox each has still to be told of, at most.
    func webhooks() async throws(LedgerError) -> [(subscription: WebhookSubscription, waiting: Int)]

    /// The ids of active subscriptions, the oldest first. It reads nothing of the outbox.
    func activeWebhooks() async throws(LedgerError) -> [String]

    /// - Returns: false where there is none.
    func removeWebhook(_ id: String, note: AuditNote?, now: Int64) async throws(LedgerError) -> Bool

    /// Enables or disables a subscription.
    /// - Parameter why: for people.
    /// - Returns: nil where there is none, false where it is in that state already.
    func setWebhook(
        _ id: String, to state: WebhookSubscription.State, why: String, note: AuditNote?, now: Int64
    ) async throws(LedgerError) -> Bool?

    /// Gives a subscription a new secret. Messages are signed by both until a time.
    /// - Parameter endsOld: also where an earlier one still signs, which ends at once.
    func rotateWebhookSecret(
        _ id: String, to secret: Secret, oldUntil: Int64, endsOld: Bool, note: AuditNote?, now: Int64
    ) async throws(LedgerError) -> SecretRotation

    /// Has a subscription be told again of what was written to the outbox since a time, in its order, and then of what it is not told of
    /// yet.
    /// - Parameter until: what was told of already and was written later is not told again; nil for all.
    /// - Returns: events that it is told of again, at most; nil where there is no such subscription.
    func replayWebhook(_ id: String, since: Int64, until: Int64?, note: AuditNote?, now: Int64) async throws(LedgerError) -> Int?

    /// An active subscription and how far it was told; nil where there is none.
    func activeWebhook(_ id: String) async throws(LedgerError) -> (subscription: WebhookSubscription, parts: [WebhookPart])?

    /// What a subscription is to be told from a row on: some thousand events at most, and the row's order.
    func webhookPage(_ subscription: WebhookSubscription, from sequence: Int64) async throws(LedgerError) -> WebhookPage

    /// Notes how far a subscription was told.
    /// - Parameter fencingToken: of the leadership `Leadership.webhooks`.
    /// - Returns: false where the leadership is another's, the subscription was changed, disabled or removed, or the outbox does not come
    ///   so far: nothing was written.
    func storeWebhook(_ progress: WebhookProgress, fencingToken: Int64) async throws(LedgerError) -> Bool

    /// Removes rows of the outbox, some hundred at a time: those before `keep` that all active subscriptions were told of, and all before
    /// `longest`.
    /// - Returns: how many it removed; 0 when there are no more.
    func pruneWebhookEvents(keep: Int64, longest: Int64) async throws(LedgerError) -> Int
}

/// A part of the outbox, as one subscription is told of it.
package struct WebhookPage: Sendable {
    /// The events in their order.
    package var messages: [WebhookMessage] = []
    /// The row to continue from.
    package var next: Int64
    /// The highest row that was removed, perhaps before anybody was told of it.
    package var pruned: Int64
    /// The outbox has nothing from `next` on.
    package var isLast = true
    /// The subscription is still as it was read. It is not where an order has changed it, or where an older copy of the ledger has taken
    /// its place, whose outbox ends before the row that was asked for.
    package var isCurrent = true
    /// Rows that nobody can read, each with why. They are told to nobody, and stay in the table `webhook_event` until they are pruned.
    package var damaged: [String] = []

    package init(next: Int64, pruned: Int64) { (self.next, self.pruned) = (next, pruned) }
}

/// An event with what is looked up when it is told.
package struct WebhookMessage: Sendable, Equatable {
    package var place: WebhookPlace
    package var event: WebhookEvent
    package var mailing: MailingID
    /// The mailing's name and number; nil for none.
    package var name: String
    package var number: Int?
    package var channel: String
    /// The recipient's id and address; empty where they were erased, or are not kept any more.
    package var recipient = ""
    package var address = ""

    package init(place: WebhookPlace, event: WebhookEvent, mailing: MailingID, name: String, number: Int?, channel: String) {
        (self.place, self.event, self.mailing) = (place, event, mailing)
        (self.name, self.number, self.channel) = (name, number, channel)
    }
}

/// How far a subscription was told, as it is stored.
package struct WebhookProgress: Sendable {
    package var id: String
    package var revision: Int64
    /// Those that have changed.
    package var parts: [WebhookPart]
    package var lastSuccess: Int64?
    package var firstFailure: Int64?
    package var problem: String

    package init(_ subscription: WebhookSubscription, parts: [WebhookPart]) {
        (id, revision, self.parts) = (subscription.id, subscription.revision, parts)
        (lastSuccess, firstFailure, problem) = (subscription.lastSuccess, subscription.firstFailure, subscription.problem)
    }
}

/// What became of a new secret.
package enum SecretRotation: Sendable, Equatable {
    case rotated
    /// The secret before the present one still signs, until then (milliseconds since 1970): nothing was changed.
    case oldSigns(until: Int64)
    case noSubscription
}
