import Synchronization

extension PrometheusMetrics {
    /// All metrics as a scrape gets them: sorted by name, the series of each by their labels.
    package func exposition() -> String {
        let families = state.withLock { Array($0.families.values) }
        var out = ""
        for family in families.sorted(by: { $0.description.name < $1.description.name }) {
            let samples = family.samples()
            guard !samples.isEmpty else { continue }
            let name = family.description.name
            out += "# HELP \(name) \(PrometheusText.escapedHelp(family.description.help))\n"
            out += "# TYPE \(name) \(family.description.type.rawValue)\n"
            out += samples
        }
        return out
    }
}

extension MetricFamily {
    fileprivate func samples() -> String {
        let name = description.name
        var out = ""
        for (labels, cell) in series.sorted(by: { $0.key < $1.key }) {
            let braced = labels.isEmpty ? "" : "{\(labels)}"
            switch cell {
            case .counter(let cell): out += "\(name)\(braced) \(PrometheusText.number(cell.value))\n"
            case .gauge(let cell): out += "\(name)\(braced) \(PrometheusText.number(cell.value))\n"
            case .reading(let read):
                if let value = read() { out += "\(name)\(braced) \(PrometheusText.number(value))\n" }
            case .histogram(let cell):
                let snapshot = cell.snapshot()
                let before = labels.isEmpty ? "" : labels + ","
                var count: UInt64 = 0
                for (bucket, bound) in zip(snapshot.buckets, description.buckets + [.infinity]) {
                    count += bucket
                    out += "\(name)_bucket{\(before)le=\"\(PrometheusText.number(bound))\"} \(count)\n"
                }
                out += "\(name)_sum\(braced) \(PrometheusText.number(snapshot.sum))\n"
                out += "\(name)_count\(braced) \(count)\n"
            }
        }
        return out
    }
}
