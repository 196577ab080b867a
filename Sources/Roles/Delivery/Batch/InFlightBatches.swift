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

/// The batches in flight, by their entry in a lane.
final class InFlightBatches: Sendable {
    private struct Key: Hashable {
        var lane: Lane
        var entry: String
    }

    private let state = Mutex<[Key: InFlightBatch]>([:])
    private let changes: Broadcast

    /// - Parameter changes: notified when batches are ended.
    init(changes: Broadcast) { self.changes = changes }

    var count: Int { state.withLock { $0.count } }

    var all: [InFlightBatch] { state.withLock { Array($0.values) } }

    /// The entries of lanes that the worker has.
    var entries: [Lane: Set<String>] {
        state.withLock { state in
            state.keys.reduce(into: [:]) { $0[$1.lane, default: []].insert($1.entry) }
        }
    }

    func insert(_ batch: InFlightBatch) { state.withLock { $0[Self.key(batch)] = batch } }

    /// Removes it, unless a later delivery of the same entry has taken its place.
    func remove(_ batch: InFlightBatch) {
        state.withLock { if $0[Self.key(batch)] === batch { $0[Self.key(batch)] = nil } }
    }

    /// Ends all of them: nothing more starts here.
    /// - Returns: how many were ended.
    func endAll() -> Int {
        let batches = all.filter { !$0.isEnded }
        for batch in batches { batch.end() }
        changes.notify()
        return batches.count
    }

    private static func key(_ batch: InFlightBatch) -> Key { Key(lane: batch.lease.lane, entry: batch.lease.entry) }
}
