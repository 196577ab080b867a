/// What other systems are told of by webhooks. The raw value is its place among the bits of `WebhookTypes` and in the ledger's outbox: it
/// never changes.
package enum WebhookType: UInt8, Sendable, CaseIterable {
    case sent = 0
    case delivered, failed, expired, stopped, skipped, uncertain
    case opened, viewed, clicked, unsubscribed, resubscribed, complained, bounced, preferences
    case mailingSending, mailingPaused, mailingSent, mailingStopped, mailingFailed

    /// As the message has it.
    package var name: String {
        switch self {
        case .sent: "recipient.sent"
        case .delivered: "recipient.delivered"
        case .failed: "recipient.failed"
        case .expired: "recipient.expired"
        case .stopped: "recipient.stopped"
        case .skipped: "recipient.skipped"
        case .uncertain: "recipient.uncertain"
        case .opened: "recipient.opened"
        case .viewed: "recipient.viewed"
        case .clicked: "recipient.clicked"
        case .unsubscribed: "recipient.unsubscribed"
        case .resubscribed: "recipient.resubscribed"
        case .complained: "recipient.complained"
        case .bounced: "recipient.bounced"
        case .preferences: "recipient.preferences"
        case .mailingSending: "mailing.sending"
        case .mailingPaused: "mailing.paused"
        case .mailingSent: "mailing.sent"
        case .mailingStopped: "mailing.stopped"
        case .mailingFailed: "mailing.failed"
        }
    }

    /// It is about a mailing as a whole.
    package var isOfMailing: Bool { rawValue >= Self.mailingSending.rawValue }

    /// The state of a recipient, or of a mailing, that it tells of; nil for an event.
    package var state: String? {
        switch self {
        case .opened, .viewed, .clicked, .unsubscribed, .resubscribed, .complained, .bounced, .preferences: nil
        default: String(name.drop { $0 != "." }.dropFirst())
        }
    }

    /// - Returns: nil for a state that nobody is told of, as it does not last.
    package init?(_ state: RecipientState) {
        switch state {
        case .planned, .deferred: return nil
        case .uncertain: self = .uncertain
        case .stopped: self = .stopped
        case .skipped: self = .skipped
        case .expired: self = .expired
        case .failed: self = .failed
        case .sent: self = .sent
        case .delivered: self = .delivered
        }
    }

    package init?(_ state: MailingState) {
        switch state {
        case .sending: self = .mailingSending
        case .paused: self = .mailingPaused
        case .sent: self = .mailingSent
        case .stopped: self = .mailingStopped
        case .failed: self = .mailingFailed
        case .draft, .scheduled, .collecting: return nil
        }
    }

    package init(_ action: TrackedAction) {
        switch action {
        case .open: self = .opened
        case .click: self = .clicked
        case .unsubscribe: self = .unsubscribed
        case .resubscribe: self = .resubscribed
        case .view: self = .viewed
        case .preferences: self = .preferences
        }
    }

    package init(_ kind: EventKind) {
        switch kind {
        case .opened: self = .opened
        case .clicked: self = .clicked
        case .unsubscribed: self = .unsubscribed
        case .complained: self = .complained
        case .bounced: self = .bounced
        }
    }
}

/// A set of types, as the ledger keeps it.
package struct WebhookTypes: Sendable, Hashable {
    /// A bit for each type.
    package let mask: Int64

    package init(mask: Int64) { self.mask = mask & Self.all.mask }

    private init(every mask: Int64) { self.mask = mask }

    package init(_ types: some Sequence<WebhookType>) { self.init(mask: types.reduce(0) { $0 | 1 << Int64($1.rawValue) }) }

    /// Also those of later releases.
    package static let all = WebhookTypes(every: 1 << 60 - 1)

    package func contains(_ type: WebhookType) -> Bool { mask >> Int64(type.rawValue) & 1 == 1 }

    package func union(_ other: WebhookTypes) -> WebhookTypes { WebhookTypes(mask: mask | other.mask) }

    /// Reads names, or patterns as `recipient.*`, or `*` for all.
    /// - Throws: `WebhookTypesError`.
    package init(_ names: [String]) throws(WebhookTypesError) {
        guard !names.contains("*") else {
            self = .all
            return
        }
        var found: Set<WebhookType> = []
        for name in names {
            let types = WebhookType.allCases.filter { name.hasSuffix(".*") ? $0.name.hasPrefix(name.dropLast()) : $0.name == name }
            guard !types.isEmpty else { throw WebhookTypesError(name: name) }
            found.formUnion(types)
        }
        self.init(found)
    }

    /// The names of its types; `*` for all.
    package var names: [String] {
        self == .all ? ["*"] : WebhookType.allCases.filter(contains).map(\.name)
    }
}

/// No type has the name.
package struct WebhookTypesError: Error, Equatable, Sendable, CustomStringConvertible {
    package let name: String

    package var description: String {
        """
        no event type is called '\(name)'; there are \(WebhookType.allCases.map(\.name).joined(separator: ", ")), recipient.*, \
        mailing.* and *
        """
    }
}
