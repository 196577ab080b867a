import Model
import Policy

/// The machine's part of a delivery report (RFC 3464): a group of fields for each recipient.
struct DeliveryStatus {
    let kind: ReturnedMail.Kind
    let recipients: [ReturnedRecipient]

    /// Nil where a mail has none that says anything.
    init?(_ mail: MailParts, _ responses: ResponseTable) {
        let groups = mail.status.filter { !$0["action"].isEmpty || !$0["final-recipient"].isEmpty || !$0["original-recipient"].isEmpty }
        guard !groups.isEmpty else { return nil }
        let kinds = groups.map(Self.kind)
        let order: [ReturnedMail.Kind] = [.bounced, .delayed, .delivered]
        guard let worst = order.first(where: kinds.contains) else { return nil }
        kind = worst
        let text = BounceText(mail, responses, isSupplement: true)
        var found: [ReturnedRecipient] = []
        for (group, itsKind) in zip(groups, kinds) {
            let recipient = Self.recipient(group, itsKind, text, responses)
            if !found.contains(where: { !$0.address.isEmpty && $0.address.lowercased() == recipient.address.lowercased() }) {
                found.append(recipient)
            }
        }
        recipients = found
    }

    /// RFC 3464 section 2.3.3.
    private static func kind(_ group: MailFields) -> ReturnedMail.Kind {
        switch group["action"].prefix(while: { $0.isLetter }).lowercased() {
        case "delayed": .delayed
        case "delivered", "relayed", "expanded": .delivered
        default: .bounced
        }
    }

    private static func recipient(
        _ group: MailFields, _ kind: ReturnedMail.Kind, _ text: BounceText, _ responses: ResponseTable
    ) -> ReturnedRecipient {
        let final = MailAddress.inField(group["final-recipient"])
        let original = MailAddress.inField(group["original-recipient"])
        let said = group["diagnostic-code"]
        let status = String(group["status"].prefix { "0123456789.".contains($0) })
        var verdict = BounceVerdict(responses, address: original.isEmpty ? final : original, text: text.transcript)
        if kind != .delivered {
            // "smtp; 550 5.1.1 ..." (section 2.3.6)
            verdict.consider(said.firstIndex(of: ";").map { String(said[said.index(after: $0)...]) } ?? said, status: status)
            // "5.2.2 (Over quota)"
            verdict.consider(String(group["status"].dropFirst(status.count)), status: "")
            for piece in text.pieces(of: [final, original]) { verdict.consider(piece, status: "") }
            verdict.consider(status: status)
        }
        var recipient = verdict.recipient(isFinal: kind == .bounced)
        recipient.kind = kind
        recipient.address = final.isEmpty ? original : final
        recipient.original = original
        if recipient.status.isEmpty { recipient.status = status }
        return recipient
    }
}
