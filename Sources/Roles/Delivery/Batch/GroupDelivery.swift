import Broker
import Logging
import Metrics
import Model
import Policy
import Synchronization
import Transport

/// Delivers one group of a batch, until each of its recipients has a result or nothing more may start.
struct GroupDelivery: Sendable {
    let batch: BatchDelivery
    let pool: ReservationPool
    let share: Prefetch.Share

    private var worker: WorkerContext { batch.worker }
    private var mailing: PreparedMailing { batch.mailing }
    private var limiter: ConcurrencyLimiter { mailing.link.limiter }
    private var breaker: ProviderCircuitBreaker { mailing.link.breaker }

    /// - Parameters:
    ///   - indexes: the group; a place of the limiter is held for it, and given up when nothing more of it starts.
    ///   - first: what lets it go.
    func run(_ indexes: [Int], _ first: BatchDelivery.Turn) async {
        await withDiscardingTaskGroup { late in
            await send(indexes, first, &late)
            limiter.release()
        }
    }

    private func send(_ indexes: [Int], _ first: BatchDelivery.Turn, _ late: inout DiscardingTaskGroup) async {
        var turn: BatchDelivery.Turn? = first
        let retries = LocalRetryRule(now: worker.now)
        var backoff = Backoff()
        // Those who rest, or have rested: they do not count any more towards what the worker has taken.
        var rested: Set<Int> = []
        defer { _ = turn?.ticket.end() }
        while true {
            await batch.expire(indexes)
            let (left, retryDue) = batch.state.withLock { ($0.waiting(among: indexes), $0.retryDue(among: indexes)) }
            if left.isEmpty {
                guard let retryDue, await outside({ await rest(until: retryDue) }) else { return }
                batch.state.withLock { $0.resume(indexes) }
                continue
            }
            if turn == nil || breaker.isOpen && turn?.probe == nil {
                _ = turn?.ticket.end()
                turn = await outside { await turnAgain(left.count, isFresh: left[0].attempts == 0) }
            }
            guard let current = turn, await start(Array(left.prefix(current.count))) else {
                return breaker.release(turn?.probe)
            }
            let group = Array(left.prefix(current.count))
            let (outcome, waiting) = await transmit(group, current, retries)
            turn = nil
            await batch.report(outcome.results)
            // Nothing more can be done for those who are waited for: others take their places.
            for one in waiting {
                late.addTask { await finish(one, current.probe) }
            }
            share.finish(
                waiting.count { !rested.contains($0.item.index) }
                    + (outcome.results + outcome.retries).count { ($0.state != .uncertain || $0.due == 0) && !rested.contains($0.index) })
            rested.formUnion(outcome.retries.map(\.index))
            share.adjust(mailing.prefetchTarget)
            await unmark(outcome)
            guard outcome.problem != nil, !breaker.isOpen else {
                backoff = Backoff()
                continue
            }
            // Not yet certainly unavailable.
            _ = await outside { await backoff.wait(on: worker.changes) { !batch.mayBegin } }
        }
    }

    /// Does something for which the place among those who send is given up.
    private func outside<Result>(_ body: () async -> Result) async -> Result {
        limiter.release()
        let result = await body()
        await limiter.acquire()
        return result
    }

    /// - Returns: false when nothing more may start before `due`, in milliseconds since 1970.
    private func rest(until due: Int64) async -> Bool {
        await worker.changes.wait(until: .now + .milliseconds(due - worker.now), unless: { !batch.mayBegin })
    }

    /// A turn for recipients whose first one was given up.
    private func turnAgain(_ most: Int, isFresh: Bool) async -> BatchDelivery.Turn? {
        pool.expect(most)
        let isLimited = pool.isActive
        if isLimited { await pool.returning.acquire() }
        let turn = await batch.turn(most, pool, isFresh: isFresh)
        if isLimited { pool.returning.release() }
        pool.expect((turn?.count ?? 0) - most)
        return turn
    }

    /// Asks Redis whether the group may start, which marks it as started.
    private func start(_ group: [OpenRecipient]) async -> Bool {
        let indexes = group.map(\.index)
        guard batch.mayBegin, batch.state.withLock({ $0.start(indexes) }) else { return false }
        switch await permission(group) {
        case .go: return true
        case .halted: break
        case .lost:
            batch.batch.end()
            worker.logger.warning("batch \(batch.lease.batch.id) belongs to another worker now; leaving it", metadata: batch.fields)
        }
        batch.state.withLock { $0.refuse(indexes) }
        return false
    }

    private func permission(_ open: [OpenRecipient]) async -> BatchQueue.Permission {
        var backoff = Backoff()
        while true {
            do throws(RedisError) {
                return try await worker.queue.start(batch.lease, open)
            } catch {
                if backoff.count % 5 == 0 {
                    worker.logger.warning("batch \(batch.lease.batch.id) waits: \(error)", metadata: batch.fields)
                }
            }
            guard await backoff.wait(on: worker.changes, unless: { !batch.mayBegin }) else { return .halted(.paused) }
        }
    }

