import Broker
import Logging
import Model
import Policy

extension BatchRun {
    /// What is left to do of a batch whose worker died: done recipients are skipped, those that may have been reached are
    /// noted as the mailing wants it, and of a batch that ended too many workers nothing is sent at all.
    func inherited() async throws(RedisError) -> [OpenRecipient] {
        let marks = try await worker.queue.marks(lease)
        let left = whole.filter { marks[$0.index] != .done }
        let begun = left.filter { marks[$0.index] == .begun }
        // Workers that end while nobody of it was on the wire (a provider is away for long) are not the batch's fault, unless
        // there is no end to it.
        let limit = worker.configuration.poison * (begun.isEmpty ? 4 : 1)
        let isPoison = lease.deliveries > limit
        worker.takenOver(lease, done: whole.count - left.count, begun: begun.count, isSetAside: isPoison)
        if isPoison {
            await note(left, "its batch was set aside: \(lease.deliveries - 1) workers ended with it", isHeld: true)
            return []
        }
        await note(begun, "on its way when \(lease.from.map { "worker \($0)" } ?? "a worker") ended", isHeld: rule.uncertain == .hold)
        // Known to the collector before a second message goes out.
        await buffer.flush(olderThan: .zero)
        return rule.uncertain == .hold ? left.filter { marks[$0.index] == .untouched } : left
    }

    private func note(_ open: [OpenRecipient], _ why: String, isHeld: Bool) async {
        let now = Clock.milliseconds()
        let answer = Answer(kind: .unreachable, stage: .body, code: 0, text: why)
        let results = open.map {
            RecipientResult(
                index: $0.index, state: .uncertain, attempts: $0.attempts, at: now, due: isHeld ? 0 : now, answer: answer)
        }
        meters.count(results)
        await buffer.add(results)
    }
}
