/// Why a request for a metric was refused.
enum Refusal: String, CaseIterable {
    /// The metric has reached its limit of label sets; the request got the one labelled `other`.
    case cardinality
    /// The metric exists with another type; its values are dropped.
    case type
}

/// The value behind one series.
enum MetricCell {
    case counter(CounterCell)
    case gauge(GaugeCell)
    case histogram(HistogramCell)
    /// Asked for at each scrape; nothing is exposed where it gives nil.
    case reading(@Sendable () -> Double?)

    /// The object that swift-metrics holds.
    var handler: AnyObject? {
        switch self {
        case .counter(let cell): cell
        case .gauge(let cell): cell
        case .histogram(let cell): cell
        case .reading: nil
        }
    }
}

/// All series of one metric.
struct MetricFamily {
    let description: MetricDescription
    /// The catalogue names it.
    let isListed: Bool
    /// By their labels as `MetricLabels.text` writes them.
    var series: [String: MetricCell] = [:]
}
