package import CoreMetrics
import Synchronization

/// The swift-metrics backend of Flotilla: keeps every counter, gauge and histogram of the process and writes them in
/// the Prometheus text format. Two metrics with the same name and labels are one. Names of libraries are made valid: a
/// counter ends in `_total`, a timer in `_seconds`.
package final class PrometheusMetrics: MetricsFactory {
    struct State {
        var families: [String: MetricFamily] = [:]
        /// Uses of a metric of the catalogue with labels that the catalogue does not have.
        var mislabelled: Set<String> = []
    }

    let catalogue: MetricCatalogue
    let seriesLimit: Int
    let state = Mutex(State())

    /// - Parameters:
    ///   - catalogue: the descriptions of the metrics.
    ///   - seriesLimit: label sets at most for each metric; further ones are counted in one whose values are `other`.
    package init(catalogue: MetricCatalogue = .flotilla, seriesLimit: Int = 1_000) {
        self.catalogue = catalogue
        self.seriesLimit = seriesLimit
    }

    /// Exposes a value that is read at each scrape. Its type is that of the catalogue, or a gauge if the catalogue has no such metric.
    /// `read` must be quick; while it returns nil, nothing is exposed.
    package func addReading(
        _ name: String, labels: [(String, String)] = [], _ read: @escaping @Sendable () -> Double?
    ) {
        let name = PrometheusText.metricName(name)
        let labels = MetricLabels(labels)
        state.withLock { state in
            let type = catalogue[name]?.type ?? .gauge
            state.families[name, default: family(name, type)].series[labels.text] = .reading(read)
        }
    }

    /// Names of the metrics that exist and that the catalogue does not have, sorted.
    package var unlisted: [String] {
        state.withLock { state in state.families.values.filter { !$0.isListed }.map(\.description.name).sorted() }
    }

    /// Uses of metrics of the catalogue with other labels or label values than it allows, a sentence each.
    package var mislabelled: [String] { state.withLock { $0.mislabelled.sorted() } }

    // MARK: MetricsFactory

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        counter(label, dimensions)
    }

    package func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        counter(label, dimensions)
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        gauge(label, dimensions)
    }

    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        aggregate ? histogram(PrometheusText.metricName(label), dimensions) : gauge(label, dimensions)
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        histogram(PrometheusText.metricName(label, suffix: "_seconds"), dimensions)
    }

    package func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { remove(handler) }
    package func destroyMeter(_ handler: any MeterHandler) { remove(handler) }
    package func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
    package func destroyTimer(_ handler: any TimerHandler) { remove(handler) }
}

extension PrometheusMetrics {
    private func counter(_ label: String, _ dimensions: [(String, String)]) -> CounterCell {
        let name = PrometheusText.metricName(label, suffix: "_total")
        let found = cell(name, .counter, dimensions) { _ in .counter(CounterCell()) }
        if case .counter(let cell) = found { return cell }
        return CounterCell()
    }

    private func gauge(_ label: String, _ dimensions: [(String, String)]) -> GaugeCell {
        let found = cell(PrometheusText.metricName(label), .gauge, dimensions) { _ in .gauge(GaugeCell()) }
        if case .gauge(let cell) = found { return cell }
        return GaugeCell()
    }

    private func histogram(_ name: String, _ dimensions: [(String, String)]) -> HistogramCell {
        let found = cell(name, .histogram, dimensions) { .histogram(HistogramCell(bounds: $0.buckets)) }
        if case .histogram(let cell) = found { return cell }
        return HistogramCell(bounds: [])
    }

    /// Finds or makes the cell of a series; nil when the metric has another type.
    private func cell(
        _ name: String, _ type: MetricType, _ dimensions: [(String, String)], make: (MetricDescription) -> MetricCell
    ) -> MetricCell? {
        let labels = MetricLabels(dimensions)
        return state.withLock { state in
            let problem = catalogue[name].flatMap { labels.problem(for: $0) }
            // Bounded: what comes here may be a label with unbounded values.
            if let problem, state.mislabelled.count < seriesLimit { state.mislabelled.insert(problem) }

            var family = state.families[name] ?? self.family(name, type)
            guard family.description.type == type else {
                refuse(name, .type, in: &state)
                return nil
            }
            var key = labels.text
            if family.series[key] == nil, family.series.count >= seriesLimit {
                refuse(name, .cardinality, in: &state)
                key = labels.overflow.text
            }
            if let cell = family.series[key] { return cell }
            let cell = make(family.description)
            family.series[key] = cell
            state.families[name] = family
            return cell
        }
    }

    private func family(_ name: String, _ type: MetricType) -> MetricFamily {
        let listed = catalogue[name]
        return MetricFamily(description: listed ?? .unlisted(name, type), isListed: listed != nil)
    }

    private func refuse(_ metric: String, _ reason: Refusal, in state: inout State) {
        let name = "flotilla_metrics_refused_total"
        let labels = MetricLabels([("metric", metric), ("reason", reason.rawValue)])
        var family = state.families[name] ?? self.family(name, .counter)
        let found = family.series[labels.text] ?? .counter(CounterCell())
        if case .counter(let cell) = found { cell.increment(by: Int64(1)) }
        family.series[labels.text] = found
        state.families[name] = family
    }

    private func remove(_ handler: AnyObject) {
        state.withLock { state in
            for (name, family) in state.families {
                guard let key = family.series.first(where: { $0.value.handler === handler })?.key else { continue }
                state.families[name]?.series[key] = nil
                if state.families[name]?.series.isEmpty == true { state.families[name] = nil }
                return
            }
        }
    }
}
