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
    ///   - indexes: the group. It holds a place of the concurrency limiter until nothing more of it starts.
    ///   - first: its permission to start.
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
        // Recipients in the local retry queue, or that were there: they no longer count as prefetched.
        var rested: Set<Int> = []
        defer { turn?.ticket.end() }
        while true {
            await batch.expire(indexes)
            let (left, retryDue) = batch.state.withLock { ($0.waiting(among: indexes), $0.retryDue(among: indexes)) }
            if left.isEmpty {
                guard let retryDue, await outside({ await rest(until: retryDue) }) else { return }
                batch.state.withLock { $0.resume(indexes) }
                continue
            }
            if turn == nil || breaker.isOpen && turn?.probe == nil {
                turn?.ticket.end()
                turn = await outside { await nextTurn(left.count, isFresh: left[0].attempts == 0) }
            }
            guard let current = turn else { return }
            let group = Array(left.prefix(current.count))
            switch await start(group) {
            case .started: break
            case .skipped(let indexes):
                share.finish(indexes.count { !rested.contains($0) })
                if let probe = current.probe {
                    breaker.release(probe)
                    _ = turn?.ticket.end()
                    turn = nil
                }
                continue
            case .refused: return breaker.release(current.probe)
            }
            let (outcome, waiting) = await transmit(group, current, retries)
            turn = nil
            await batch.report(outcome.results)
            // Late messages no longer count: others take their places.
            for one in waiting {
                late.addTask { await finish(one, current.probe) }
            }
            share.finish(
                waiting.count { !rested.contains($0.item.index) }
                    + (outcome.results + outcome.retries).count { ($0.state != .uncertain || $0.due == 0) && !rested.contains($0.index) })
            rested.formUnion(outcome.retries.map(\.index))
            share.adjust(mailing.prefetchTarget(distance: pool.distance))
            await unmark(outcome)
            guard outcome.problem != nil, !breaker.isOpen else {
                backoff = Backoff()
                continue
            }
            // One failure does not open the circuit breaker: wait before the next attempt.
            _ = await outside { await backoff.wait(on: worker.changes) { !batch.mayStart } }
        }
    }

    /// Gives up the place in the concurrency limiter while `body` runs.
    private func outside<Result>(_ body: () async -> Result) async -> Result {
        limiter.release()
        let result = await body()
        await limiter.acquire()
        return result
    }

    /// - Returns: false when nothing more may start before `due`, in milliseconds since 1970.
    private func rest(until due: Int64) async -> Bool {
        await worker.changes.wait(atMost: .milliseconds(due - worker.now), unless: { !batch.mayStart })
    }

    /// Waits for a new turn, after the first was given up.
    private func nextTurn(_ most: Int, isFresh: Bool) async -> BatchDelivery.Turn? {
        pool.expect(most)
        let isLimited = pool.isActive
        if isLimited { await pool.returning.acquire() }
        let turn = await batch.turn(most, pool, isFresh: isFresh)
        if isLimited { pool.returning.release() }
        pool.expect((turn?.count ?? 0) - most)
        return turn
    }

    /// What became of a group that was to start.
    private enum Start {
        case started
        /// Nobody is started, for these have a result: the others are asked for again.
        case skipped([Int])
        case refused
    }

    /// Asks Redis whether the group may start, which marks it as started.
    private func start(_ group: [OpenRecipient]) async -> Start {
        // Whoever is found below was told of up to here, or later.
        let position = worker.suppressed.position
        if let skipped = await skip(group) { return skipped }
        let indexes = group.map(\.index)
        guard batch.mayStart, batch.state.withLock({ $0.start(indexes) }) else { return .refused }
        var permission = await permission(group, position: position)
        if permission == .suppressed {
            batch.state.withLock { $0.hold(indexes) }
            guard await learnSuppressed(beyond: position, hasNews: true) else {
                batch.state.withLock { $0.refuse(indexes) }
                return .refused
            }
            if let skipped = await skip(group) { return skipped }
            guard batch.mayStart, batch.state.withLock({ $0.start(indexes) }) else { return .refused }
            // What has come since the reading is newer than this group: with many suppressions a second nothing would ever start.
            permission = await self.permission(group, position: nil)
        }
        switch permission {
        case .go: return .started
        case .halted, .suppressed: break
        case .lost:
            batch.batch.end()
            // Its other groups may wait for their moments.
            worker.changes.notify()
            worker.logger.warning("batch \(batch.lease.batch.id) belongs to another worker now; leaving it", metadata: batch.fields)
        }
        batch.state.withLock { $0.refuse(indexes) }
        return .refused
    }

    /// Reads who was suppressed lately, as soon as Redis answers.
    /// - Parameter hasNews: Redis said that there is news.
    /// - Returns: false when nothing more of the batch may start.
    private func learnSuppressed(beyond position: String, hasNews: Bool) async -> Bool {
        var backoff = Backoff()
        while true {
            do throws(RedisError) {
                try await worker.suppressed.refresh(beyond: position, hasNews: hasNews)
                return true
            } catch {
                worker.tell(error, of: batch.lease)
            }
            guard await backoff.wait(on: worker.changes, unless: { !batch.mayStart }) else { return false }
        }
    }

    /// Settles those of a group who were suppressed since their batch was dispatched; nil where there are none.
    private func skip(_ group: [OpenRecipient]) async -> Start? {
        let position = worker.suppressed.position
        guard !batch.skipped(group).isEmpty else { return nil }
        // They may have been taken off the list since it was read.
        guard await learnSuppressed(beyond: position, hasNews: false) else {
            batch.state.withLock { $0.refuse(group.map(\.index)) }
            return .refused
        }
        let results = batch.skipped(group)
        guard !results.isEmpty else { return nil }
        await batch.report(results)
        return .skipped(results.map(\.index))
    }

    private func permission(_ open: [OpenRecipient], position: String?) async -> BatchQueue.Permission {
        var backoff = Backoff()
        while true {
            do throws(RedisError) {
                return try await worker.queue.start(batch.lease, open, position: position)
            } catch {
                if backoff.count % 5 == 0 {
                    worker.logger.warning("batch \(batch.lease.batch.id) waits: \(error)", metadata: batch.fields)
                }
            }
            guard await backoff.wait(on: worker.changes, unless: { !batch.mayStart }) else { return .halted(.paused) }
        }
    }

    /// A recipient whose response is late.
    private struct Late {
        var item: OpenRecipient
        var response: LateResponse
        /// When its group was started, in nanoseconds of CLOCK_MONOTONIC. It may become late long after that.
        var started: Int64
    }

    /// Waits for a response that is late.
    private func finish(_ late: Late, _ probe: Int?) async {
        let response = await late.response.value()
        batch.trace([late.item], [response])
        let outcome = batch.judge([late.item], [response], failures: await batch.failures([late.item], [response]), .none)
        await learn(outcome, since: late.started, probe)
        await batch.report(outcome.results)
        await unmark(outcome)
    }

    /// Hands a group to its transport, and finds out what its responses mean.
    /// - Returns: also the recipients whose responses are late.
    private func transmit(
        _ open: [OpenRecipient], _ turn: BatchDelivery.Turn, _ retries: LocalRetryRule
    ) async -> (GroupOutcome, [Late]) {
        let late = LateResponses()
        var group = await batch.compose(open)
        group.limit = turn.ticket
        group.detach = { late.add($0, $1) }
        batch.trace(open)
        let started = worker.clocks.monotonic
        worker.transmitting.add(open.count, ordering: .relaxed)
        let responses = await mailing.link.transport.deliver(group) { [worker, mailing, batch, ticket = turn.ticket] in
            ticket.begins()
            return worker.mayStart(mailing, batch.batch)
        }
        worker.transmitting.subtract(open.count, ordering: .relaxed)
        // A connection that sends one message at a time spent the waits for reservations too. They are no part of the delivery time, and
        // neither is the group's wait for a connection.
        let (waited, began) = turn.ticket.end()
        let time = worker.clocks.monotonic - (mailing.link.isSequential ? (began ?? started) + waited : started)
        let took = Duration.nanoseconds(max(0, time))
        batch.trace(open, responses)
        let waiting = late.take()
        let outcome = batch.judge(
            open, responses, late: Set(waiting.map(\.index)), failures: await batch.failures(open, responses), retries)
        batch.meters.delivered(outcome.all, seconds: took)
        pool.started(open.count - outcome.unsent.count)
        if outcome.unsent.isEmpty, waiting.isEmpty { mailing.link.groupSizer.note(open.count, took: took) }
        // A late probe reports its outcome when its response comes.
        await learn(outcome, since: started, waiting.isEmpty ? turn.probe : nil)
        return (outcome, waiting.map { Late(item: open[$0.index], response: $0.response, started: started) })
    }

    /// Feeds an outcome to the circuit breaker, the refusal circuit and the adaptive rate.
    /// - Parameter since: when its messages were started, in nanoseconds of CLOCK_MONOTONIC.
    private func learn(_ outcome: GroupOutcome, since: Int64, _ probe: Int?) async {
        worker.answered.add(outcome.answered, ordering: .relaxed)
        if let finding = mailing.note(outcome.results, worker.configuration.refusals) {
            worker.refused(mailing, finding.common.words(provider: mailing.provider, text: finding.text))
        }
        // A failure that our own stop caused says nothing of the provider.
        let evidence = batch.mayStart ? outcome.evidence : CircuitBreaker.Evidence(successes: outcome.evidence.successes)
        breaker.note(evidence, problem: outcome.problem ?? outcome.failure, since: since, probe: probe)
        if let scope = worker.rates.note(outcome, provider: mailing.provider, domain: pool.domain) {
            await pause(scope)
        }
    }

    /// The provider asks for a pause. It holds at once for this mailing, and within 250 ms for the whole fleet.
    private func pause(_ scope: LimitScope) async {
        mailing.clearReservations()
        do throws(RedisError) { try await worker.rates.tell(scope) } catch {
            worker.logger.warning("\(scope) asks for a pause that Redis cannot record: \(error)", metadata: batch.fields)
        }
    }

    /// Takes back the marks of recipients that were not sent to or are tried again here. If the worker ends then, they are known to be not
    /// started.
    private func unmark(_ outcome: GroupOutcome) async {
        let unsent = outcome.unsent.map(\.index)
        let indexes = (unsent + outcome.retries.map(\.index)).sorted()
        guard !indexes.isEmpty else { return }
        do throws(RedisError) {
            try await worker.queue.unmark(batch.lease, indexes)
            batch.state.withLock { $0.unmark(unsent: unsent, retries: outcome.retries) }
        } catch {
            // The command may still arrive: these messages must not start again before that.
            batch.state.withLock { $0.failToUnmark(unsent: unsent, retries: outcome.retries) }
        }
    }
}

/// The late responses of a group, as its transport reports them.
private final class LateResponses: Sendable {
    private let state = Mutex<[(index: Int, response: LateResponse)]>([])

    func add(_ index: Int, _ response: LateResponse) { state.withLock { $0.append((index, response)) } }

    func take() -> [(index: Int, response: LateResponse)] { state.withLock { $0 } }
}
