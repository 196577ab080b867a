import Broker
import Logging
import Model
import Synchronization

/// Sends the results of one batch to the collector in groups, so that a message costs a fraction of a command; the shell of
/// `ResultBufferState`.
final class ResultBuffer: Sendable {
    private let lease: BatchLease
    private let provider: String
    private let worker: WorkerContext
    /// Names the worker and this claim of the batch: another claim numbers its groups anew.
    private let name: String
    private let state = Mutex(ResultBufferState())
    /// Notified when a group was reported.
    private let through = WakeSignal()

    init(lease: BatchLease, worker: WorkerContext) {
        self.lease = lease
        self.worker = worker
        provider = lease.lane.provider
        name = "\(lease.holder.worker).\(worker.nextClaim())"
    }

    /// Adds results, and sends a group when there are enough.
    func add(_ results: [RecipientResult]) async {
        let (group, isFirst) = state.withLock { state in
            let wasEmpty = state.since == nil
            let group = state.add(results, at: worker.clocks.now)
            return (group, wasEmpty && state.since != nil)
        }
        if isFirst { worker.results.notify() }
        if let group { await send(group) }
    }

    /// When the waiting results must be sent; nil where none wait.
    func due(after wait: Duration) -> ContinuousClock.Instant? { state.withLock { $0.since.map { $0 + wait } } }

    /// Sends results that have waited for `age`.
    func flush(olderThan age: Duration) async {
        if let group = state.withLock({ $0.flush(olderThan: age, at: worker.clocks.now) }) { await send(group) }
    }

    /// Sends the rest and closes the batch, after all groups before. A batch of which a group could not be reported stays pending: its
    /// next worker finds the uncertain recipients by their marks.
    func close(_ closing: ResultGroup.Closing) async {
        while true {
            let (group, isBroken) = state.withLock { ($0.close(closing), $0.isBroken) }
            if let group { return await send(group) }
            if isBroken { return }
            // Wait for a group that is being sent. The wait ends early only in a process that is cut short.
            await through.wait(atMost: .seconds(1))
        }
    }

    /// Sends the rest of a batch that stays pending.
    func leave() async {
        await flush(olderThan: .zero)
        while state.withLock({ $0.sending > 0 }) { await through.wait(atMost: .seconds(1)) }
    }

    /// Retries until Redis has the results or the process is cut short: what was sent must be reported.
    private func send(_ part: ResultBufferState.Group) async {
        let group = ResultGroup(
            Dispatch(batch: lease.batch.id, dispatchNumber: lease.batch.dispatchNumber), worker: name, provider: provider,
            sequence: part.sequence,
            closing: part.closing, results: part.results)
        let isReported = await tell(group)
        state.withLock { $0.sent(isReported: isReported) }
        through.notify()
    }

    private func tell(_ group: ResultGroup) async -> Bool {
        var backoff = Backoff()
        while true {
            do throws(RedisError) {
                if let receipt = try await worker.queue.report(group, of: lease) { worker.lease.keep(receipt, of: lease) }
                return true
            } catch {
                if backoff.count % 20 == 0 {
                    let what = group.results.isEmpty ? "the end of a batch" : "\(group.results.count) results"
                    worker.logger.warning("\(what) cannot be reported, trying again: \(error)", metadata: lease.fields)
                }
            }
            guard await backoff.wait() else {
                guard !group.results.isEmpty else { return false }
                worker.loseResults()
                worker.logger.critical(
                    """
                    \(group.results.count) results of batch \(lease.batch.id) are lost, because the process ends early: \
                    they count as uncertain
                    """, metadata: lease.fields)
                return false
            }
        }
    }
}
