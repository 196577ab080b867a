import Broker
import Logging
import Model
import Synchronization

/// The results of one batch on their way to the collector: kept until there are enough of them, or long enough, and sent
/// again until Redis has taken them. `close` comes after all `add`s, so that the closing group has the last number.
final class ResultBuffer: Sendable {
    /// Results in a group at most.
    static let limit = 250

    private struct State {
        var results: [RecipientResult] = []
        var sequence = 0
        var lastFlush = ContinuousClock.now
    }

    private let lease: BatchQueue.Lease
    private let queue: BatchQueue
    private let worker: String
    private let wait: Duration
    private let logger: Logger
    private let state = Mutex(State())

    init(lease: BatchQueue.Lease, queue: BatchQueue, worker: String, wait: Duration, logger: Logger) {
        self.lease = lease
        self.queue = queue
        self.worker = worker
        self.wait = wait
        self.logger = logger
    }

    /// Adds results, and sends what is there when it is enough or old enough.
    func add(_ results: [RecipientResult]) async {
        let group = state.withLock { state -> ResultGroup? in
            state.results += results
            // An empty group would leave a gap in the sequence, and the ledger would wait for it.
            guard !state.results.isEmpty else { return nil }
            guard state.results.count >= Self.limit || ContinuousClock.now - state.lastFlush >= wait else { return nil }
            return take(&state, closing: .open)
        }
        if let group { await send(group) }
    }

    /// Sends what is left, and gives the batch out of our hands.
    func close(_ closing: ResultGroup.Closing) async {
        await send(state.withLock { take(&$0, closing: closing) })
    }

    /// Sends what is left of a batch that is another worker's now: what was sent to people must be told all the same.
    func abandon() async {
        let group = state.withLock { $0.results.isEmpty ? nil : take(&$0, closing: .open) }
        if let group { await send(group) }
        var patience = Patience()
        while true {
            do throws(RedisError) { return try await queue.drop(lease) } catch {
                logger.warning("batch \(lease.batch.id) cannot be taken off its stream: \(error)")
            }
            guard await patience.wait() else { return }
        }
    }

    private func take(_ state: inout State, closing: ResultGroup.Closing) -> ResultGroup {
        defer {
            state.results = []
            state.sequence += 1
            state.lastFlush = .now
        }
        return ResultGroup(
            batch: lease.batch.id, generation: lease.batch.generation, worker: worker, sequence: state.sequence,
            closing: closing, results: state.results)
    }

    /// What was sent to people must be told: it is tried until it is through, or the process is cut short.
    private func send(_ group: ResultGroup) async {
        var patience = Patience()
        while true {
            do throws(RedisError) {
                return try await queue.report(group, of: lease)
            } catch {
                if patience.count % 20 == 0 {
                    logger.error("\(group.results.count) results cannot be reported, trying again: \(error)")
                }
            }
            guard await patience.wait() else {
                return logger.critical("\(group.results.count) results are lost with this process: it was cut short")
            }
        }
    }
}
