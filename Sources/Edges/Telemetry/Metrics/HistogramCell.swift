import CoreMetrics
import Synchronization

/// One series of a histogram with fixed buckets. Recording costs two atomic additions and a search of the bounds, and
/// takes no lock.
final class HistogramCell: TimerHandler, RecorderHandler {
    /// What a scrape sees. The count is the sum of the buckets, so that it always equals the `+Inf` bucket.
    struct Snapshot {
        /// Values in each bucket alone, not cumulated; one more than there are bounds, the last for `+Inf`.
        var buckets: [UInt64]
        var sum: Double
    }

    private let bounds: [Double]
    /// The bounds in nanoseconds, for timers.
    private let ticks: [Int64]
    private let buckets: AtomicCounts
    private let nanoseconds = Atomic<Int64>(0)
    private let sum = AtomicDouble(0)

    /// - Parameter bounds: upper bounds in seconds, for a timer, or in the recorder's own unit; ascending.
    init(bounds: [Double]) {
        self.bounds = bounds
        ticks = bounds.map { $0 < 9e9 ? Int64(($0 * 1e9).rounded()) : .max }
        buckets = AtomicCounts(count: bounds.count + 1)
    }

    /// Counts a duration; one below zero (a clock that was set back) counts as zero.
    func recordNanoseconds(_ duration: Int64) {
        let duration = max(0, duration)
        var bucket = 0
        while bucket < ticks.count, duration > ticks[bucket] { bucket += 1 }
        buckets.increment(bucket)
        nanoseconds.wrappingAdd(duration, ordering: .relaxed)
    }

    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        guard value.isFinite else { return }
        var bucket = 0
        while bucket < bounds.count, value > bounds[bucket] { bucket += 1 }
        buckets.increment(bucket)
        sum.add(value)
    }

    func snapshot() -> Snapshot {
        Snapshot(buckets: buckets.load(), sum: Double(nanoseconds.load(ordering: .relaxed)) / 1e9 + sum.load())
    }
}
