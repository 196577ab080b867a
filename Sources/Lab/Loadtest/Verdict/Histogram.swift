/// Counts of values by upper bound, as Prometheus' histograms have them: each bucket holds all values up to its bound.
package struct Histogram: Sendable, Equatable {
    /// Cumulated counts by bound; the last bound is infinite.
    package private(set) var buckets: [Double: Double] = [:]

    package init() {}

    package var count: Double { buckets[.infinity] ?? 0 }

    /// Adds to the bucket with a bound.
    package mutating func add(_ count: Double, upTo bound: Double) { buckets[bound, default: 0] += count }

    package static func += (left: inout Histogram, right: Histogram) {
        left.buckets.merge(right.buckets, uniquingKeysWith: +)
    }

    /// The difference to an earlier state. No bucket falls below zero, because the counts of a process end with it.
    package func since(_ earlier: Histogram) -> Histogram {
        var difference = self
        for (bound, count) in earlier.buckets { difference.buckets[bound] = max(0, (buckets[bound] ?? 0) - count) }
        return difference
    }

    /// The value below which a part of all values lies, within its bucket evenly spread, as `histogram_quantile` has it
    /// (https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile): the largest finite bound where it lies
    /// beyond that.
    /// - Parameter part: 0 to 1.
    /// - Returns: nil where there are no values.
    package func quantile(_ part: Double) -> Double? {
        let sorted = buckets.sorted { $0.key < $1.key }
        guard let total = sorted.last?.value, total > 0 else { return nil }
        let rank = part * total
        var below = (bound: 0.0, count: 0.0)
        for (bound, count) in sorted {
            if count >= rank, count > below.count {
                guard bound.isFinite else { return below.bound }
                return below.bound + (bound - below.bound) * (rank - below.count) / (count - below.count)
            }
            below = (bound, count)
        }
        return below.bound
    }
}
