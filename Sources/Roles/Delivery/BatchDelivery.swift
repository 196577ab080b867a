import Broker
import Logging
import Metrics
import Model
import Policy
import Synchronization
import Transport

/// One batch in a worker's hands, from its lease to its closing.
struct BatchDelivery: Sendable {
    let claim: InFlightBatch
    let mailing: PreparedMailing
    let recipients: Recipients
    /// Those to send to.
    let open: [OpenRecipient]
    let worker: WorkerContext
    /// What the batch counts towards the worker's load.
    let share: Prefetch.Share
    let rule: OutcomeRule
    let meters: DeliveryMeters

    var lease: BatchQueue.Lease { claim.lease }
    var buffer: ResultBuffer { claim.buffer }

    init(
        claim: InFlightBatch, mailing: PreparedMailing, recipients: Recipients, open: [OpenRecipient], worker: WorkerContext,
        share: Prefetch.Share
    ) {
        self.claim = claim
        self.open = open
        self.mailing = mailing
        self.recipients = recipients
        self.worker = worker
        self.share = share
        rule = OutcomeRule(
            attempts: mailing.mailing.attempts, expires: claim.lease.batch.expires,
            retries: RetryRules(for: mailing.mailing.channel, override: worker.configuration.retries),
            uncertain: mailing.mailing.uncertain)
        meters = worker.meters.meters(channel: mailing.mailing.channel, provider: mailing.provider)
    }

    /// How a group ended.
    private enum Ending {
        case done
        /// Some of it was not begun and goes back.
        case released
    }

    /// Nothing stands against the next message, and its lifetime is not over.
    private var mayBegin: Bool { worker.mayBegin(mailing, claim) && worker.now < lease.batch.expires }

    /// Works until each recipient has a result or the rest is given back.
    func run() async {
        worker.logger.debug("taken, \(open.count) recipients to send to", metadata: fields)
        var isReleased = false
        await withTaskGroup(of: Ending.self) { group in
            for (pool, open) in mailing.kinds(of: open, recipients) { group.addTask { await send(open, pool) } }
            for await ending in group where ending == .released { isReleased = true }
        }
        await buffer.close(isReleased ? .released : .done)
        worker.logger.debug(isReleased ? "released" : "done", metadata: fields)
    }

    /// Sends to recipients that the same limits hold for.
    private func send(_ open: [OpenRecipient], _ pool: ReservationPool) async -> Ending {
        let isLimited = pool.isActive
        let open = isLimited ? await putOff(open, pool) : open
        if open.isEmpty { return .done }
        pool.expect(open.count)
        if isLimited { await pool.door.acquire() }
        return await withTaskGroup(of: Ending.self) { group in
            var ending = Ending.done
            var next = 0
            defer { pool.expect(next - open.count) }
            while next < open.count {
                guard mayBegin, let turn = await turn(open.count - next, pool) else {
                    if !(await expire(Array(open[next...]))).isEmpty { ending = .released }
                    break
                }
                let slice = Array(open[next..<next + turn.count])
                next += slice.count
                await mailing.lanes.acquire()
                group.addTask {
                    defer { mailing.lanes.release() }
                    return await deliver(slice, pool, turn)
                }
            }
            if isLimited { pool.door.release() }
            for await one in group where one == .released { ending = .released }
            return ending
        }
    }

    /// Sends those back to the ledger for whom there is no room here, each with the time of its turn.
    /// - Returns: the others.
    private func putOff(_ open: [OpenRecipient], _ pool: ReservationPool) async -> [OpenRecipient] {
        let room = pool.room(hadTurn: lease.batch.dispatchNumber > 1)
        guard open.count > room else { return open }
        let rest = open.dropFirst(room)
        let turns: (first: Double, spacing: Double)
        do throws(RedisError) { turns = try await pool.turns(rest.count) } catch { return open }
        let now = worker.now
        await buffer.add(
            rest.enumerated().map { place, item in
                rule.putOff(
                    index: item.index, spent: item.attempts, wait: turns.first + Double(place) * turns.spacing,
                    why: "waits for the limit of \(pool.domain ?? "")", now: now)
            })
        return Array(open.prefix(room))
    }

    /// What lets a group go.
    private struct Turn {
        var ticket: ReservationTicket
        var count: Int
        /// It is one message that tries whether the provider is back.
        var probe: Int?
    }

