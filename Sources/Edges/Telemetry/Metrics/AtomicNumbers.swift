import Synchronization

/// A floating-point number that threads may add to.
struct AtomicDouble: ~Copyable, Sendable {
    private let bits: Atomic<UInt64>

    init(_ value: Double) { bits = Atomic(value.bitPattern) }

    func load() -> Double { Double(bitPattern: bits.load(ordering: .relaxed)) }
    func store(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

    func add(_ amount: Double) {
        var old = bits.load(ordering: .relaxed)
        while true {
            let new = (Double(bitPattern: old) + amount).bitPattern
            let (exchanged, found) = bits.weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
            if exchanged { return }
            old = found
        }
    }
}

/// A fixed number of counts that threads may add to.
final class AtomicCounts: Sendable {
    private let count: Int
    // A Swift array cannot hold atomics. The memory lives as long as the object, and is accessed only by atomic operations.
    private nonisolated(unsafe) let counts: UnsafeMutablePointer<Atomic<UInt64>>

    init(count: Int) {
        self.count = count
        counts = .allocate(capacity: count)
        for index in 0..<count { (counts + index).initialize(to: Atomic(0)) }
    }

    deinit {
        counts.deinitialize(count: count)
        counts.deallocate()
    }

    func increment(_ index: Int) {
        precondition(index >= 0 && index < count)
        counts[index].wrappingAdd(1, ordering: .relaxed)
    }

    func load() -> [UInt64] { (0..<count).map { counts[$0].load(ordering: .relaxed) } }
}
