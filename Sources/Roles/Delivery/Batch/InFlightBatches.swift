import Broker
import Model
import Synchronization

/// A batch in flight.
final class InFlightBatch: Sendable {
    let lease: BatchLease
    let buffer: ResultBuffer
    private let ended = Atomic<Bool>(false)
    private let understood: Atomic<Bool>

    init(_ lease: BatchLease, buffer: ResultBuffer) {
        self.lease = lease
        self.buffer = buffer
        understood = Atomic(lease.isNew)
    }

    /// Nothing more of it may start here: the worker's lease has expired, or Redis lost the batch.
    var isEnded: Bool { ended.load(ordering: .relaxed) }

    func end() { ended.store(true, ordering: .relaxed) }

    /// The messages that earlier workers had in flight are known.
    var isUnderstood: Bool { understood.load(ordering: .relaxed) }

    func understand() { understood.store(true, ordering: .relaxed) }
}

/// The batches in flight, by their entry in a lane. What is asked for again and again does not look at each of them: thousands may wait
/// here.
final class InFlightBatches: Sendable {
    private struct Key: Hashable {
        var lane: Lane
        var entry: String

        init(_ batch: InFlightBatch) {
            lane = batch.lease.lane
            entry = batch.lease.entry
        }
    }

    private struct State {
        var batches: [Key: InFlightBatch] = [:]
        /// How many are of each epoch.
        var epochs: [Epoch: Int] = [:]
        /// Those that were taken over, until it is seen that their marks were read.
        var takenOver: [InFlightBatch] = []
        /// No lifetime ends before, in milliseconds since 1970.
        var nextExpiry = Int64.max

        mutating func forget(_ batch: InFlightBatch) {
            let epoch = batch.lease.epoch
            epochs[epoch] = epochs[epoch].flatMap { $0 > 1 ? $0 - 1 : nil }
            takenOver.removeAll { $0 === batch }
        }
    }

    private let state = Mutex(State())
    private let changes: Broadcast

    /// - Parameter changes: notified when batches are ended.
    init(changes: Broadcast) { self.changes = changes }

    var count: Int { state.withLock { $0.batches.count } }

    var all: [InFlightBatch] { state.withLock { Array($0.batches.values) } }

    /// The epochs of the batches.
    var epochs: [Epoch] { state.withLock { Array($0.epochs.keys) } }

    /// A batch was taken over whose marks are not read yet.
    var hasUnread: Bool {
        state.withLock { state in
            state.takenOver.removeAll(where: \.isUnderstood)
            return !state.takenOver.isEmpty
        }
    }

    /// The entries of lanes that the worker has.
    var entries: [Lane: Set<String>] {
        state.withLock { state in
            state.batches.keys.reduce(into: [:]) { $0[$1.lane, default: []].insert($1.entry) }
        }
    }

    func insert(_ batch: InFlightBatch) {
        state.withLock { state in
            if let other = state.batches.updateValue(batch, forKey: Key(batch)) { state.forget(other) }
            state.epochs[batch.lease.epoch, default: 0] += 1
            if !batch.isUnderstood { state.takenOver.append(batch) }
            state.nextExpiry = min(state.nextExpiry, batch.lease.batch.expires)
        }
    }

    /// Removes it, unless a later delivery of the same entry has taken its place.
    func remove(_ batch: InFlightBatch) {
        state.withLock { state in
            guard state.batches[Key(batch)] === batch else { return }
            state.batches[Key(batch)] = nil
            state.forget(batch)
        }
    }

    /// Whether the lifetime of a batch may have ended since this was last asked.
    /// - Parameter now: milliseconds since 1970.
    func noteExpired(at now: Int64) -> Bool {
        state.withLock { state in
            guard now >= state.nextExpiry else { return false }
            state.nextExpiry = state.batches.values.lazy.map(\.lease.batch.expires).filter { $0 > now }.min() ?? .max
            return true
        }
    }

    /// Ends all of them: nothing more starts here.
    /// - Returns: how many were ended.
    func endAll() -> Int {
        let batches = all.filter { !$0.isEnded }
        for batch in batches { batch.end() }
        changes.notify()
        return batches.count
    }
}
