import Model
import Policy

/// Who complained or unsubscribed by way of the provider is not sent to any more, nor is a mailbox that came back as one that is not there.
extension ReceiptWriting {
    private static let actor = "provider"

    /// - Parameter writing: has moved the recipients.
    mutating func suppress(_ found: [Found], _ writing: SQLLedger.ResultWriting) throws {
        var added: [Suppression.Key: Suppression] = [:]
        try suppressBounces(found, writing, &added)
        for one in found {
            guard let (target, address) = try address(of: one) else { continue }
            // A complaint is about all that the sender sends by the channel.
            let reason: Suppression.Reason = one.receipt.kind == .complained ? .complaint : .unsubscribe
            let key = Suppression.Key(target.channel, address, category: reason == .unsubscribe ? target.category : "")
            switch one.receipt.kind {
            case .complained, .unsubscribed:
                let new = Suppression(
                    key, reason: reason, source: one.batch.message(one.index), provider: one.receipt.provider, at: one.at)
                let old = try SQLLedger.suppression(db, key)
                if let old, old.merged(with: new) == old {
                    // What was counted before is told to workers again: whoever wrote it may have ended before they were told.
                    added[key] = old
                    continue
                }
                guard try old != nil || !SQLLedger.isRemoved(db, new) else { continue }
                _ = try SQLLedger.suppress(db, [new], SuppressionAudit(AuditNote(.suppress, actor: Self.actor)), now: now)
                added[key] = try SQLLedger.suppression(db, key)
                summary.unsuppressed.removeAll { $0 == key }
            case .resubscribed:
                guard let old = try SQLLedger.suppression(db, key), old.reason == .unsubscribe, old.at <= one.at else { continue }
                if try db.outbox.wants(.resubscribed, db) {
                    db.outbox.add(
                        WebhookEvent(.resubscribed, batch: one.batch.number, index: one.index, at: one.at), of: one.batch.mailing)
                }
                for removed in try SQLLedger.unsuppress(
                    db, [key], SuppressionAudit(AuditNote(.unsuppress, actor: Self.actor)), now: now)
                {
                    added[removed.key] = nil
                    summary.unsuppressed.append(removed.key)
                }
            default: continue
            }
        }
        summary.suppressed += added.values
    }

    /// Suppresses mailboxes that are not there, as mail that came back says; what webhooks tell of bounces suppresses nobody. Whoever has
    /// seen the message nevertheless has not failed.
    private func suppressBounces(
        _ found: [Found], _ writing: SQLLedger.ResultWriting, _ added: inout [Suppression.Key: Suppression]
    ) throws {
        let failed = found.filter { Self.bounce($0.receipt) != nil && writing.state($0.batch, $0.index) == .failed }
        guard !failed.isEmpty else { return }
        let providers = try providers(of: failed)
        let bounces = zip(failed, providers).map { one, provider in
            let place = DeliveryAddresses.Place(batch: one.batch, index: one.index)
            return Bounce(place: place, kind: Self.bounce(one.receipt) ?? .soft, reason: one.receipt.reason, provider: provider, at: one.at)
        }
        let audit = SuppressionAudit(AuditNote(.suppress, actor: Self.actor))
        // What was counted before is told to workers again: whoever wrote it may have ended before they were told.
        for one in try SQLLedger.suppress(db, bounces, rules, audit, isNews: true, now: now) { added[one.key] = one }
    }

    /// Nil where it says nothing of the address.
    private static func bounce(_ receipt: ProviderReceipt) -> BounceKind? {
        guard receipt.isMail else { return nil }
        if receipt.kind == .bounced, receipt.reason.consequence.suppresses { return .hard }
        return [.bounced, .undelivered].contains(receipt.kind) && receipt.reason.isSoft ? .soft : nil
    }

    /// Mail does not say by which provider the message was sent: the last that the batch went to.
    private func providers(of found: [Found]) throws -> [String] {
        let names: [String?] = try db.firstRows(
            "SELECT provider FROM result WHERE mailing = ? AND batch = ? ORDER BY dispatch DESC LIMIT 1",
            found.map { [$0.batch.mailing.description, $0.batch.number] }
        ) { row, _ in try row.read(0) }
        return names.map { $0 ?? "" }
    }

    /// Whether a receipt changes which mailings' recipients want.
    private static func concerns(_ receipt: ProviderReceipt) -> Bool {
        [.complained, .unsubscribed, .resubscribed].contains(receipt.kind)
    }

    /// Whom the recipient of a receipt is suppressed as; nil where that changes nothing, or the recipient's values were erased.
    private mutating func address(of one: Found) throws -> (SuppressionTarget, String)? {
        guard Self.concerns(one.receipt), let target = try EventWriting.target(db, of: one.batch.mailing),
            let recipients = try recipients(of: one.batch),
            one.index < recipients.count
        else { return nil }
        let address = EventWriting.address(recipients, one.index, target.channel)
        return address.isEmpty ? nil : (target, address)
    }
}
