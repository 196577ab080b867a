import Model
import Policy

/// What follows from events, in the transaction that counts them.
extension EventWriting {
    /// Who gave the order, in the audit log.
    private static let actor = "recipient"

    /// Suppresses who unsubscribed, lets those be sent to who subscribed again, and takes those as sent who were held and have their
    /// message.
    /// - Parameter now: milliseconds since 1970.
    func apply(now: Int64) throws -> EventSummary {
        var summary = summary
        // Rows of recipients are locked before the list of suppressions, as by results and receipts. Whoever unsubscribes stays on it.
        let settled = try settle(now: now)
        summary.settled = settled.moved[.sent] ?? 0
        try SoftBounces.reset(db, visited)
        var added: [Suppression.Key: Suppression] = [:]
        var removed = Set(settled.unsuppressed)
        for (mailing, choices) in Dictionary(grouping: choices, by: \.batch.mailing).sorted(by: { $0.key < $1.key }) {
            guard let target = try Self.target(db, of: mailing) else { continue }
            for (number, choices) in Dictionary(grouping: choices, by: \.batch.number).sorted(by: { $0.key < $1.key }) {
                let batch = BatchID(mailing: mailing, number: number)
                guard let wire = try SQLLedger.batchText(db, batch), let recipients = try? Recipients(decodingAddresses: wire) else {
                    continue
                }
                for choice in choices where choice.index < recipients.count {
                    let address = Self.address(recipients, choice.index, target.channel)
                    // The values of a person who was erased are not there any more.
                    guard !address.isEmpty else {
                        summary.withoutAddress += 1
                        continue
                    }
                    let key = Suppression.Key(target.channel, address, category: target.category)
                    let isBack = try choose(
                        key, choice.isUnsubscribed, at: choice.at, source: batch.message(choice.index), &added, &removed, now: now)
                    if isBack { try tellSubscribed(batch, choice.index, at: choice.at) }
                }
            }
        }
        summary.withoutAddress += try applyPruned(&added, &removed, now: now)
        summary.withoutAddress += try applyPreferences(&added, &removed, now: now)
        summary.suppressed = Array(added.values)
        summary.unsuppressed = Array(removed)
        summary.suppressedBefore = try suppressedBefore(now: now)
        return summary
    }

    /// Who is still on the list for another reason is not told of.
    private func tellSubscribed(_ batch: BatchID, _ index: Int, at time: Int64) throws {
        guard try db.outbox.wants(.resubscribed, db) else { return }
        var one = WebhookEvent(.resubscribed, batch: batch.number, index: index, at: time)
        one.visitor = .human
        db.outbox.add(one, of: batch.mailing)
    }

    /// Carries out what one recipient chose.
    /// - Returns: whether somebody who was on the list is on it no more.
    @discardableResult
    func choose(
        _ key: Suppression.Key, _ isUnsubscribed: Bool, at time: Int64, source: String,
        _ added: inout [Suppression.Key: Suppression], _ removed: inout Set<Suppression.Key>, now: Int64
    ) throws -> Bool {
        if isUnsubscribed {
            let one = Suppression(key, reason: .unsubscribe, source: source, at: time)
            if isLogged, try SQLLedger.isRemoved(db, one) { return false }
            let change = try SQLLedger.suppress(db, [one], SuppressionAudit(AuditNote(.suppress, actor: Self.actor)), now: now)
            guard change.added + change.replaced > 0 else { return false }
            added[key] = one
            removed.remove(key)
            return false
        }
        if let old = try SQLLedger.suppression(db, key), old.reason == .unsubscribe, old.at <= time {
            // What somebody else put on the list, or they themselves since, stays.
            let audit = SuppressionAudit(AuditNote(.unsuppress, actor: Self.actor))
            let gone = try SQLLedger.unsuppress(db, [key], audit, now: now)
            for one in gone {
                added[one.key] = nil
                removed.insert(one.key)
            }
            return !gone.isEmpty
        }
        return false
    }