    /// A recipient whose response is waited for apart.
    private struct Late {
        var item: OpenRecipient
        var response: LateResponse
        /// When its group was begun, in nanoseconds of CLOCK_MONOTONIC: it may be waited for apart only shortly before its time is over.
        var begun: Int64
    }

    /// Waits for a response that is late.
    private func finish(_ late: Late, _ probe: Int?) async {
        let answer = await late.response.value()
        batch.trace([late.item], [answer])
        let outcome = batch.judge([late.item], [answer], .none)
        await learn(outcome, since: late.begun, probe)
        await batch.report(outcome.results)
        await unmark(outcome)
    }

    /// Hands a group to its transport, and finds out what its responses mean.
    /// - Returns: also those whose responses are still to come.
    private func transmit(
        _ open: [OpenRecipient], _ turn: BatchDelivery.Turn, _ retries: LocalRetryRule
    ) async -> (GroupOutcome, [Late]) {
        let late = LateResponses()
        var group = batch.compose(open)
        group.limit = turn.ticket
        group.detach = { late.add($0, $1) }
        batch.trace(open)
        let start = ContinuousClock.now
        let begun = Clock.monotonic()
        worker.transmitting.add(open.count, ordering: .relaxed)
        let responses = await mailing.link.transport.deliver(group) { [worker, mailing, batch] in
            worker.mayBegin(mailing, batch.batch)
        }
        worker.transmitting.subtract(open.count, ordering: .relaxed)
        // Where a connection takes one message after the other, so did the waits for their reservations.
        let waited = turn.ticket.end()
        let took = ContinuousClock.now - start - .nanoseconds(mailing.link.isSequential ? waited : 0)
        batch.trace(open, responses)
        let waiting = late.take()
        let outcome = batch.judge(open, responses, late: Set(waiting.map(\.index)), retries)
        batch.meters.delivered(outcome.all, seconds: took)
        pool.started(open.count - outcome.unsent.count)
        if outcome.unsent.isEmpty, waiting.isEmpty { mailing.link.groupSizer.note(open.count, took: took) }
        // The outcome of a probe that is late comes later.
        await learn(outcome, since: begun, waiting.isEmpty ? turn.probe : nil)
        return (outcome, waiting.map { Late(item: open[$0.index], response: $0.response, begun: begun) })
    }

    /// What an outcome says of the provider and of its limits.
    /// - Parameter since: when its messages were started, in nanoseconds of CLOCK_MONOTONIC.
    private func learn(_ outcome: GroupOutcome, since: Int64, _ probe: Int?) async {
        worker.answered.add(outcome.answered, ordering: .relaxed)
        if let finding = mailing.note(outcome.results, worker.configuration.refusals) {
            worker.refused(mailing, finding.verdict.words(provider: mailing.provider, text: finding.text))
        }
        // What we cut short ourselves is nobody's fault.
        let evidence = batch.mayBegin ? outcome.evidence : CircuitBreaker.Evidence(successes: outcome.evidence.successes)
        breaker.note(evidence, problem: outcome.problem ?? outcome.failure, since: since, probe: probe)
        if let scope = worker.rates.note(outcome, provider: mailing.provider, domain: pool.domain) {
            await pause(scope)
        }
    }

    /// The provider asks for a pause: at once for this mailing, and within a quarter of a second for the whole fleet.
    private func pause(_ scope: LimitScope) async {
        mailing.clearReservations()
        do throws(RedisError) { try await worker.rates.tell(scope) } catch {
            worker.logger.warning("\(scope) asks for a pause that Redis cannot record: \(error)", metadata: batch.fields)
        }
    }

    /// Takes back the marks of those who were not sent to, or are tried again here. Should the worker end meanwhile, it is known that
    /// nothing reached them.
    private func unmark(_ outcome: GroupOutcome) async {
        let unsent = outcome.unsent.map(\.index)
        let indexes = (unsent + outcome.retries.map(\.index)).sorted()
        guard !indexes.isEmpty else { return }
        do throws(RedisError) {
            try await worker.queue.unmark(batch.lease, indexes)
            batch.state.withLock { $0.unmark(unsent: unsent, retries: outcome.retries) }
        } catch {
            // The command may still arrive, and must not find them started again.
            batch.state.withLock { $0.failToUnmark(unsent: unsent, retries: outcome.retries) }
        }
    }
}

/// The late responses of a group, as its transport tells them.
private final class LateResponses: Sendable {
    private let state = Mutex<[(index: Int, response: LateResponse)]>([])

    func add(_ index: Int, _ response: LateResponse) { state.withLock { $0.append((index, response)) } }

    func take() -> [(index: Int, response: LateResponse)] { state.withLock { $0 } }
}
