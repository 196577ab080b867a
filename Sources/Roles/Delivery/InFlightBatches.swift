import Broker
import Model
import Synchronization

/// A batch that a worker works on.
final class InFlightBatch: Sendable {
    let lease: BatchQueue.Lease
    let buffer: ResultBuffer
    private let over = Atomic<Bool>(false)
    private let understood: Atomic<Bool>

    init(_ lease: BatchQueue.Lease, buffer: ResultBuffer) {
        self.lease = lease
        self.buffer = buffer
        understood = Atomic(lease.isNew)
    }

    /// Nothing more of it may begin here: the worker's lease was over for a while, or Redis lost the batch.
    var isOver: Bool { over.load(ordering: .relaxed) }

    func end() { over.store(true, ordering: .relaxed) }

    /// It is known what workers before had on the wire of it.
    var isUnderstood: Bool { understood.load(ordering: .relaxed) }

    func understand() { understood.store(true, ordering: .relaxed) }
}

/// The batches that a worker works on, by their entry in the ready stream.
final class InFlightBatches: Sendable {
    private struct Key: Hashable {
        var channel: Channel
        var entry: String
    }

    private let state = Mutex<[Key: InFlightBatch]>([:])

    var claims: [InFlightBatch] { state.withLock { Array($0.values) } }

    var entries: [Channel: Set<String>] {
        state.withLock { state in
            state.keys.reduce(into: [:]) { $0[$1.channel, default: []].insert($1.entry) }
        }
    }

    func insert(_ claim: InFlightBatch) { state.withLock { $0[Self.key(claim)] = claim } }

    /// Takes it out, unless a later delivery of the same entry has its place.
    func remove(_ claim: InFlightBatch) {
        state.withLock { if $0[Self.key(claim)] === claim { $0[Self.key(claim)] = nil } }
    }

    private static func key(_ claim: InFlightBatch) -> Key { Key(channel: claim.lease.channel, entry: claim.lease.entry) }
}
