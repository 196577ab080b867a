import Model

/// The schemes of providers, by their documentation of 2026.
extension ProviderScheme {
    package static let known = [sendGrid, mailgun, postmark, twilio, amazonSES, generic]

    package static func named(_ name: String) -> ProviderScheme? { known.first { $0.name == name } }

    /// twilio.com/docs/sendgrid/for-developers/tracking-events: Event Webhook, and its security features.
    package static let sendGrid: ProviderScheme = {
        let time = WebhookSignature.Part.header("x-twilio-email-event-webhook-timestamp")
        var scheme = ProviderScheme(
            "sendgrid", .json,
            .publicKey(.sha256, signature: .header("x-twilio-email-event-webhook-signature"), of: [time, .body]), word: ["event"],
            words: [
                Word("processed", .accepted), Word("delivered", .delivered), Word("deferred", .deferred), Word("dropped", .rejected),
                Word("bounce", .undelivered, when: "type", is: "blocked"), Word("bounce", .bounced), Word("open", .opened),
                Word("click", .clicked), Word("spamreport", .complained), Word("unsubscribe", .unsubscribed),
                Word("group_unsubscribe", .unsubscribed), Word("group_resubscribe", .resubscribed),
            ])
        scheme.signedAt = time
        (scheme.providerID, scheme.providerIDEnd) = (["sg_message_id"], ".")
        (scheme.messageID, scheme.recipient, scheme.detail) = (["smtp-id"], ["email"], ["reason", "response", "url"])
        scheme.time = [.seconds("timestamp")]
        scheme.machine = "sg_machine_open"
        return scheme
    }()

    /// documentation.mailgun.com: Webhooks, and Securing Webhooks.
    package static let mailgun: ProviderScheme = {
        let time = WebhookSignature.Part.member("signature.timestamp")
        var scheme = ProviderScheme(
            "mailgun", .json,
            .hmac(.sha256, .hexadecimal, signature: .member("signature.signature"), of: [time, .member("signature.token")]),
            word: ["event-data.event"],
            words: [
                Word("accepted", .accepted), Word("delivered", .delivered), Word("rejected", .rejected),
                Word("failed", .deferred, when: "event-data.severity", is: "temporary"), Word("failed", .bounced),
                Word("opened", .opened), Word("clicked", .clicked), Word("complained", .complained), Word("unsubscribed", .unsubscribed),
            ])
        scheme.signedAt = time
        // What was not taken comes again for eight hours, with its first signature.
        scheme.window = 30_000
        scheme.token = .member("signature.token")
        scheme.messageID = ["event-data.message.headers.message-id"]
        scheme.recipient = ["event-data.recipient"]
        scheme.time = [.seconds("event-data.timestamp")]
        scheme.detail = [
            "event-data.delivery-status.message", "event-data.delivery-status.description", "event-data.reason",
            "event-data.url",
        ]
        scheme.machine = "event-data.client-info.bot"
        return scheme
    }()

    /// postmarkapp.com/developer/webhooks: each kind of its own; no signature, but a user and a password in the address.
    package static let postmark: ProviderScheme = {
        var scheme = ProviderScheme(
            "postmark", .json, .basic, word: ["RecordType"],
            words: [
                Word("Delivery", .delivered),
                Word("Bounce", .unsubscribed, when: "Type", is: "Unsubscribe"),
                Word("Bounce", .complained, when: "Type", is: "SpamComplaint"), Word("Bounce", .deferred, when: "Type", is: "Transient"),
                // Answers to a message that arrived: no failures.
                Word("Bounce", .accepted, when: "Type", is: "AutoResponder", "Subscribe", "AddressChange", "ChallengeVerification"),
                Word("Bounce", .bounced, when: "Type", is: "HardBounce", "BadEmailAddress", "ManuallyDeactivated"),
                Word("Bounce", .rejected, when: "Type", is: "Blocked", "SpamNotification", "DMARCPolicy", "TemplateRenderingFailed"),
                Word("Bounce", .undelivered), Word("SpamComplaint", .complained), Word("Open", .opened), Word("Click", .clicked),
                // Bounces and complaints are told by themselves, and who is reactivated is so by an operator.
                Word("SubscriptionChange", .unsubscribed, when: "SuppressionReason", is: "ManualSuppression"),
                Word("SubscriptionChange", .accepted),
            ])
        scheme.providerID = ["MessageID"]
        scheme.recipient = ["Recipient", "Email"]
        scheme.time = ["DeliveredAt", "BouncedAt", "ReceivedAt", "ChangedAt"].map { .text($0) }
        scheme.detail = ["Details", "Description", "OriginalLink"]
        return scheme
    }()

