import Broker
import Logging
import Metrics
import Model
import Synchronization

/// A worker's lease, as the worker sees it: held only as long as Redis holds it for certain. It also keeps the results that
/// no collector has confirmed, and offers them again when Redis lost them.
final class LeaseKeeper: Sendable {
    private struct State {
        var until: ContinuousClock.Instant?
        var renewed: ContinuousClock.Instant?
        /// Until when others may only be slow to come back from what we have come back from.
        var patientUntil: ContinuousClock.Instant?
        /// Redis has known of us before.
        var isKnown = false
        /// The epoch at the last renewal.
        var epoch: Epoch?
        var isNoted = false
        var unconfirmed: [Receipt] = []
        /// Losses of Redis that were noticed.
        var losses = 0
        /// A loss was noticed, and not all is settled: how many of `unconfirmed` were offered again.
        var offered: Int?
        /// A loss took the marks of a batch that was taken over, before they were read.
        var isInDoubt = false
    }

    private let worker: String
    private let length: Duration
    private let register: WorkerRegistry
    private let status: StatusStreams
    private let inFlight: InFlightBatches
    private let logger: Logger
    private let state = Mutex(State())
    private let losses = Counter(label: "flotilla_redis_losses_total")
    private let lapses = Counter(label: "flotilla_lease_lapses_total")
    private let unconfirmed = Gauge(label: "flotilla_results_unconfirmed")

    init(
        worker: String, length: Duration, register: WorkerRegistry, status: StatusStreams, inFlight: InFlightBatches, logger: Logger
    ) {
        self.worker = worker
        self.length = length
        self.register = register
        self.status = status
        self.inFlight = inFlight
        self.logger = logger
    }

    /// How long after an outage a worker may be in coming back: the longest wait between two tries, and a little.
    private static let longestReturn = Duration.seconds(6)

    /// How often the lease is to be renewed.
    var interval: Duration { min(.seconds(1), length / 5) }

    /// Nobody else can have our batches yet.
    var isHeld: Bool {
        let until = state.withLock { $0.until }
        return until.map { ContinuousClock.now < $0 } ?? false
    }

    /// Batches may be taken: nobody else can have them, and the dispatcher will miss us when Redis forgets us.
    var mayTake: Bool { isHeld && state.withLock { $0.isNoted } }

    /// A worker whose lease is over has ended, as far as we can tell: after an outage of Redis all of them come back, within
    /// seconds of one another, and none is to be inherited from.
    var mayInherit: Bool {
        state.withLock { state in state.patientUntil.map { ContinuousClock.now >= $0 } ?? true }
    }

    /// Every result is known to be in the ledger.
    var isConfirmed: Bool { state.withLock { $0.unconfirmed.isEmpty } }

    /// Keeps results until a collector has confirmed them.
    func keep(_ receipt: Receipt) { state.withLock { $0.unconfirmed.append(receipt) } }

    /// Renews the lease; notices that it was over, that Redis lost everything, and what collectors have confirmed.
    func renew() async throws(RedisError) {
        noticeLapse()
        let before = state.withLock { $0 }
        let oldest = try await status.oldest()
        let asked = ContinuousClock.now
        let renewal = try await register.renew(
            worker, lease: length, condition: condition(before), losses: before.losses, isKnown: before.isKnown)
        let isLoss = before.isKnown && !renewal.isKept
        let left = state.withLock { state in
            let gap = state.renewed.map { asked - $0 } ?? .zero
            if gap > length * 9 / 10 { state.patientUntil = asked + min(gap, Self.longestReturn) }
            state.renewed = asked
            // A tenth less than Redis grants: its clock and ours may run at different speeds.
            state.until = asked + length * 9 / 10
            state.isKnown = true
            state.isNoted = renewal.isNoted
            if renewal.epoch != nil, !isLoss { state.isInDoubt = false }
            state.epoch = renewal.epoch
            if isLoss {
                state.losses += 1
                state.offered = 0
            } else if state.offered == nil {
                // Those that were there before the question, and older than all that waits, are in the ledger.
                let waiting = state.unconfirmed[..<before.unconfirmed.count].filter { receipt in
                    oldest[receipt.partition].map { $0 <= receipt.id } ?? false
                }
                state.unconfirmed.replaceSubrange(..<before.unconfirmed.count, with: waiting)
            }
            return state.unconfirmed.count
        }
        unconfirmed.record(left)
        if isLoss { noticeLoss(left) }
        try await offer()
    }

    private func condition(_ state: State) -> WorkerRegistry.Condition {
        if state.isInDoubt { return .doubt }
        let isClean = state.offered == nil && inFlight.claims.allSatisfy { $0.lease.epoch == state.epoch }
        return isClean ? .clean : .busy
    }

    /// Ends the lease, of a worker that has nothing in hand.
    func leave() async throws(RedisError) {
        try await renew()
        let state = state.withLock { $0 }
        _ = try await register.renew(
            worker, lease: .zero, condition: condition(state), losses: state.losses, isKnown: true)
    }

    /// A lease that was over for a moment may have made our batches others': what is begun ends here.
    private func noticeLapse() {
        let until = state.withLock { $0.until }
        guard let until, ContinuousClock.now >= until else { return }
        let claims = inFlight.claims.filter { !$0.isOver }
        for claim in claims { claim.end() }
        state.withLock { $0.until = nil }
        lapses.increment()
        logger.warning("the lease of this worker expired; it gives up its \(claims.count) batches")
    }

    private func noticeLoss(_ results: Int) {
        losses.increment()
        let claims = inFlight.claims
        for claim in claims { claim.end() }
        if claims.contains(where: { !$0.isUnderstood }) { state.withLock { $0.isInDoubt = true } }
        logger.log(
            level: claims.isEmpty && results == 0 ? .notice : .error,
            """
            Redis was emptied or restarted: \(claims.count) batches in flight are given up here and dispatched again by the planner, \
            \(results) groups of unconfirmed results are reported again
            """)
    }

    /// Sends again what a loss may have taken, and what was reported while it was not noticed: until no batch of before is
    /// in hand.
    private func offer() async throws(RedisError) {
        guard let start = state.withLock({ $0.offered }) else { return }
        // A batch that is still in hand may have told something to the Redis of before a moment ago.
        let epoch = state.withLock { $0.epoch }
        let isLast = inFlight.claims.allSatisfy { $0.lease.epoch == epoch }
        let receipts = state.withLock { $0.unconfirmed }
        var done = start
        while done < receipts.count {
            let some = Array(receipts[done..<min(done + 100, receipts.count)])
            let offered = try await status.offer(some)
            state.withLock { state in
                state.unconfirmed.replaceSubrange(done..<done + some.count, with: offered)
                state.offered = done + some.count
            }
            done += some.count
        }
        state.withLock { state in
            if isLast, state.unconfirmed.count == done {
                state.offered = nil
            }
        }
    }
}
