import Broker
import Logging
import Metrics
import Model
import Synchronization
import Text

/// Renews a worker's lease, and keeps the results that no collector has confirmed; the shell of `LeaseState`.
final class LeaseRenewal: Sendable {
    private struct State {
        var lease: LeaseState
        var results = UnconfirmedResults()
        /// The batches that a loss of Redis took, and that this worker alone has had.
        var claims = BatchClaims()

        /// The lease had expired: others may have the batches.
        mutating func disown(_ batches: [InFlightBatch]) {
            results.disown()
            claims.disown(batches.lazy.map(\.lease.dispatch))
        }
    }

    private let worker: String
    private let registry: WorkerRegistry
    private let status: StatusStreams
    private let inFlight: InFlightBatches
    private let clocks: Clocks
    private let logger: Logger
    private let state: Mutex<State>
    private let losses = Counter(label: "flotilla_redis_losses_total")
    private let lapses = Counter(label: "flotilla_lease_lapses_total")
    private let unconfirmed = Gauge(label: "flotilla_results_unconfirmed")

    init(
        worker: String, length: Duration, registry: WorkerRegistry, status: StatusStreams, inFlight: InFlightBatches, clocks: Clocks,
        logger: Logger
    ) {
        self.worker = worker
        self.registry = registry
        self.status = status
        self.inFlight = inFlight
        self.clocks = clocks
        self.logger = logger
        state = Mutex(State(lease: LeaseState(length: length)))
    }

    /// How often the lease is to be renewed.
    var interval: Duration { state.withLock { $0.lease.interval } }

    /// No other worker can have this worker's batches.
    var isHeld: Bool { state.withLock { $0.lease.isHeld(at: clocks.now) } }

    /// Batches may be taken.
    var mayTake: Bool { state.withLock { $0.lease.mayTake(at: clocks.now) } }

    /// Batches of workers whose lease has expired may be taken over.
    var mayTakeOver: Bool { state.withLock { $0.lease.mayTakeOver(at: clocks.now) } }

    /// Every result is known to be in the ledger.
    var isConfirmed: Bool { state.withLock { $0.results.count == 0 } }

    /// Keeps results of a batch until a collector has confirmed them.
    func keep(_ receipt: Receipt, of lease: BatchLease) { state.withLock { $0.results.add(receipt, of: $0.claims.own(lease)) } }

    /// Renews the lease; notices that it had expired, that Redis lost everything, and what collectors have confirmed.
    func renew() async throws(RedisError) {
        let isLapse = state.withLock { state in
            guard state.lease.willRenew(at: clocks.now) != nil else { return false }
            state.disown(inFlight.all)
            return true
        }
        if isLapse { noticeLapse() }
        let known = state.withLock { $0.results.count }
        // Without unconfirmed results there is nothing to ask.
        let oldest = known > 0 ? try await status.oldest() : []
        let asked = clocks.now
        let before = state.withLock { $0.lease }
        let condition = before.condition(inFlight.epochs)
        if condition == .clean { try await claim() }
        let renewal = try await registry.renew(
            worker, lease: before.length, condition: condition, losses: before.losses, isKnown: before.isKnown)
        let hasUnread = inFlight.hasUnread
        let (actions, left) = state.withLock { state in
            let now = clocks.now
            if before.isKnown, !state.lease.isHeld(at: now) { state.disown(inFlight.all) }
            let actions = state.lease.didRenew(renewal, asked: asked, at: now, hasUnread: hasUnread)
            if actions.contains(.offerResults) {
                state.claims.add(state.results.own.union(inFlight.all.compactMap { state.claims.own($0.lease) }))
            } else if renewal.epoch != nil {
                state.claims.forget { inFlight.all.map(\.lease.dispatch) }
            }
            if actions.contains(.offerResults) {
                state.results.restart()
            } else if known > 0, !state.lease.isOffering {
                state.results.confirm(oldest: oldest, known: known)
            }
            return (actions, state.results.count)
        }
        unconfirmed.record(left)
        if actions.contains(.offerResults) { noticeLoss(left) } else if !actions.isEmpty { noticeLapse() }
        try await offer()
    }

    /// Ends the lease of a worker that has no batches.
    func leave() async throws(RedisError) {
        try await renew()
        let state = state.withLock { $0.lease }
        if inFlight.count == 0 { try await registry.clearLanes(of: worker) }
        _ = try await registry.renew(
            worker, lease: .zero, condition: state.condition(inFlight.epochs), losses: state.losses, isKnown: true)
    }

    /// Reports the batches that this worker accounts for, before it reports itself as clean.
    private func claim() async throws(RedisError) {
        guard let claims = state.withLock({ $0.claims.unreported }) else { return }
        try await registry.claim(claims, by: worker)
        state.withLock { $0.claims.didReport(claims) }
    }

    private func noticeLapse() {
        let ended = inFlight.endAll()
        lapses.increment()
        guard ended > 0 else { return }
        logger.warning("the lease of this worker had expired; it gives up what it had: \(Plural.text(ended, "batch", "batches"))")
    }

    private func noticeLoss(_ results: Int) {
        losses.increment()
        let ended = inFlight.endAll()
        guard ended > 0 || results > 0 else { return }
        logger.error(
            """
            Redis was emptied or restarted: \(Plural.text(ended, "batch", "batches")) in work given up here and dispatched again by the \
            planner, \(Plural.text(results, "group")) of unconfirmed results reported again
            """)
    }

    /// Sends results again that a loss may have taken, also those that were reported before it was noticed, until no batch of an older
    /// epoch is left here.
    private func offer() async throws(RedisError) {
        guard state.withLock({ $0.lease.isOffering }) else { return }
        // A batch that is still here may have reported to the lost Redis a moment ago.
        let epoch = state.withLock { $0.lease.epoch }
        let isLast = inFlight.epochs.allSatisfy { $0 == epoch }
        while true {
            let some = state.withLock { $0.results.next }
            guard !some.isEmpty else { break }
            let offered = try await status.offer(some)
            state.withLock { $0.results.didOffer(offered) }
        }
        if isLast { state.withLock { if $0.results.next.isEmpty { $0.lease.didOffer() } } }
    }
}
