import Broker
import Logging
import Model

/// What a worker finds of a batch that it took over, before it does anything else with it.
struct Takeover: Sendable {
    let batch: InFlightBatch
    /// What the mailing does with messages that may have arrived; nil when the mailing has ended: they are only listed.
    let policy: Mailing.UncertainPolicy?
    let worker: WorkerContext

    /// All recipients of a dispatch.
    static func whole(_ batch: DispatchedBatch) -> [OpenRecipient] {
        batch.open ?? (0..<batch.count).map { OpenRecipient(index: $0, attempts: 0) }
    }

    /// The recipients that are left: done ones are skipped, ones that may have been reached are treated as the mailing says, and of a batch
    /// that ended too many workers nothing is sent.
    /// - Returns: nil when the batch is not this worker's any more.
    func enter() async throws(RedisError) -> [OpenRecipient]? {
        let lease = batch.lease
        guard let marks = try await worker.queue.marks(lease) else { return nil }
        let plan = TakeoverPlan(
            open: Self.whole(lease.batch), marks: marks, deliveries: lease.holder.deliveries,
            maximum: worker.configuration.maximumDeliveries,
            policy: policy)
        worker.takenOver(lease, plan)
        let from = lease.from.map { "worker \($0)" } ?? "a worker"
        await note(
            plan.uncertain,
            plan.isQuarantined
                ? "its batch was quarantined: \(lease.holder.deliveries - 1) workers ended with it" : "in flight when \(from) ended",
            isHeld: plan.isHeld)
        // The collector knows of it before a second message goes out.
        await batch.buffer.flush(olderThan: .zero)
        batch.understand()
        return plan.open
    }

    private func note(_ open: [OpenRecipient], _ why: String, isHeld: Bool) async {
        let now = worker.now
        let response = ProviderResponse(missed: .workerEnded, stage: .body, text: why)
        await batch.buffer.add(
            open.map {
                RecipientResult(
                    index: $0.index, state: .uncertain, attempts: $0.attempts, at: now, due: isHeld ? 0 : now,
                    response: response)
            })
    }
}

/// What to do with a batch that was taken over, by the marks of its earlier workers.
struct TakeoverPlan: Sendable, Equatable {
    /// A batch without a message in flight may meet so many times more ends of workers: the provider is then more likely unavailable for
    /// long than the batch harmful.
    private static let harmless = 4

    /// Recipients to send to.
    let open: [OpenRecipient]
    /// Recipients to list as uncertain.
    let uncertain: [OpenRecipient]
    /// The listed recipients are held for a person.
    let isHeld: Bool
    /// The batch ended too many workers: nothing of it is sent.
    let isQuarantined: Bool
    /// Recipients that have a result.
    let done: Int

    /// - Parameters:
    ///   - open: all recipients of the dispatch.
    ///   - deliveries: how often the batch was handed out, from 1.
    ///   - maximum: workers that may end with a batch.
    ///   - policy: what the mailing does with messages that may have arrived; nil lists them only.
    init(open whole: [OpenRecipient], marks: Marks, deliveries: Int, maximum: Int, policy: Mailing.UncertainPolicy?) {
        let left = whole.filter { marks[$0.index] != .done }
        let started = left.filter { marks[$0.index] == .started }
        done = whole.count - left.count
        isQuarantined = deliveries > maximum * (started.isEmpty ? Self.harmless : 1)
        isHeld = isQuarantined || policy == .hold
        uncertain = isQuarantined ? left : started
        open = isQuarantined ? [] : policy == .hold ? left.filter { marks[$0.index] == .notStarted } : left
    }
}
