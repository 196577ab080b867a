import Metrics

/// The metrics of a provider's connections.
struct SMTPMetrics: Sendable {
    private let connectionsOpened: Counter
    private let errors: Counter
    private let openConnections: Gauge

    init(provider: String) {
        let labels = [("provider", provider)]
        connectionsOpened = Counter(label: "flotilla_smtp_connections_opened_total", dimensions: labels)
        errors = Counter(label: "flotilla_smtp_connection_errors_total", dimensions: labels)
        openConnections = Gauge(label: "flotilla_smtp_connections_open", dimensions: labels)
    }

    func opened(open: Int) {
        connectionsOpened.increment()
        openConnections.record(open)
    }

    func closed(open: Int) { openConnections.record(open) }

    func failed() { errors.increment() }
}
