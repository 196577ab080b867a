extension MetricDescription.Label {
    fileprivate static let subscription = Self(name: "subscription", values: .open("ids of `flotilla webhooks list`"))
    fileprivate static let attempt = Self(name: "outcome", values: .fixed(["accepted", "failed"]))
}

extension MetricCatalogue {
    /// Those of the role that tells other systems of events.
    static let webhooks: [MetricDescription] = [
        .gauge("flotilla_webhooks_active", "", [], "1 where this process tells webhooks, 0 where it stands by."),
        .counter(
            "flotilla_webhook_attempts_total", "messages", [.subscription, .attempt], "Attempts to tell a receiver of an event."),
        .counter(
            "flotilla_webhook_given_up_total", "messages", [.subscription],
            "Messages that were refused for `webhooks.patience` while others were taken."),
        .gauge(
            "flotilla_webhook_waiting", "messages", [.subscription], "Messages in memory that wait for an attempt or for its answer."),
        .gauge(
            "flotilla_webhook_lag_seconds", "seconds", [.subscription], "How long ago the oldest event happened that waits."),
        .gauge(
            "flotilla_webhook_failing_seconds", "seconds", [.subscription],
            "How long its receiver has taken nothing; 0 where it took the last message."),
    ]
}