    /// The suppressions in force of those who unsubscribed by events that had been counted before.
    private func suppressedBefore(now: Int64) throws -> [Suppression] {
        var found: [Suppression.Key: Suppression] = [:]
        for (batch, choices) in Dictionary(grouping: choicesAgain, by: \.batch) {
            guard let target = try Self.target(db, of: batch.mailing), let wire = try SQLLedger.batchText(db, batch),
                let recipients = try? Recipients(decodingAddresses: wire)
            else { continue }
            for index in Set(choices.map(\.index)) where index < recipients.count {
                let address = Self.address(recipients, index, target.channel)
                guard !address.isEmpty else { continue }
                let key = Suppression.Key(target.channel, address, category: target.category)
                guard let one = try SQLLedger.suppression(db, key), one.expires.map({ $0 > now }) ?? true else { continue }
                found[key] = one
            }
        }
        for one in try preferencesBefore(now: now) { found[one.key] = one }
        return found.values.sorted { $0.key.address < $1.key.address }
    }

    /// Held recipients at most that are looked at, the last ones first.
    private static let mostVisited = 1000

    /// Finds those by whose messages people came before the recipients were held: it takes a while until a message is known to be
    /// uncertain.
    /// - Parameter id: of this mailing alone; nil for all.
    mutating func findVisited(of id: MailingID?) throws {
        let rows = try db.allRows(
            """
            SELECT u.mailing, u.batch, u.idx, g.data FROM uncertain u
            JOIN event_group g ON g.mailing = u.mailing AND g.batch = u.batch AND g.part = u.idx / \(StoredEventGroup.size)
            JOIN progress p ON p.mailing = u.mailing AND p.number = u.batch
            WHERE \(id == nil ? "0 = 0" : "u.mailing = ?2") \(SQLLedger.isHeld) ORDER BY u.at DESC LIMIT ?1
            """, id.map { [Self.mostVisited, $0.description] } ?? [Self.mostVisited])
        for row in rows {
            // What is damaged holds up no other.
            guard let text = try? row.text(0), let mailing = MailingID(text), let number = try? row.read(1) as Int,
                let index = try? row.read(2) as Int, index >= 0,
                let events = try? StoredEventGroup(row.read(3)).events(at: index % StoredEventGroup.size),
                events.contains(where: { $0.visitor != .machine && $0.isCounted })
            else { continue }
            arrivals.append(Arrival(batch: BatchID(mailing: mailing, number: number), index: index))
        }
    }

    private func settle(now: Int64) throws -> WriteSummary {
        let held = try arrivals.filter { try isSound($0.batch) }
        guard !held.isEmpty else { return WriteSummary() }
        var writing = SQLLedger.ResultWriting(db, now: now)
        try writing.take(held.map { LateNews(batch: $0.batch, index: $0.index, news: .person(.opened)) })
        return try writing.finish()
    }

    /// A batch whose progress is damaged settles nothing, and does not hold up other batches' events.
    private func isSound(_ batch: BatchID) throws -> Bool {
        do { return try BatchProgress.load(db, batch) != nil } catch is SQLDamage { return false }
    }

    /// Whom a mailing's links unsubscribe from: its category, or all mailings of its channel.
    static func target(_ db: any SQLTransaction, of mailing: MailingID) throws -> SuppressionTarget? {
        guard let row = try db.row("SELECT channel, category FROM mailing WHERE id = ?", [mailing.description]),
            let channel = try Channel(rawValue: row.read(0))
        else { return nil }
        return try SuppressionTarget(channel, category: row.read(1))
    }

    static func address(_ recipients: Recipients, _ index: Int, _ channel: Channel) -> String {
        var key: [UInt8] = []
        recipients.bytes.withUnsafeBufferPointer { bytes in
            AddressKey.append(of: UnsafeBufferPointer(rebasing: bytes[recipients.range(index, 1)]), channel, to: &key)
        }
        return String(decoding: key, as: UTF8.self)
    }
}
