/// A label set, independent of the order of its labels.
struct MetricLabels {
    private(set) var pairs: [(name: String, value: String)]

    /// Takes labels as swift-metrics gives them. Names are made valid for Prometheus. If a name occurs twice, the last value wins. `le` is
    /// renamed, since histograms need it.
    init(_ dimensions: [(String, String)]) {
        pairs = []
        for (name, value) in dimensions {
            let valid = name == "le" ? "exported_le" : PrometheusText.labelName(name)
            if let index = pairs.firstIndex(where: { $0.name == valid }) {
                pairs[index].value = value
            } else {
                pairs.append((valid, value))
            }
        }
        pairs.sort { $0.name < $1.name }
    }

    /// The same labels, each with the value `other`.
    var overflow: MetricLabels {
        var labels = self
        for index in labels.pairs.indices { labels.pairs[index].value = "other" }
        return labels
    }

    /// The labels as between the braces of the exposition format.
    var text: String {
        pairs.map { "\($0.name)=\"\(PrometheusText.escapedLabelValue($0.value))\"" }.joined(separator: ",")
    }

    /// The error in these labels for a metric of the catalogue; nil if there is none.
    func problem(for description: MetricDescription) -> String? {
        let expected = description.labels.map(\.name).sorted()
        guard pairs.map(\.name) == expected else {
            return "\(description.name) has the labels \(pairs.map(\.name)) in place of \(expected)"
        }
        for (name, value) in pairs {
            guard let label = description.labels.first(where: { $0.name == name }) else { continue }
            if case .fixed(let values) = label.values, !values.contains(value) {
                return "\(description.name) has \(name)=\"\(value)\", which is none of \(values)"
            }
        }
        return nil
    }
}
