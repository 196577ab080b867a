import Model
import Policy

/// The writing of receipts within one transaction: each finds its message, and becomes news of its recipient.
struct ReceiptWriting {
    /// A receipt with its recipient.
    struct Found {
        var receipt: ProviderReceipt
        var batch: BatchID
        var index: Int

        /// When it happened, in milliseconds since 1970.
        var at: Int64 { receipt.time ?? receipt.arrived }
    }

    let db: any SQLTransaction
    let rules: SuppressionRules
    /// Milliseconds since 1970.
    let now: Int64
    var summary = ReceiptSummary()
    /// Somebody was erased from this ledger.
    let hasErasures: Bool
    /// The addresses of batches that were looked at; nil for one that has none.
    var addresses: [BatchID: Recipients?] = [:]

    init(_ db: any SQLTransaction, suppressing rules: SuppressionRules, now: Int64) throws {
        (self.db, self.rules, self.now) = (db, rules, now)
        hasErasures = try db.one(Bool.self, "SELECT EXISTS (SELECT 1 FROM erasure)") == true
    }

    /// - Returns: those that name no message of this ledger, or are of a kind that is not known.
    mutating func add(_ receipts: [ProviderReceipt]) throws -> [ProviderReceipt] {
        var (found, rest) = try find(receipts.filter { $0.kind != .unknown })
        rest += receipts.filter { $0.kind == .unknown }
        summary.machines += found.count { $0.receipt.isMachine }
        found.removeAll { $0.receipt.isMachine }
        guard !found.isEmpty else { return rest }
        var writing = SQLLedger.ResultWriting(db, now: now)
        var news: [LateNews] = []
        for (one, isNew) in zip(found, try note(found, &writing)) {
            if !isNew { summary.duplicates += 1 } else if Self.event(of: one.receipt.kind) != nil { count(one) }
            if let fact = Self.fact(one.receipt.kind) {
                news.append(
                    LateNews(
                        batch: one.batch, index: one.index, news: fact, at: moment(of: one), text: Self.words(one.receipt),
                        reason: one.receipt.reason, isHard: Self.isHard(one.receipt), isRepeated: !isNew))
            }
        }
        try writing.take(news)
        let written = try writing.finish()
        (summary.moved, summary.unsuppressed, summary.braked) = (written.moved, written.unsuppressed, written.braked)
        // What has no row of its own is new where it moved somebody.
        if let count = summary.moved[.delivered] { summary.counted[.delivered] = count }
        try SoftBounces.reset(db, Set(found.filter { Self.hasArrived($0.receipt.kind) }.map { .init(batch: $0.batch, index: $0.index) }))
        try suppress(found, writing)
        return rest
    }

    /// When it happened, for the timeline: a provider's clock does not stretch it.
    private func moment(of one: Found) -> Int64 { min(max(one.at, now - MessageReference.days * 86_400_000), now) }

    private mutating func count(_ one: Found) { summary.counted[one.receipt.kind, default: 0] += 1 }

    /// The event that the ledger keeps; nil where the recipient's state says it all.
    static func event(of kind: ProviderReceipt.Kind) -> EventKind? {
        switch kind {
        case .bounced, .undelivered, .rejected: .bounced
        case .complained: .complained
        case .opened: .opened
        case .clicked: .clicked
        case .unsubscribed: .unsubscribed
        case .accepted, .delivered, .deferred, .resubscribed, .unknown: nil
        }
    }

    /// What a receipt says of the message.
    static func fact(_ kind: ProviderReceipt.Kind) -> DeliveryEvidence.News? {
        switch kind {
        case .accepted, .deferred: .attempt(.sent)
        case .delivered: .receipt
        case .bounced, .undelivered, .rejected: .bounce
        case .complained: .person(.complained)
        case .opened: .person(.opened)
        case .clicked: .person(.clicked)
        case .unsubscribed, .resubscribed: .person(.unsubscribed)
        case .unknown: nil
        }
    }

    /// Whether the recipient's side refused it for good: by a reason that suppresses, or as the provider says.
    private static func isHard(_ receipt: ProviderReceipt) -> Bool {
        receipt.kind == .bounced && (!receipt.isMail || receipt.reason.consequence.suppresses)
    }
    private static func hasArrived(_ kind: ProviderReceipt.Kind) -> Bool { [.delivered, .opened, .clicked].contains(kind) }

    private static func words(_ receipt: ProviderReceipt) -> String {
        receipt.detail.isEmpty ? "\(receipt.word) (as \(receipt.webhook) tells)" : receipt.detail
    }
}

extension ReceiptWriting {
    /// The recipients that receipts are of, by our id of the message, else by the provider's.
    private mutating func find(_ receipts: [ProviderReceipt]) throws -> (found: [Found], rest: [ProviderReceipt]) {
        var places = receipts.map(\.place)
        let asked = receipts.indices.filter { places[$0] == nil && !receipts[$0].providerID.isEmpty }
        let first = MessageReference.day(now) - MessageReference.days
        // Days are few, and an index begins with them.
        let days = (first...MessageReference.day(now) + 1).map { "\($0)" }.joined(separator: ", ")
        let known: [(BatchID, Int)?] = try db.firstRows(
            "SELECT mailing, batch, idx FROM message_reference WHERE hash = ? AND day IN (\(days)) ORDER BY day DESC LIMIT 1",
            asked.map { [MessageReference.hash(receipts[$0].provider, receipts[$0].providerID)] }
        ) { row, _ in
            guard let mailing = try MailingID(row.read(0) as String) else { throw SQLDamage("a message_reference is of no mailing") }
            return try (BatchID(mailing: mailing, number: row.read(1)), row.read(2))
        }
        for (place, found) in zip(asked, known) { places[place] = found.map { (batch: $0.0, index: $0.1) } }
        let batches = Array(Set(places.compactMap { $0?.batch }))
        let counts: [Int?] = try db.firstRows(
            "SELECT count FROM batch WHERE mailing = ? AND number = ?", batches.map { [$0.mailing.description, $0.number] }
        ) { row, _ in try row.read(0) }
        let sizes = Dictionary(uniqueKeysWithValues: zip(batches, counts))
        var (found, rest): ([Found], [ProviderReceipt]) = ([], [])
        for (receipt, place) in zip(receipts, places) {
            if let place, let size = sizes[place.batch] ?? nil, (0..<size).contains(place.index) {
                let one = Found(receipt: receipt, batch: place.batch, index: place.index)
                if try isForged(one) { summary.forged += 1 } else { found.append(one) }
            } else if receipt.needsRecipient {
                // A message is in the ledger before it is sent: nothing is waited for.
                summary.forged += 1
            } else {
                rest.append(receipt)
            }
        }
        return (found, rest)
    }

    /// Whether a receipt that anybody may have sent names another recipient than that of the message.
    private mutating func isForged(_ one: Found) throws -> Bool {
        guard one.receipt.needsRecipient else { return false }
        guard let target = try EventWriting.target(db, of: one.batch.mailing), let recipients = try recipients(of: one.batch),
            one.index < recipients.count
        else { return true }
        let address = EventWriting.address(recipients, one.index, target.channel)
        let told = try? NormalAddress.key(one.receipt.recipient, target.channel, country: nil)
        return address.isEmpty || told != address
    }
}
