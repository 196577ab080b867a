import Broker
import Logging
import Model

/// What a worker finds of a batch that it took over, before it does anything else with it.
struct Takeover: Sendable {
    let claim: InFlightBatch
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
        let lease = claim.lease
        guard let marks = try await worker.queue.marks(lease) else { return nil }
        let whole = Self.whole(lease.batch)
        let left = whole.filter { marks[$0.index] != .done }
        let begun = left.filter { marks[$0.index] == .begun }
        // Workers that end while nobody of it was on the wire (a provider is away for long) are not the batch's fault, unless
        // there is no end to it.
        let limit = worker.configuration.poison * (begun.isEmpty ? 4 : 1)
        let isPoison = lease.deliveries > limit
        worker.takenOver(lease, done: whole.count - left.count, begun: begun.count, isSetAside: isPoison)
        let isHeld = policy == .hold
        if isPoison {
            await note(left, "its batch was quarantined: \(lease.deliveries - 1) workers ended with it", isHeld: true)
        } else {
            let before = lease.from.map { "worker \($0)" } ?? "a worker"
            await note(begun, "in flight when \(before) ended", isHeld: isHeld)
        }
        // Known to the collector before a second message goes out.
        await claim.buffer.flush(olderThan: .zero)
        claim.understand()
        if isPoison { return [] }
        return isHeld ? left.filter { marks[$0.index] == .untouched } : left
    }

    private func note(_ open: [OpenRecipient], _ why: String, isHeld: Bool) async {
        let now = worker.now
        let response = ProviderResponse(kind: .unreachable, stage: .body, code: 0, text: why)
        await claim.buffer.add(
            open.map {
                RecipientResult(
                    index: $0.index, state: .uncertain, attempts: $0.attempts, at: now, due: isHeld ? 0 : now,
                    response: response)
            })
    }
}