    /// twilio.com/docs/messaging/guides/track-outbound-message-status, and usage/security.
    package static let twilio: ProviderScheme = {
        var scheme = ProviderScheme(
            "twilio", .form, .hmac(.sha1, .base64, signature: .header("x-twilio-signature"), of: [.url, .form]),
            word: ["MessageStatus", "SmsStatus"],
            words: [
                Word("accepted", .accepted), Word("queued", .accepted), Word("sending", .accepted), Word("sent", .accepted),
                Word("delivered", .delivered), Word("read", .opened), Word("undelivered", .undelivered), Word("failed", .rejected),
            ])
        scheme.providerID = ["MessageSid", "SmsSid"]
        scheme.recipient = ["To"]
        scheme.detail = ["ErrorMessage", "ErrorCode"]
        return scheme
    }()

    /// docs.aws.amazon.com/ses: event publishing (`eventType`) and notifications (`notificationType`), through SNS. What could not be
    /// delivered to us is sent again for an hour.
    package static let amazonSES: ProviderScheme = {
        var scheme = ProviderScheme(
            "ses", .notification, .notificationService, word: ["eventType", "notificationType"],
            words: [
                Word("Send", .accepted), Word("Delivery", .delivered), Word("DeliveryDelay", .deferred), Word("Reject", .rejected),
                Word("Rendering Failure", .rejected), Word("Bounce", .bounced, when: "bounce.bounceType", is: "Permanent"),
                Word("Bounce", .undelivered), Word("Complaint", .unknown, when: "complaint.complaintFeedbackType", is: "not-spam"),
                Word("Complaint", .complained), Word("Open", .opened), Word("Click", .clicked),
                Word("Subscription", .unsubscribed),
            ])
        scheme.signedAt = .member("Timestamp")
        scheme.window = 3900
        (scheme.providerID, scheme.messageID) = (["mail.messageId"], ["mail.commonHeaders.messageId"])
        scheme.recipient = [
            "bounce.bouncedRecipients.0.emailAddress", "complaint.complainedRecipients.0.emailAddress", "delivery.recipients.0",
            "deliveryDelay.delayedRecipients.0.emailAddress", "mail.destination.0",
        ]
        scheme.time = ["bounce", "complaint", "delivery", "deliveryDelay", "open", "click", "mail"].map { .text("\($0).timestamp") }
        scheme.detail = [
            "bounce.bouncedRecipients.0.diagnosticCode", "complaint.complaintFeedbackType", "delivery.smtpResponse", "reject.reason",
            "click.link",
        ]
        return scheme
    }()

    /// For programs of one's own, as one that reads bounces: a JSON object, or a list of them, with an HMAC in hexadecimal digits of the
    /// time, a dot and the body.
    package static let generic: ProviderScheme = {
        let time = WebhookSignature.Part.header("x-flotilla-timestamp")
        var scheme = ProviderScheme(
            "generic", .json,
            .hmac(.sha256, .hexadecimal, signature: .header("x-flotilla-signature"), of: [time, .text("."), .body]), word: ["event"],
            words: ProviderReceipt.Kind.allCases.filter { $0 != .unknown }.map { Word($0.name, $0) })
        scheme.signedAt = time
        (scheme.providerID, scheme.messageID) = (["provider_id"], ["message_id"])
        (scheme.recipient, scheme.detail) = (["recipient"], ["detail"])
        scheme.time = [.seconds("time"), .text("time")]
        scheme.machine = "machine"
        return scheme
    }()
}
