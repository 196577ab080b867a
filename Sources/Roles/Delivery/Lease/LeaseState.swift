import Broker
import Model
import Policy

/// A worker's lease as the worker sees it: held only while Redis certainly holds it. It guarantees that a worker starts nothing when
/// another may have its batches, notices every loss of Redis, and reports itself as clean only when no older batch or result is left.
struct LeaseState: Sendable, Hashable {
    typealias Instant = ContinuousClock.Instant

    /// What the worker does with its batches.
    enum Action: Sendable, Hashable {
        /// Nothing more of them starts here.
        case endBatches
        /// All results that no collector has confirmed are sent again.
        case offerResults
    }

    /// How long Redis keeps the lease without a renewal.
    let length: Duration
    /// The lease is certain until then; nil where there is none.
    private(set) var until: Instant?
    /// When the last renewal that succeeded was asked for.
    private var renewed: Instant?
    /// Until then other workers may still be on their way back from an outage.
    private var noTakeoverUntil: Instant?
    /// Redis has known of the worker before.
    private(set) var isKnown = false
    /// The epoch at the last renewal.
    private(set) var epoch: Epoch?
    private(set) var isAdmitted = false
    /// Losses of Redis that were noticed.
    private(set) var losses = 0
    /// Results from before the last loss have not been sent again.
    private(set) var isOffering = false
    /// A loss took the marks of a batch that was taken over, before they were read.
    private(set) var isInDoubt = false

    init(length: Duration) { self.length = length }

    /// How often the lease is to be renewed.
    var interval: Duration { min(Timing.renewal, length / 5) }

    /// No other worker can have this worker's batches.
    func isHeld(at now: Instant) -> Bool { until.map { now < $0 } ?? false }

    /// Batches may be taken: no other worker can have them, and the dispatcher knows this worker if Redis forgets it.
    func mayTake(at now: Instant) -> Bool { isHeld(at: now) && isAdmitted }

    /// Batches of others may be taken over. After an outage of Redis all workers come back within seconds of one another, and none of them
    /// has ended.
    func mayTakeOver(at now: Instant) -> Bool { noTakeoverUntil.map { now >= $0 } ?? true }

    /// A renewal is about to be sent.
    /// - Returns: `endBatches` when the lease has expired meanwhile: its batches may be another's.
    mutating func willRenew(at now: Instant) -> Action? {
        guard let until, now >= until else { return nil }
        self.until = nil
        return .endBatches
    }

    /// The condition that the worker reports in a renewal.
    /// - Parameter epochs: the epochs of its batches.
    func condition(_ epochs: some Sequence<Epoch>) -> WorkerRegistry.Condition {
        if isInDoubt { return .doubt }
        return !isOffering && epochs.allSatisfy { $0 == epoch } ? .clean : .busy
    }

    /// A renewal has succeeded.
    /// - Parameters:
    ///   - asked: when it was asked for.
    ///   - now: when the reply came. The lease may have expired meanwhile, and been another's, before it was renewed.
    ///   - hasUnread: a batch was taken over whose marks are not read yet.
    /// - Returns: `endBatches` where it had expired, and what a loss of Redis requires; empty where there was neither.
    mutating func didRenew(_ renewal: WorkerRegistry.Renewal, asked: Instant, at now: Instant, hasUnread: Bool) -> [Action] {
        let lapse = willRenew(at: now)
        let certain = length * (1 - Timing.leaseMargin)
        let gap = renewed.map { asked - $0 } ?? .zero
        if gap > certain { noTakeoverUntil = asked + min(gap, Timing.longestReturn) }
        let isLoss = isKnown && !renewal.isKept
        renewed = asked
        until = asked + certain
        isKnown = true
        isAdmitted = renewal.isAdmitted
        if renewal.epoch != nil, !isLoss { isInDoubt = false }
        epoch = renewal.epoch
        guard isLoss else { return lapse.map { [$0] } ?? [] }
        losses += 1
        isOffering = true
        if hasUnread { isInDoubt = true }
        return [.endBatches, .offerResults]
    }

    /// All results were sent again, and no batch of an older epoch was left that could report to the lost Redis.
    mutating func didOffer() { isOffering = false }
}
