/// The kinds of metric that Prometheus tells apart and that we use.
package enum MetricType: String, Sendable {
    case counter, gauge, histogram
}

/// What a metric is: the source of its HELP and TYPE lines and of `docs/metrics.md`.
package struct MetricDescription: Sendable {
    /// A label, and what bounds its values.
    package struct Label: Sendable {
        package enum Values: Sendable {
            /// These and no others.
            case fixed([String])
            /// Values known at run time only; the text says what bounds their number.
            case open(String)
        }

        package let name: String
        package let values: Values
    }

    package let name: String
    package let type: MetricType
    /// The unit of its value: `seconds`, `messages`.
    package let unit: String
    package let help: String
    package let labels: [Label]
    /// Upper bounds of a histogram's buckets in the metric's unit, ascending, without +Inf; empty for other types.
    package let buckets: [Double]

    private init(
        _ name: String, _ type: MetricType, _ unit: String, _ labels: [Label], _ help: String, buckets: [Double] = []
    ) {
        self.name = name
        self.type = type
        self.unit = unit
        self.help = help
        self.labels = labels
        self.buckets = buckets
    }

    package static func counter(_ name: String, _ unit: String, _ labels: [Label], _ help: String) -> Self {
        Self(name, .counter, unit, labels, help)
    }

    package static func gauge(_ name: String, _ unit: String, _ labels: [Label], _ help: String) -> Self {
        Self(name, .gauge, unit, labels, help)
    }

    /// A histogram of seconds.
    package static func seconds(
        _ name: String, _ labels: [Label], buckets: [Double], _ help: String
    ) -> Self {
        Self(name, .histogram, "seconds", labels, help, buckets: buckets)
    }

    /// The description of a metric that the catalogue does not name.
    static func unlisted(_ name: String, _ type: MetricType) -> Self {
        let isTime = name.hasSuffix("_seconds")
        return Self(
            name, type, isTime ? "seconds" : "", [], "A metric of a library that Flotilla uses; not in its catalogue.",
            buckets: type == .histogram ? (isTime ? Buckets.seconds : Buckets.decades) : [])
    }
}

/// Bounds of histogram buckets.
package enum Buckets {
    /// From a millisecond to a minute: the default.
    package static let seconds: [Double] = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
    ]
    /// For operations that mostly take less than a millisecond: Redis, SQLite.
    package static let fast: [Double] = [
        0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5,
    ]
    /// For waits of up to hours: queues, and delivery with its retries.
    package static let hours: [Double] = seconds + [300, 900, 3_600, 14_400, 86_400]
    /// For values of unknown size.
    package static let decades: [Double] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000]
}

/// Every metric that Flotilla means to expose; a value of its own so that tests can have a small one.
package struct MetricCatalogue: Sendable {
    package let metrics: [MetricDescription]
    private let byName: [String: MetricDescription]

    package init(_ metrics: [MetricDescription]) {
        self.metrics = metrics
        byName = Dictionary(metrics.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    package subscript(_ name: String) -> MetricDescription? { byName[name] }
}
