import Broker
import Model

/// The dispatches that were lost with Redis and that one worker can account for, as nobody else has had them. They are told anew after each
/// further loss, until an epoch begins.
struct BatchClaims: Sendable, Hashable {
    private var dispatches: Set<Dispatch> = []
    private var isTold = false
    /// In the worker's hands since before its lease expired: others may have had them since.
    private var disowned: Set<Dispatch> = []

    /// What is to be told; nil where there is nothing, or it was told since the last loss.
    var untold: Set<Dispatch>? { isTold || dispatches.isEmpty ? nil : dispatches }

    /// The dispatch of a batch, if this worker alone has had it.
    func own(_ lease: BatchLease) -> Dispatch? {
        // Who had it before may have told results that are lost.
        lease.isNew && !disowned.contains(lease.dispatch) ? lease.dispatch : nil
    }

    /// The lease had expired.
    /// - Parameter inHand: what the worker has.
    mutating func disown(_ inHand: some Sequence<Dispatch>) { disowned.formUnion(inHand) }

    /// Redis was lost, and with it what was told to it.
    mutating func add(_ more: Set<Dispatch>) {
        dispatches.formUnion(more)
        isTold = false
    }

    mutating func didTell(_ told: Set<Dispatch>) { isTold = told == dispatches }

    /// An epoch holds: nobody asks for what was lost before it.
    mutating func forget(inHand: some Sequence<Dispatch>) {
        dispatches = []
        isTold = false
        disowned.formIntersection(inHand)
    }
}

extension BatchLease {
    var dispatch: Dispatch { Dispatch(batch: batch.id, dispatchNumber: batch.dispatchNumber) }
}
