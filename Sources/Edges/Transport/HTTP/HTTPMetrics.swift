import Metrics
import Model

/// Counts the responses of one group, so that each counter is added to once for a group.
struct HTTPResponseCounts {
    /// By the hundred of the status; 0 for messages without one.
    private(set) var responses = [0, 0, 0, 0, 0, 0]
    /// Messages that no connection could be had for.
    private(set) var unsent = 0

    mutating func count(_ response: ProviderResponse) {
        let hundred = response.code / 100
        responses[(1...5).contains(hundred) ? hundred : 0] += 1
        if response.stage == .connect || response.stage == .tls { unsent += 1 }
    }
}

/// The counters of one HTTP provider.
struct HTTPMetrics {
    private let opened: Counter
    private let open: Gauge
    private let inFlight: Gauge
    private let unsent: Counter
    private let responses: [Counter]

    init(provider: String) {
        let label = ("provider", provider)
        opened = Counter(label: "flotilla_http_connections_opened_total", dimensions: [label])
        open = Gauge(label: "flotilla_http_connections_open", dimensions: [label])
        inFlight = Gauge(label: "flotilla_http_requests_in_flight", dimensions: [label])
        unsent = Counter(label: "flotilla_http_unsent_total", dimensions: [label])
        responses = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"].map {
            Counter(label: "flotilla_http_responses_total", dimensions: [label, ("status", $0)])
        }
    }

    /// Records a finished group, and how the transport stands.
    /// - Parameter newlyOpened: connections opened since the last call.
    func record(_ tally: HTTPResponseCounts, newlyOpened: Int, open openNow: Int, inFlight inFlightNow: Int) {
        for (counter, count) in zip(responses, tally.responses) where count > 0 { counter.increment(by: count) }
        if tally.unsent > 0 { unsent.increment(by: tally.unsent) }
        if newlyOpened > 0 { opened.increment(by: newlyOpened) }
        open.record(openNow)
        inFlight.record(inFlightNow)
    }
}
