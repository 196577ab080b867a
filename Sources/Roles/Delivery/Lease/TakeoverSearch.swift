import Broker
import Policy
import Model

/// Finds the workers whose batches may be taken over: their lease has expired, and they have not renewed it since that was first seen a
/// while ago. So a clock of Redis that jumps ahead for a moment takes no batch from a living worker.
struct TakeoverSearch: Sendable, Hashable {
    /// How long ago a worker must have been seen with the same expired lease: it would have renewed it twice since.
    private let wait: Duration

    /// Registrations with an expired lease, and when they were first seen.
    private var seen: [WorkerRegistry.Registration: ContinuousClock.Instant] = [:]

    /// - Parameter renewal: how often a living worker renews its lease.
    init(renewal: Duration = Timing.renewal) { wait = renewal * 11 / 5 }

    /// - Parameter workers: all that are registered.
    /// - Returns: those to take over from, the longest expired first.
    mutating func look(_ workers: [WorkerRegistry.Registration], except own: String, at now: ContinuousClock.Instant)
        -> [WorkerRegistry.Registration]
    {
        let expired = Set(workers.filter { !$0.isAlive && $0.worker != own })
        seen = seen.filter { expired.contains($0.key) }
        for one in expired where seen[one] == nil { seen[one] = now }
        return expired.filter { now - (seen[$0] ?? now) >= wait }.sorted { $0.text < $1.text }
    }
}
