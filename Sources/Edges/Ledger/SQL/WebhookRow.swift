import Model
import Text

/// The row of a subscription.
enum WebhookRow {
    static let columns = """
        id, url, types, addresses, insecure, parts, secret, old_secret, old_until, state, why, created, state_changed, revision,
        last_success, first_failure, problem, replay_until, replay_end
        """

    static func read(_ row: any SQLRow) throws -> WebhookSubscription {
        guard let state = try WebhookSubscription.State(rawValue: row.read(9)) else { throw SQLDamage(row, 9, "is no state") }
        var one = try WebhookSubscription(
            id: row.read(0), url: Secret(row.read(1)), types: WebhookTypes(mask: row.read(2)), parts: row.read(5),
            secret: Secret(row.read(6)), now: row.read(11))
        guard (1...WebhookSubscription.mostParts).contains(one.parts) else { throw SQLDamage(row, 5, "is out of range") }
        one.addresses = try row.read(3)
        one.insecure = try row.read(4)
        one.oldSecret = try (row.read(7) as String?).map { Secret($0) }
        one.oldUntil = try row.read(8)
        (one.state, one.why) = try (state, row.read(10))
        one.stateChanged = try row.read(12)
        one.revision = try row.read(13)
        one.lastSuccess = try row.read(14)
        one.firstFailure = try row.read(15)
        one.problem = try row.read(16)
        one.replayUntil = try row.read(17)
        one.replayEnd = try row.read(18)
        return one
    }

    static func find(_ db: any SQLTransaction, _ id: String) throws -> WebhookSubscription? {
        try db.row("SELECT \(columns) FROM webhook WHERE id = ?\(db.locking)", [id]).map(read)
    }

    static func all(_ db: any SQLTransaction) throws -> [WebhookSubscription] {
        try db.allRows("SELECT \(columns) FROM webhook ORDER BY created, id").map(read)
    }

    static func insert(_ db: any SQLTransaction, _ one: WebhookSubscription) throws {
        try db.insert(
            into: "webhook", columns.split(whereSeparator: \.isNewline).joined(separator: " "),
            [
                [
                    one.id, one.url.exposed, one.types.mask, one.addresses, one.insecure, one.parts, one.secret.exposed,
                    one.oldSecret?.exposed, one.oldUntil, one.state.rawValue, one.why, one.created, one.stateChanged, one.revision,
                    one.lastSuccess, one.firstFailure, one.problem, one.replayUntil, one.replayEnd,
                ]
            ])
    }

    /// Notes which types are wanted by anybody: whoever writes into the outbox looks there.
    static func noteWanted(_ db: any SQLTransaction) throws {
        let wanted = try all(db).filter { $0.state == .active }.reduce(WebhookTypes([])) { $0.union($1.types) }
        try db.run("UPDATE webhook_head SET wanted = ?", [wanted.mask])
    }

    /// The highest number of a row.
    static func last(_ db: any SQLTransaction) throws -> Int64 {
        guard let last = try db.one(Int64.self, "SELECT last FROM webhook_head") else {
            throw SQLDamage("the table webhook_head has no row")
        }
        return last
    }

    /// Puts all parts of a subscription at a place.
    static func place(_ db: any SQLTransaction, _ one: WebhookSubscription, at sequence: Int64) throws {
        try db.run("DELETE FROM webhook_part WHERE webhook = ?", [one.id])
        try db.insert(
            into: "webhook_part", "webhook, part, sequence, item, attempts, due",
            (0..<one.parts).map { [one.id, $0, sequence, 0, 0, 0] })
    }
}

extension WebhookSubscription {
    /// Parts at most, and subscriptions of a ledger.
    package static let mostParts = 64
    package static let most = 100
}
