import Broker
import Ledger
import Logging
import Model
import Policy

/// Redis may lose a single key: a person removes it, or a cache evicts it. The leader writes again what it knows. A loss that hides what
/// was sent ends the epoch, like a loss of the whole Redis: workers then report what they know before anything is dispatched again.
extension Dispatcher {
    /// Searches for lost keys every few seconds.
    /// - Parameter work: all mailings in work, as the ledger had them a moment ago.
    /// - Throws: `RedisError.epochEnded` when a lost key cannot be written again.
    func inspect(_ work: [MailingWork], _ epoch: Epoch) async throws {
        guard clocks.now - inspected >= Timing.inspection(mailings: shown.count) else { return }
        inspected = clocks.now
        if try await publishedLimits.limits() != shownLimits { shownLimits = nil }
        try await broker.setPartitions()
        let expected = shown.mapValues { PublishedMailings.Controls(state: $0.state, speed: $0.speed) }
        for id in try await published.altered(expected) { shown[id] = nil }
        let lanes = Array(Set(shown.values.flatMap(\.all)))
        if let lane = try await queue.inspect(lanes, lease: workerLease) { throw lose("lane \(lane)") }
        if let id = try await mailingWithoutDispatches(work, epoch) {
            try await epochs.distrust()
            throw lose("the list of dispatched batches of mailing \(id)")
        }
    }

    private func lose(_ key: String) -> RedisError {
        logger.error("Redis has lost \(key): its batches are dispatched again as soon as every worker has reported what it sent")
        self.epoch = nil
        return .epochEnded
    }

    /// A mailing with batches that are in Redis by the ledger, and are not there.
    private func mailingWithoutDispatches(_ work: [MailingWork], _ epoch: Epoch) async throws -> MailingID? {
        let dispatched = work.filter { $0.dispatched > 0 && shown[$0.id] != nil }
        let few = try await queue.lacking(dispatched.map { (mailing: $0.id, count: $0.dispatched) })
        guard !few.isEmpty else { return nil }
        let marked = try await ledger.openDispatches(of: few)
        let known = try await queue.dispatched(few, epoch: epoch)
        // A batch leaves the list only after it has ended in the ledger: a batch that is open there was in the list.
        let open = try await ledger.openDispatches(of: few)
        return few.first { id in
            let still = Set((open[id] ?? []).map { [$0.number, $0.dispatchNumber] })
            return (marked[id] ?? []).contains {
                known[id]?[$0.number] != $0.dispatchNumber && still.contains([$0.number, $0.dispatchNumber])
            }
        }
    }
}