    /// Waits until the provider is there and the limits let a group go.
    private func turn(_ most: Int, _ pool: ReservationPool) async -> Turn? {
        var most = min(most, mailing.groupSize.now)
        var probe: Int?
        if mailing.breaker.isOpen {
            share.giveBack()
            worker.parked.add(1, ordering: .relaxed)
            defer { worker.parked.subtract(1, ordering: .relaxed) }
            guard let passage = await mailing.breaker.pass(mayBegin: { mayBegin }) else { return nil }
            if case .probe(let ticket) = passage { (most, probe) = (1, ticket) }
        }
        if let admission = await pool.admit(most, capacity: mailing.capacity, mayBegin: { mayBegin }) {
            return Turn(ticket: admission.ticket, count: admission.count, probe: probe)
        }
        mailing.breaker.note(isFruitful: false, failures: 0, problem: nil, probe: probe)
        return nil
    }

    /// The same for recipients whose turn was given up.
    private func turnAgain(_ most: Int, _ pool: ReservationPool) async -> Turn? {
        pool.expect(most)
        let isLimited = pool.isActive
        if isLimited { await pool.returning.acquire() }
        let turn = await turn(most, pool)
        if isLimited { pool.returning.release() }
        pool.expect((turn?.count ?? 0) - most)
        return turn
    }

    /// Sends to some recipients until each has a result.
    private func deliver(_ open: [OpenRecipient], _ pool: ReservationPool, _ first: Turn) async -> Ending {
        var left = open
        var turn: Turn? = first
        var again = LocalRetryQueue(now: worker.now)
        var backoff = Backoff()
        defer { _ = turn?.ticket.end() }
        while true {
            left = await expire(left, &again)
            if left.isEmpty {
                guard !again.isEmpty else { return .done }
                // No lane is held meanwhile.
                guard await outside({ await again.wait(now: worker.now) { !mayBegin } }) else {
                    await buffer.add(again.unsettled)
                    return .done
                }
                left = again.take()
                continue
            }
            if turn == nil || (mailing.breaker.isOpen && turn?.probe == nil) {
                _ = turn?.ticket.end()
                turn = await outside { await turnAgain(left.count, pool) }
            }
            guard let current = turn, await isAllowed(Array(left.prefix(current.count))) else {
                mailing.breaker.note(isFruitful: false, failures: 0, problem: nil, probe: turn?.probe)
                left = await expire(left, &again)
                await buffer.add(again.unsettled)
                return left.isEmpty ? .done : .released
            }
            let group = Array(left.prefix(current.count))
            let outcome = await transmit(group, pool, current, again)
            turn = nil
            await buffer.add(outcome.results)
            share.finish(group.count - outcome.unsent.count)
            let unsent = Set(outcome.unsent.map(\.index))
            again.settle(group.lazy.map(\.index).filter { !unsent.contains($0) })
            again.add(outcome.again)
            // Should we die meanwhile, it is known that nobody of these was reached. Where that cannot be said, the command may still
            // come, and must not find them begun again.
            if !(await unmark(outcome.unsent, outcome.again)) {
                await buffer.add(again.unsettled)
                return .released
            }
            left = outcome.unsent + left.dropFirst(current.count)
            guard outcome.problem != nil, !mailing.breaker.isOpen else {
                backoff = Backoff()
                continue
            }
            // Not yet for certain down. A provider that is away must not keep those of others waiting.
            share.giveBack()
            _ = await outside { await backoff.wait { !mayBegin } }
        }
    }

    /// Does something for which the place among those who send is given up.
    private func outside<Result>(_ body: () async -> Result) async -> Result {
        mailing.lanes.release()
        let result = await body()
        await mailing.lanes.acquire()
        return result
    }

    /// Whether the group may begin; marks it as begun.
    private func isAllowed(_ group: [OpenRecipient]) async -> Bool {
        switch await permission(group) {
        case .go: return true
        case .halted: return false
        case .lost:
            claim.end()
            worker.logger.warning("batch \(lease.batch.id) belongs to another worker now; leaving it", metadata: fields)
            return false
        }
    }

    /// Hands a group to its transport, and finds out what its responses mean.
    private func transmit(
        _ open: [OpenRecipient], _ pool: ReservationPool, _ turn: Turn, _ again: LocalRetryQueue
    ) async -> GroupOutcome {
        var group = compose(open)
        group.limit = turn.ticket
        trace(open)
        let start = ContinuousClock.now
        worker.onWire.add(open.count, ordering: .relaxed)
        let responses = await mailing.transport.deliver(group) { [worker, mailing, claim] in worker.mayBegin(mailing, claim) }
        worker.onWire.subtract(open.count, ordering: .relaxed)
        // Where a connection takes one message after the other, so did the waits for their moments.
        let waited = turn.ticket.end()
        let took = ContinuousClock.now - start - .nanoseconds(mailing.isSequential ? waited : 0)
        trace(open, responses)
        let outcome = judge(open, responses, again)
        meters.delivered(outcome.all, seconds: took)
        worker.answered.add(open.count - outcome.unsent.count, ordering: .relaxed)
        pool.started(open.count - outcome.unsent.count)
        if outcome.unsent.isEmpty { mailing.groupSize.note(open.count, took: took) }
        // What we cut short ourselves is nobody's fault.
        mailing.breaker.note(
            isFruitful: outcome.isFruitful, failures: mayBegin ? outcome.failures : 0,
            problem: outcome.problem ?? outcome.failure, probe: turn.probe)
        if let scope = worker.paces.note(outcome, provider: mailing.provider, domain: pool.domain) {
            await pause(scope)
        }
        return outcome
    }

