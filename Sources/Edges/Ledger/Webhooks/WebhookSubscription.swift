package import Model
package import Text

/// Another system that is told of events by webhooks. Times are milliseconds since 1970.
package struct WebhookSubscription: Sendable, Equatable {
    package enum State: String, Sendable {
        case active, disabled
    }

    package var id: String
    /// Where the messages go; it may have user information in it.
    package var url: Secret
    package var types: WebhookTypes
    /// The messages have recipients' addresses.
    package var addresses: Bool
    /// A URL without TLS that is not of this machine is wanted.
    package var insecure: Bool
    /// Parts of the recipients that are told of at once; those of one part are told of one after the other.
    package var parts: Int
    /// `whsec_…`.
    package var secret: Secret
    /// The secret before, and until when messages are signed by it too.
    package var oldSecret: Secret?
    package var oldUntil: Int64?
    package var state = State.active
    /// Why it is disabled, for people.
    package var why = ""
    package var created: Int64
    package var stateChanged: Int64
    /// Grows with each order about it.
    package var revision: Int64 = 0
    package var lastSuccess: Int64?
    /// Since when no message was taken; nil where the last one was.
    package var firstFailure: Int64?
    /// What was wrong with the last attempt; empty for nothing.
    package var problem = ""
    /// Of rows before `replayEnd` those that were written after this are not told again; nil for none.
    package var replayUntil: Int64?
    package var replayEnd: Int64 = 0

    /// What orders of persons say of a new one.
    package init(id: String, url: Secret, types: WebhookTypes, parts: Int, secret: Secret, now: Int64) {
        (self.id, self.url, self.types, self.parts, self.secret) = (id, url, types, parts, secret)
        (addresses, insecure, created, stateChanged) = (false, false, now, now)
    }

    /// Its URL as logs, errors and lists show it.
    package var shownURL: String { ParsedURL.withoutSecrets(url.exposed) }

    /// The secrets that sign a message at a time, the newest first.
    package func secrets(now: Int64) -> [Secret] {
        guard let oldSecret, let oldUntil, now < oldUntil else { return [secret] }
        return [secret, oldSecret]
    }
}

/// How far a part of a subscription's recipients was told.
package struct WebhookPart: Sendable, Equatable {
    package var number: Int
    /// All before it is told.
    package var place: WebhookPlace
    /// Of the event at `place`: attempts that failed, since when, and when the next is due, in milliseconds since 1970.
    package var attempts = 0
    package var since: Int64?
    package var due: Int64 = 0

    package init(number: Int, place: WebhookPlace) { (self.number, self.place) = (number, place) }
}

/// A place in the outbox: a row, and an event in it, from 0.
package struct WebhookPlace: Sendable, Comparable {
    package var sequence: Int64
    package var item: Int

    package init(_ sequence: Int64, _ item: Int = 0) { (self.sequence, self.item) = (sequence, item) }

    package static func < (left: WebhookPlace, right: WebhookPlace) -> Bool {
        (left.sequence, left.item) < (right.sequence, right.item)
    }

    /// The place behind it in the same row.
    package var next: WebhookPlace { WebhookPlace(sequence, item + 1) }
}
