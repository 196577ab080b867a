import Broker
import Synchronization

/// A batch that a worker works on.
final class Claim: Sendable {
    let lease: BatchQueue.Lease
    let buffer: ResultBuffer
    private let over = Atomic<Bool>(false)

    init(_ lease: BatchQueue.Lease, buffer: ResultBuffer) {
        self.lease = lease
        self.buffer = buffer
    }

    /// Nothing more of it may begin here: the worker's lease was over for a while, or Redis lost the batch.
    var isOver: Bool { over.load(ordering: .relaxed) }

    func end() { over.store(true, ordering: .relaxed) }
}

/// The batches that a worker works on, by their entry in the ready stream.
final class InHand: Sendable {
    private let state = Mutex<[String: Claim]>([:])

    var entries: Set<String> { state.withLock { Set($0.keys) } }
    var claims: [Claim] { state.withLock { Array($0.values) } }

    func insert(_ claim: Claim) { state.withLock { $0[claim.lease.entry] = claim } }

    /// Takes it out, unless a later delivery of the same entry has its place.
    func remove(_ claim: Claim) {
        state.withLock { if $0[claim.lease.entry] === claim { $0[claim.lease.entry] = nil } }
    }
}
