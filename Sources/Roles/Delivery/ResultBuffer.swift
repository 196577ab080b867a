import Broker
import Logging
import Model
import Synchronization

/// Gathers the results of one batch and sends them to the collector packed, so that a message costs a small share of a
/// command. Results wait until there are enough of them, or for a short time.
final class ResultBuffer: Sendable {
    /// Results in an entry, about.
    private static let limit = 250

    private struct State {
        var results: [RecipientResult] = []
        var sequence = 0
        /// When the first of `results` came.
        var since: ContinuousClock.Instant?
        /// Groups on their way to Redis.
        var sending = 0
        /// A group could not be told: what it had counts as begun and not done, so that the batch must not be closed.
        var isBroken = false
    }

    private let lease: BatchQueue.Lease
    private let worker: WorkerContext
    /// Names the worker and this claim of the batch: another claim numbers its groups anew.
    private let name: String
    private let state = Mutex(State())

    init(lease: BatchQueue.Lease, worker: WorkerContext) {
        self.lease = lease
        self.worker = worker
        name = "\(lease.worker).\(worker.nextClaim())"
    }

    /// Adds results, and sends what is there when it is enough.
    func add(_ results: [RecipientResult]) async {
        guard !results.isEmpty else { return }
        let group = state.withLock { state -> ResultGroup? in
            state.results += results
            if state.since == nil { state.since = .now }
            return state.results.count >= Self.limit ? take(&state, closing: .open) : nil
        }
        if let group { await send(group) }
    }

    /// Sends what has waited for as long as `age`.
    func flush(olderThan age: Duration) async {
        let group = state.withLock { state -> ResultGroup? in
            guard let since = state.since, ContinuousClock.now - since >= age else { return nil }
            return take(&state, closing: .open)
        }
        if let group { await send(group) }
    }

    /// Sends what is left, and gives the batch out of our hands, once all groups before are through. A batch of which a group
    /// could not be told stays pending: its next worker finds by the marks who is uncertain.
    func close(_ closing: ResultGroup.Closing) async {
        await untilSent()
        var group: ResultGroup?
        while true {
            let isBroken = state.withLock { state in
                // A flush may have begun since.
                if state.sending == 0, !state.isBroken { group = take(&state, closing: closing) }
                return state.isBroken
            }
            if isBroken { return }
            if let group { return await send(group) }
            await untilSent()
        }
    }

    /// Sends what is left of a batch that stays pending.
    func leave() async {
        await flush(olderThan: .zero)
        await untilSent()
    }

    private func untilSent() async {
        var wait = Duration.milliseconds(2)
        while state.withLock({ $0.sending > 0 }) {
            try? await Task.sleep(for: wait)
            wait = min(wait * 2, .milliseconds(200))
        }
    }

    private func take(_ state: inout State, closing: ResultGroup.Closing) -> ResultGroup {
        defer {
            state.results = []
            state.sequence += 1
            state.sending += 1
            state.since = nil
        }
        return ResultGroup(
            batch: lease.batch.id, dispatchNumber: lease.batch.dispatchNumber, worker: name,
            sequence: state.sequence, closing: closing, results: state.results)
    }

    /// What was sent to people must be told: it is tried until it is through, or the process is cut short.
    private func send(_ group: ResultGroup) async {
        defer { state.withLock { $0.sending -= 1 } }
        var backoff = Backoff()
        while true {
            do throws(RedisError) {
                if let receipt = try await worker.queue.report(group, of: lease) { worker.lease.keep(receipt) }
                return
            } catch {
                if backoff.count % 20 == 0 {
                    let what = group.results.isEmpty ? "the end of a batch" : "\(group.results.count) results"
                    worker.logger.warning("\(what) cannot be reported, trying again: \(error)", metadata: lease.fields)
                }
            }
            guard await backoff.wait() else {
                state.withLock { $0.isBroken = true }
                if group.results.isEmpty { return }
                worker.loseResults()
                return worker.logger.critical(
                    """
                    \(group.results.count) results of batch \(lease.batch.id) are lost, because the process ends early: \
                    they count as uncertain
                    """, metadata: lease.fields)
            }
        }
    }
}
