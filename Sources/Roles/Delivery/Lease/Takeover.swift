import Broker
import Logging
import Model

/// What a worker finds of a batch that it took over, before it does anything else with it.
struct Takeover: Sendable {
    let batch: InFlightBatch
    /// What the mailing wants of messages that may have arrived; nil when the mailing is gone: they are only listed.
    let policy: Mailing.UncertainPolicy?
    let worker: WorkerContext

    /// Everybody whom a dispatch is for.
    static func whole(_ batch: DispatchedBatch) -> [OpenRecipient] {
        batch.open ?? (0..<batch.count).map { OpenRecipient(index: $0, attempts: 0) }
    }

    /// What is left to do: done recipients are skipped, those that may have been reached are noted as the mailing wants it, and
    /// of a batch that ended too many workers nothing is sent at all.
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
        // Known to the collector before a second message goes out.
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

/// What is to be done with a batch that was taken over, by the marks that its workers left.
struct TakeoverPlan: Sendable, Equatable {
    /// Workers may end this many times more often with a batch of which no message was in flight: it is then rather the provider that is
    /// unavailable for long.
    private static let harmless = 4

    /// Those to send to.
    let open: [OpenRecipient]
    /// Those to be listed as uncertain.
    let uncertain: [OpenRecipient]
    /// Those listed are held for a person.
    let isHeld: Bool
    /// The batch ended too many workers: nothing of it is sent.
    let isQuarantined: Bool
    /// Recipients that have a result.
    let done: Int

    /// - Parameters:
    ///   - open: everybody whom the dispatch is for.
    ///   - deliveries: how often the batch was handed out, from 1.
    ///   - maximum: workers that may end with a batch.
    ///   - policy: what the mailing wants of messages that may have arrived; nil lists them only.
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
