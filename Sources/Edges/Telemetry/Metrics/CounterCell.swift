import CoreMetrics
import Synchronization

/// One series of a counter. A whole increment is one atomic addition; fractions are kept separately.
final class CounterCell: CounterHandler, FloatingPointCounterHandler {
    private let whole = Atomic<Int64>(0)
    private let fraction = AtomicDouble(0)

    /// Adds to the counter. A counter never falls, so that an amount below zero changes nothing.
    func increment(by amount: Int64) {
        guard amount > 0 else { return }
        whole.wrappingAdd(amount, ordering: .relaxed)
    }

    func increment(by amount: Double) {
        guard amount > 0, amount.isFinite else { return }
        fraction.add(amount)
    }

    func reset() {
        whole.store(0, ordering: .relaxed)
        fraction.store(0)
    }

    var value: Double { Double(whole.load(ordering: .relaxed)) + fraction.load() }
}
