import Model

/// What happens within one transaction and webhooks tell of. It is written as the last thing that the transaction does: whoever writes
/// takes the next numbers of `webhook_head`, and keeps its row until it has committed. So numbers are committed in their order, and a
/// reader who has seen one has seen all before it, however many collectors write.
final class WebhookOutbox {
    /// Events of a row at most.
    static let most = 500

    /// The types that active subscriptions want; nil before it was asked, which is once in a transaction. It is not kept for the next one:
    /// another process may have added a subscription meanwhile, which is told of all that is written from then on.
    private var wanted: WebhookTypes?
    private var events: [MailingID: [WebhookEvent]] = [:]
    private var order: [MailingID] = []

    func wants(_ type: WebhookType, _ db: any SQLTransaction) throws -> Bool {
        if let wanted { return wanted.contains(type) }
        let found = WebhookTypes(mask: try db.one(Int64.self, "SELECT wanted FROM webhook_head") ?? 0)
        wanted = found
        return found.contains(type)
    }

    func add(_ event: WebhookEvent, of mailing: MailingID) {
        if events[mailing] == nil { order.append(mailing) }
        // Of several states of a mailing in one transaction the last one holds.
        if event.type.isOfMailing { events[mailing]?.removeAll { $0.type.isOfMailing } }
        events[mailing, default: []].append(event)
    }

    /// Writes what came.
    func store(_ db: any SQLTransaction) throws {
        guard !order.isEmpty else { return }
        let now = Clock.milliseconds()
        var rows: [[any SQLConvertible]] = []
        for mailing in order {
            let all = events[mailing] ?? []
            for start in stride(from: 0, to: all.count, by: Self.most) {
                let part = Array(all[start..<min(start + Self.most, all.count)])
                rows.append([now, mailing.description, WebhookTypes(part.map(\.type)).mask, part.count, part.packed()])
            }
        }
        (events, order) = ([:], [])
        let last = try db.one(Int64.self, "UPDATE webhook_head SET last = last + ? RETURNING last", [rows.count])
        guard let last else { throw SQLDamage("the table webhook_head has no row") }
        let first = last - Int64(rows.count) + 1
        try db.insert(
            into: "webhook_event", "sequence, at, mailing, types, n, data", rows.enumerated().map { [first + Int64($0)] + $1 })
    }
}

extension SQLTransaction {
    /// Notes that a recipient has a new state, for webhooks.
    func tell(_ state: RecipientState, of batch: BatchID, _ index: Int, at: Int64, attempts: Int) throws {
        guard let type = WebhookType(state), try outbox.wants(type, self) else { return }
        var event = WebhookEvent(type, batch: batch.number, index: index, at: at)
        event.attempt = attempts
        outbox.add(event, of: batch.mailing)
    }

    /// Notes that a result moved a recipient, for webhooks.
    /// - Parameter provider: that the attempt went to; empty for none.
    func tell(_ result: RecipientResult, of batch: BatchID, provider: String) throws {
        guard let type = WebhookType(result.state), try outbox.wants(type, self) else { return }
        var event = WebhookEvent(type, batch: batch.number, index: result.index, at: result.at)
        (event.attempt, event.provider) = (result.attempts, provider)
        if let response = result.response {
            (event.code, event.reason, event.messageID) = (response.code, response.reason.rawValue, response.messageID)
        }
        outbox.add(event, of: batch.mailing)
    }

    /// Notes that a mailing is in a new state, for webhooks.
    func tell(_ state: MailingState, of mailing: MailingID, at: Int64) throws {
        guard let type = WebhookType(state), try outbox.wants(type, self) else { return }
        outbox.add(WebhookEvent(type, at: at), of: mailing)
    }
}
