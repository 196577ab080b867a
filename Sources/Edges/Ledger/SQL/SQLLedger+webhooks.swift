import Model
package import Text

extension SQLLedger: WebhookStore {
    package func addWebhook(_ new: WebhookSubscription, note: AuditNote?) async throws(LedgerError) {
        try await write("webhooks") { db in
            guard try (db.one(Int.self, "SELECT count(*) FROM webhook") ?? 0) < WebhookSubscription.most else {
                throw LedgerError.refused(
                    "there are \(WebhookSubscription.most) subscriptions already; flotilla webhooks remove those that nobody needs")
            }
            try WebhookRow.insert(db, new)
            try WebhookRow.place(db, new, at: WebhookRow.last(db) + 1)
            try WebhookRow.noteWanted(db)
            try Self.note(
                db, note, on: .webhook(new.id), before: AuditedValues(), after: AuditedValues(webhook: new), now: new.created)
        }
    }

    package func webhooks() async throws(LedgerError) -> [(subscription: WebhookSubscription, waiting: Int)] {
        try await read("listing webhooks") { db in
            try WebhookRow.all(db).map { one in
                let waiting = try db.one(
                    Int.self,
                    """
                    SELECT count(*) FROM webhook_event
                    WHERE sequence >= (SELECT min(sequence) FROM webhook_part WHERE webhook = ?) AND (types & ?) <> 0
                    """, [one.id, one.types.mask])
                return (one, waiting ?? 0)
            }
        }
    }

    package func activeWebhooks() async throws(LedgerError) -> [String] {
        try await read("looking for webhooks") { db in
            try db.all(String.self, "SELECT id FROM webhook WHERE state = 'active' ORDER BY created, id")
        }
    }

    package func removeWebhook(_ id: String, note: AuditNote?, now: Int64) async throws(LedgerError) -> Bool {
        try await write("webhooks") { db in
            guard let one = try WebhookRow.find(db, id) else { return false }
            try db.run("DELETE FROM webhook_part WHERE webhook = ?", [id])
            try db.run("DELETE FROM webhook WHERE id = ?", [id])
            try WebhookRow.noteWanted(db)
            try Self.note(db, note, on: .webhook(id), before: AuditedValues(webhook: one), after: AuditedValues(), now: now)
            return true
        }
    }

    package func setWebhook(
        _ id: String, to state: WebhookSubscription.State, why: String, note: AuditNote?, now: Int64
    ) async throws(LedgerError) -> Bool? {
        try await write("webhooks") { db in
            guard let one = try WebhookRow.find(db, id) else { return nil }
            guard one.state != state else { return false }
            try db.run(
                """
                UPDATE webhook SET state = ?, why = ?, state_changed = ?, revision = revision + 1, first_failure = NULL, problem = ''
                WHERE id = ?
                """, [state.rawValue, why, now, id])
            // Whoever enables it has repaired the receiver: nobody waits for a message that is due later.
            try db.run("UPDATE webhook_part SET attempts = 0, since = NULL, due = 0 WHERE webhook = ?", [id])
            try WebhookRow.noteWanted(db)
            var (before, after) = (AuditedValues(), AuditedValues())
            (before.state, after.state) = (one.state.rawValue, state.rawValue)
            if !why.isEmpty { after.reason = why }
            try Self.note(db, note, on: .webhook(id), before: before, after: after, now: now)
            return true
        }
    }

    package func rotateWebhookSecret(
        _ id: String, to secret: Secret, oldUntil: Int64, endsOld: Bool, note: AuditNote?, now: Int64
    ) async throws(LedgerError) -> SecretRotation {
        try await write("webhooks") { db in
            guard let one = try WebhookRow.find(db, id) else { return .noSubscription }
            if !endsOld, let until = one.oldUntil, until > now { return .oldSigns(until: until) }
            try db.run(
                "UPDATE webhook SET old_secret = secret, old_until = ?, secret = ?, revision = revision + 1 WHERE id = ?",
                [oldUntil, secret.exposed, one.id])
            try Self.note(db, note, on: .webhook(id), before: AuditedValues(), after: AuditedValues(), now: now)
            return .rotated
        }
    }

    package func replayWebhook(
        _ id: String, since: Int64, until: Int64?, note: AuditNote?, now: Int64
    ) async throws(LedgerError) -> Int? {
        try await write("webhooks") { db in
            guard let one = try WebhookRow.find(db, id) else { return nil }
            let told = try db.one(Int64.self, "SELECT max(sequence) FROM webhook_part WHERE webhook = ?", [id]) ?? 0
            let least = try db.one(Int64.self, "SELECT min(sequence) FROM webhook_part WHERE webhook = ?", [id]) ?? 0
            let first = try db.one(Int64.self, "SELECT min(sequence) FROM webhook_event WHERE at >= ?", [since])
            guard let first, first < told else { return 0 }
            let count = try db.one(
                Int.self,
                """
                SELECT sum(n) FROM webhook_event
                WHERE sequence >= ?1 AND sequence < ?2 AND (types & ?3) <> 0 AND (?4 IS NULL OR at <= ?4)
                """, [first, told, one.types.mask, until])
            // What it is not told of yet stays, so a part that is behind the replay is not put forward.
            try WebhookRow.place(db, one, at: min(first, least))
            try db.run(
                "UPDATE webhook SET replay_until = ?, replay_end = ?, revision = revision + 1 WHERE id = ?", [until, least, id])
            var after = AuditedValues()
            after.since = MailingReport.text(since)
            after.until = until.map { MailingReport.text($0) }
            try Self.note(db, note, on: .webhook(id), before: AuditedValues(), after: after, now: now)
            return count ?? 0
        }
    }
}

extension AuditedValues {
    /// What of a subscription may be seen.
    fileprivate init(webhook one: WebhookSubscription) {
        self.init()
        state = one.state.rawValue
        url = one.shownURL
        types = one.types.names.joined(separator: ",")
    }
}
