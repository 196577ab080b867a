extension MetricDescription.Label {
    fileprivate static let mailOutcome = Self(
        name: "outcome",
        values: .fixed([
            "bounced", "delayed", "delivered", "complained", "reply", "unsubscribed", "forged", "foreign", "conflicting",
        ]))
    fileprivate static let mailRefusal = Self(name: "reason", values: .fixed(["connections", "memory", "slow", "redis"]))
}

extension MetricCatalogue {
    /// Those of the role that takes mail which comes back.
    static let bounces: [MetricDescription] = [
        .counter(
            "flotilla_bounces_mails_total", "mails", [.mailOutcome],
            "Mails that were taken, by what they are. `forged`, `foreign` and `conflicting` change nothing."),
        .counter(
            "flotilla_bounces_refused_total", "mails", [.mailRefusal],
            "Mails and connections that were put off: their senders come again."),
        .gauge("flotilla_bounces_connections", "connections", [], "Connections of senders of mail."),
        .counter(
            "flotilla_receipts_forged_total", "receipts", [],
            "Receipts that came as mail to no signed address, and do not have the recipient of the message that they name."),
    ]
}
