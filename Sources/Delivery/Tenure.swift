import Broker
import Logging
import Metrics
import Model
import Synchronization

/// A worker's lease, as the worker sees it: held only as long as Redis holds it for certain. It also keeps the results that
/// no collector has confirmed, and offers them again when Redis lost them.
final class Tenure: Sendable {
    private struct State {
        var until: ContinuousClock.Instant?
        var renewed: ContinuousClock.Instant?
        /// Until when others may only be slow to come back from what we have come back from.
        var patientUntil: ContinuousClock.Instant?
        /// Redis has known of us before.
        var isKnown = false
        /// The epoch at the last renewal.
        var epoch: Epoch?
        var unconfirmed: [Receipt] = []
        /// A loss was noticed, and the results are still to be offered again.
        var mustOffer = false
    }

    private let worker: String
    private let length: Duration
    private let register: WorkerRegister
    private let status: StatusStreams
    private let inHand: InHand
    private let logger: Logger
    private let state = Mutex(State())
    private let losses = Counter(label: "flotilla_redis_losses_total")
    private let lapses = Counter(label: "flotilla_lease_lapses_total")
    private let unconfirmed = Gauge(label: "flotilla_results_unconfirmed")

    init(
        worker: String, length: Duration, register: WorkerRegister, status: StatusStreams, inHand: InHand, logger: Logger
    ) {
        self.worker = worker
        self.length = length
        self.register = register
        self.status = status
        self.inHand = inHand
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
        let (receipts, isKnown, epoch, mustOffer) = state.withLock {
            ($0.unconfirmed.count, $0.isKnown, $0.epoch, $0.mustOffer)
        }
        let oldest = try await status.oldest()
        let isClean = !mustOffer && inHand.claims.allSatisfy { $0.lease.epoch == epoch }
        let asked = ContinuousClock.now
        let renewal = try await register.renew(worker, lease: length, isClean: isClean, isKnown: isKnown)
        let isLoss = isKnown && !renewal.isKept
        let left = state.withLock { state in
            let gap = state.renewed.map { asked - $0 } ?? .zero
            if gap > length * 9 / 10 { state.patientUntil = asked + min(gap, Self.longestReturn) }
            state.renewed = asked
            // A tenth less than Redis grants: its clock and ours may run at different speeds.
            state.until = asked + length * 9 / 10
            state.isKnown = true
            state.epoch = renewal.epoch
            if isLoss {
                state.mustOffer = true
            } else if !state.mustOffer {
                // Those that were there before the question, and older than all that waits, are in the ledger.
                let waiting = state.unconfirmed[..<receipts].filter { receipt in
                    oldest[receipt.partition].map { $0 <= receipt.id } ?? false
                }
                state.unconfirmed.replaceSubrange(..<receipts, with: waiting)
            }
            return state.unconfirmed.count
        }
        unconfirmed.record(left)
        if isLoss { noticeLoss(left) }
        try await offer()
    }

    /// A lease that was over for a moment may have made our batches others': what is begun ends here.
    private func noticeLapse() {
        let until = state.withLock { $0.until }
        guard let until, ContinuousClock.now >= until else { return }
        let claims = inHand.claims.filter { !$0.isOver }
        for claim in claims { claim.end() }
        state.withLock { $0.until = nil }
        lapses.increment()
        logger.warning("the lease of this worker was over; it gives up the \(claims.count) batches it had")
    }

    private func noticeLoss(_ results: Int) {
        losses.increment()
        let claims = inHand.claims
        for claim in claims { claim.end() }
        logger.error(
            """
            Redis was emptied or started again: \(claims.count) batches in work are given up here and fed again by the planner, \
            \(results) groups of results that are not known to be in the ledger are sent again
            """)
    }

    /// Sends again what a loss may have taken.
    private func offer() async throws(RedisError) {
        guard state.withLock({ $0.mustOffer }) else { return }
        let receipts = state.withLock { $0.unconfirmed }
        for start in stride(from: 0, to: receipts.count, by: 100) {
            let some = Array(receipts[start..<min(start + 100, receipts.count)])
            let offered = try await status.offer(some)
            state.withLock { $0.unconfirmed.replaceSubrange(start..<start + some.count, with: offered) }
        }
        state.withLock { $0.mustOffer = false }
    }
}