    /// The provider asks for a pause: at once for this mailing, and within a quarter of a second for the whole fleet.
    private func pause(_ scope: String) async {
        mailing.clearSlots()
        do throws(RedisError) { try await worker.paces.tell(scope) } catch {
            worker.logger.warning("\(scope) asks for a pause that Redis cannot record: \(error)", metadata: fields)
        }
    }

    private func unmark(_ unsent: [OpenRecipient], _ again: [RecipientResult]) async -> Bool {
        if unsent.isEmpty, again.isEmpty { return true }
        let indexes = unsent.map(\.index) + again.map(\.index)
        do throws(RedisError) { try await worker.queue.untouch(lease, indexes.sorted()) } catch { return false }
        return true
    }

    private func permission(_ open: [OpenRecipient]) async -> BatchQueue.Permission {
        var backoff = Backoff()
        while true {
            do throws(RedisError) {
                return try await worker.queue.begin(lease, open)
            } catch {
                if backoff.count % 5 == 0 { worker.logger.warning("batch \(lease.batch.id) waits: \(error)", metadata: fields) }
            }
            guard await backoff.wait(unless: { !mayBegin }) else { return .halted(.paused) }
        }
    }

    /// Ends those whose lifetime is over.
    /// - Returns: the others.
    private func expire(_ open: [OpenRecipient]) async -> [OpenRecipient] {
        var none = LocalRetryQueue(now: 0)
        return await expire(open, &none)
    }

    private func expire(_ open: [OpenRecipient], _ again: inout LocalRetryQueue) async -> [OpenRecipient] {
        let now = worker.now
        guard now >= lease.batch.expires else { return open }
        let results = open.map {
            RecipientResult(index: $0.index, state: .expired, attempts: $0.attempts, at: now, response: again.responses[$0.index])
        }
        again.settle(open.lazy.map(\.index))
        await buffer.add(results)
        return []
    }

    private func compose(_ open: [OpenRecipient]) -> MessageGroup {
        var group = MessageGroup(sender: mailing.sender)
        group.mayFinish = { [worker, claim] in worker.holds(claim) }
        group.messages.reserveCapacity(open.count)
        group.bytes.reserveCapacity(worker.messageSize.load(ordering: .relaxed) * open.count)
        let date = worker.now
        for item in open {
            let start = group.bytes.count
            mailing.compose(recipients, row: item.index, batch: lease.batch.id, date: date, into: &group.bytes)
            group.messages.append(
                MessageGroup.Message(
                    recipient: recipients[item.index, 1], body: start..<group.bytes.count,
                    key: lease.batch.id.message(item.index)))
        }
        worker.messageSize.store(group.bytes.count / max(1, open.count) + 256, ordering: .relaxed)
        return group
    }

    /// What the responses to a group mean.
    private func judge(_ open: [OpenRecipient], _ responses: [ProviderResponse?], _ again: LocalRetryQueue) -> GroupOutcome {
        var outcome = GroupOutcome()
        outcome.results.reserveCapacity(open.count)
        let now = worker.now
        let isOutage = mailing.breaker.isOpen
        var generator = SystemRandomNumberGenerator()
        for (item, response) in zip(open, responses) {
            guard let response else {
                outcome.unsent.append(item)
                continue
            }
            if response.kind == .unreachable, [.connect, .tls, .greeting].contains(response.stage) {
                outcome.noteUnsent(item, response)
                continue
            }
            outcome.count(response)
            if response.mayHaveArrived, worker.isCut, rule.uncertain == .redeliver {
                // Not the message's fault: it is listed, and others send it again without an attempt spent.
                outcome.results.append(rule.uncertain(index: item.index, response: response, spent: item.attempts, now: now))
                outcome.unsent.append(item)
                continue
            }
            if response.kind == .misconfigured { worker.refused(mailing, response) }
            rule.append(
                index: item.index, response: response, spent: item.attempts, now: now, outage: isOutage, using: &generator,
                to: &outcome.results)
            // What is due in a moment need not go through the ledger. (What may have arrived is on the list first.)
            if let last = outcome.results.last, !response.mayHaveArrived, !worker.isStopping, again.takes(last, now: now) {
                outcome.results.removeLast()
                outcome.again.append(last)
            }
        }
        return outcome
    }
}
