import Model
import Policy

/// A notification of Amazon SES that SNS sent as a mail: JSON, or JSON within JSON, whose long lines may be cut.
/// (Amazon SES Developer Guide, "Amazon SNS notification contents for Amazon SES".)
struct AmazonNotice {
    let kind: ReturnedMail.Kind
    let recipient: ReturnedRecipient

    /// Nil for any other mail.
    init?(_ mail: MailParts, _ responses: ResponseTable) {
        guard mail.header["from"].lowercased().contains("@sns.amazonaws.com") else { return nil }
        let text = mail.lines.joined(separator: " ").replacing("\\\"", with: "\"")
        func value(_ key: String) -> String {
            guard let found = text.firstRange(of: "\"\(key)\":\"") else { return "" }
            return String(text[found.upperBound...].prefix { $0 != "\"" }.prefix(998))
        }
        let type = value("notificationType") + value("eventType")
        var recipient = ReturnedRecipient(.unknown)
        switch type {
        case "Bounce":
            kind = value("bounceType") == "Transient" ? .delayed : .bounced
            var verdict = BounceVerdict(responses, address: value("emailAddress"), text: BounceText.Transcript([]))
            let said = value("diagnosticCode")
            verdict.consider(said.hasPrefix("smtp; ") ? String(said.dropFirst(6)) : said, status: value("status"))
            verdict.consider(status: value("status"))
            recipient = verdict.recipient(isFinal: kind == .bounced)
        case "Complaint":
            kind = .complained
            recipient = ReturnedRecipient(.complaint)
        case "Delivery": kind = .delivered
        case "DeliveryDelay": kind = .delayed
        default: return nil
        }
        recipient.kind = kind
        recipient.address = value("emailAddress")
        self.recipient = recipient
    }
}
