package import Ledger
package import Model
import Policy
import Signing
package import Text

/// Has another system be told of what happens from now on.
package struct AddWebhook: Order {
    package let subscription: WebhookSubscription

    package init(_ subscription: WebhookSubscription) { self.subscription = subscription }

    package var kind: AuditNote.Order { .addWebhook }
    package var object: AuditedObject { .webhook(subscription.id) }

    package func carryOut(_ context: OrderContext) async throws(OrderError) {
        if let fault = subscription.fault { throw .refused(fault) }
        try await OrderError.mapping { () async throws(LedgerError) in
            try await context.ledger.addWebhook(subscription, note: context.note)
        }
    }
}

/// Tells a system of nothing more.
package struct RemoveWebhook: Order {
    package let id: String

    package init(_ id: String) { self.id = id }

    package var kind: AuditNote.Order { .removeWebhook }
    package var object: AuditedObject { .webhook(id) }

    package func carryOut(_ context: OrderContext) async throws(OrderError) {
        let isRemoved = try await OrderError.mapping { () async throws(LedgerError) in
            try await context.ledger.removeWebhook(id, note: context.note, now: context.now)
        }
        guard isRemoved else { throw .noWebhook(id) }
    }
}

/// Enables a subscription, which is told of what the outbox still has for it, or disables it.
package struct SwitchWebhook: Order {
    package let id: String
    package let state: WebhookSubscription.State

    package init(_ id: String, _ state: WebhookSubscription.State) { (self.id, self.state) = (id, state) }

    package var kind: AuditNote.Order { state == .active ? .enableWebhook : .disableWebhook }
    package var object: AuditedObject { .webhook(id) }

    package func obstacle(_ isChanged: Bool) -> OrderObstacle? { isChanged ? nil : .unchanged("it is \(state.rawValue) already") }

    /// - Returns: whether it was in the other state.
    package func carryOut(_ context: OrderContext) async throws(OrderError) -> Bool {
        let isChanged = try await OrderError.mapping { () async throws(LedgerError) in
            try await context.ledger.setWebhook(
                id, to: state, why: state == .active ? "" : "disabled by \(context.actor)", note: context.note, now: context.now)
        }
        guard let isChanged else { throw .noWebhook(id) }
        return isChanged
    }
}

/// Gives a subscription a new secret. For a day messages are signed by the old one too.
package struct RotateWebhookSecret: Order {
    /// How long both sign, in milliseconds.
    package static let overlap: Int64 = 86_400_000

    package let id: String
    package let secret: Secret
    /// An earlier secret that still signs ends at once.
    package let endsOld: Bool

    package init(_ id: String, to secret: Secret, endsOld: Bool = false) { (self.id, self.secret, self.endsOld) = (id, secret, endsOld) }

    package var kind: AuditNote.Order { .rotateWebhookSecret }
    package var object: AuditedObject { .webhook(id) }

    package func carryOut(_ context: OrderContext) async throws(OrderError) {
        do { _ = try WebhookSecret(secret) } catch { throw .refused("the secret \(error)") }
        let rotation = try await OrderError.mapping { () async throws(LedgerError) in
            try await context.ledger.rotateWebhookSecret(
                id, to: secret, oldUntil: context.now + Self.overlap, endsOld: endsOld, note: context.note, now: context.now)
        }
        switch rotation {
        case .rotated: break
        case .noSubscription: throw .noWebhook(id)
        case .oldSigns(let until):
            throw .refused(
                """
                its secret was changed less than a day ago, and the one before signs until \(Moment(milliseconds: until)): a receiver \
                that has only that one would refuse what is signed by the two new ones. Change it after that, or at once with --end-old
                """)
        }
    }
}

/// Has a subscription be told again of what was written to the outbox in some time.
package struct ReplayWebhook: Order {
    package let id: String
    /// Milliseconds since 1970.
    package let since: Int64
    package let until: Int64?

    package init(_ id: String, since: Int64, until: Int64?) { (self.id, self.since, self.until) = (id, since, until) }

    package var kind: AuditNote.Order { .replayWebhook }
    package var object: AuditedObject { .webhook(id) }

    package func obstacle(_ count: Int) -> OrderObstacle? {
        count > 0 ? nil : .unchanged("the outbox has nothing of that time that was told already")
    }

    /// - Returns: events that it is told of again, at most.
    package func carryOut(_ context: OrderContext) async throws(OrderError) -> Int {
        if let until, until < since { throw .refused("the end of the time to replay is before its beginning") }
        let count = try await OrderError.mapping { () async throws(LedgerError) in
            try await context.ledger.replayWebhook(id, since: since, until: until, note: context.note, now: context.now)
        }
        guard let count else { throw .noWebhook(id) }
        return count
    }
}

extension OrderError {
    fileprivate static func noWebhook(_ id: String) -> OrderError {
        .refused("there is no subscription '\(id)'; flotilla webhooks list shows them")
    }
}

extension WebhookSubscription {
    /// Bytes of a URL at most.
    private static let longestURL = 2000

    /// Why nobody can be told of anything by it; nil where that can be.
    package var fault: String? {
        do { _ = try WebhookSecret(secret) } catch { return "the secret \(error)" }
        guard url.exposed.utf8.count <= Self.longestURL else { return "the URL is longer than \(Self.longestURL) bytes" }
        let parsed: Provider
        do { parsed = try ProviderURL.parse(url.exposed, allowingPassword: true) } catch { return "the URL \(error)" }
        switch parsed.scheme {
        case .https: break
        case .http where insecure || URLHost.isLoopback(parsed.host): break
        case .http:
            return """
                the URL has no TLS: what the messages say could be read and changed on their way; write https, or --insecure where that \
                is wanted
                """
        case .smtp, .smtps: return "the URL is neither https nor http"
        }
        guard types.mask != 0 else { return "no event type is wanted" }
        guard (1...Self.mostParts).contains(parts) else { return "the connections are 1 to \(Self.mostParts)" }
        return nil
    }
}
