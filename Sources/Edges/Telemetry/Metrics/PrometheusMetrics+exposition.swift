import Synchronization

extension PrometheusMetrics {
    /// All metrics as a scrape gets them: sorted by name, the series of each by their labels. A metric that was renamed stands there
    /// under its deprecated name, too.
    package func exposition() -> String {
        let families = state.withLock { Array($0.families.values) }
        let named = families.flatMap { family in
            let name = family.description.name
            return [(name, family.description.help, family)]
                + (MetricAliases.deprecated[name].map { [($0, "Deprecated, use \(name).", family)] } ?? [])
        }
        var out = ""
        for (name, help, family) in named.sorted(by: { $0.0 < $1.0 }) {
            let samples = family.samples(named: name)
            guard !samples.isEmpty else { continue }
            out += "# HELP \(name) \(PrometheusText.escapedHelp(help))\n"
            out += "# TYPE \(name) \(family.description.type.rawValue)\n"
            out += samples
        }
        return out
    }
}

extension MetricFamily {
    fileprivate func samples(named name: String) -> String {
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
