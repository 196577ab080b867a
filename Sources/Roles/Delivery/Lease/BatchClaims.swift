import Broker
import Model

/// The dispatches that were lost with Redis and that one worker can account for, because nobody else has had them. They are reported
/// again after each further loss, until an epoch begins.
struct BatchClaims: Sendable, Hashable {
    private var dispatches: Set<Dispatch> = []
    private var isReported = false
    /// Taken before the worker's lease expired: others may have had them since.
    private var disowned: Set<Dispatch> = []

    /// The claims to report; nil where there are none, or they were reported since the last loss.
    var unreported: Set<Dispatch>? { isReported || dispatches.isEmpty ? nil : dispatches }

    /// The dispatch of a batch, if this worker alone has had it.
    func own(_ lease: BatchLease) -> Dispatch? {
        // The worker that had it before may have reported results that are lost.
        lease.isNew && !disowned.contains(lease.dispatch) ? lease.dispatch : nil
    }

    /// The lease had expired.
    /// - Parameter inHand: the dispatches that the worker has.
    mutating func disown(_ inHand: some Sequence<Dispatch>) { disowned.formUnion(inHand) }

    /// Redis was lost, and with it all that was reported.
    mutating func add(_ more: Set<Dispatch>) {
        dispatches.formUnion(more)
        isReported = false
    }

    mutating func didReport(_ told: Set<Dispatch>) { isReported = told == dispatches }

    /// An epoch holds: losses before it no longer matter.
    /// - Parameter inHand: the dispatches that the worker has; asked for only where it matters, as there may be thousands.
    mutating func forget(inHand: () -> [Dispatch]) {
        dispatches = []
        isReported = false
        if !disowned.isEmpty { disowned.formIntersection(inHand()) }
    }
}

extension BatchLease {
    var dispatch: Dispatch { Dispatch(batch: batch.id, dispatchNumber: batch.dispatchNumber) }
}
