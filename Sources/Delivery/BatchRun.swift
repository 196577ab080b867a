import Broker
import Logging
import Metrics
import Model
import Policy
import Synchronization
import Transport

/// One batch in a worker's hands, from its lease to its closing.
struct BatchRun: Sendable {
    let claim: Claim
    let mailing: PreparedMailing
    let recipients: Recipients
    /// Those to send to.
    let open: [OpenRecipient]
    let worker: WorkerShared
    /// What the batch counts towards the worker's load.
    let share: Held.Share
    let rule: OutcomeRule
    let meters: DeliveryMeters

    var lease: BatchQueue.Lease { claim.lease }
    var buffer: ResultBuffer { claim.buffer }

    init(
        claim: Claim, mailing: PreparedMailing, recipients: Recipients, open: [OpenRecipient], worker: WorkerShared,
        share: Held.Share
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
        worker.logger.debug(isReleased ? "given back in part" : "done", metadata: fields)
    }

    /// Sends to recipients that the same limits hold for.
    private func send(_ open: [OpenRecipient], _ pool: SlotPool) async -> Ending {
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
    private func putOff(_ open: [OpenRecipient], _ pool: SlotPool) async -> [OpenRecipient] {
        let room = pool.room(hadTurn: lease.batch.generation > 1)
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
        var ticket: SlotTicket
        var count: Int
        /// It is one message that tries whether the provider is back.
        var probe: Int?
    }

    /// Waits until the provider is there and the limits let a group go.
    private func turn(_ most: Int, _ pool: SlotPool) async -> Turn? {
        var most = min(most, mailing.groupSize.now)
        var probe: Int?
        if mailing.guardian.isOpen {
            share.giveBack()
            worker.parked.add(1, ordering: .relaxed)
            defer { worker.parked.subtract(1, ordering: .relaxed) }
            guard let passage = await mailing.guardian.pass(mayBegin: { mayBegin }) else { return nil }
            if case .probe(let ticket) = passage { (most, probe) = (1, ticket) }
        }
        if let admission = await pool.admit(most, capacity: mailing.capacity, mayBegin: { mayBegin }) {
            return Turn(ticket: admission.ticket, count: admission.count, probe: probe)
        }
        mailing.guardian.note(isFruitful: false, failures: 0, problem: nil, probe: probe)
        return nil
    }

    /// The same for recipients whose turn was given up.
    private func turnAgain(_ most: Int, _ pool: SlotPool) async -> Turn? {
        pool.expect(most)
        let isLimited = pool.isActive
        if isLimited { await pool.returning.acquire() }
        let turn = await turn(most, pool)
        if isLimited { pool.returning.release() }
        pool.expect((turn?.count ?? 0) - most)
        return turn
    }

    /// Sends to some recipients until each has a result.
    private func deliver(_ open: [OpenRecipient], _ pool: SlotPool, _ first: Turn) async -> Ending {
        var left = open
        var turn: Turn? = first
        var again = Again(now: worker.now)
        var patience = Patience()
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
            if turn == nil || (mailing.guardian.isOpen && turn?.probe == nil) {
                _ = turn?.ticket.end()
                turn = await outside { await turnAgain(left.count, pool) }
            }
            guard let current = turn, await isAllowed(Array(left.prefix(current.count))) else {
                mailing.guardian.note(isFruitful: false, failures: 0, problem: nil, probe: turn?.probe)
                left = await expire(left, &again)
                await buffer.add(again.unsettled)
                return left.isEmpty ? .done : .released
            }
            let group = Array(left.prefix(current.count))
            let verdict = await transmit(group, pool, current, again)
            turn = nil
            await buffer.add(verdict.results)
            share.finish(group.count - verdict.unsent.count)
            let unsent = Set(verdict.unsent.map(\.index))
            again.settle(group.lazy.map(\.index).filter { !unsent.contains($0) })
            again.add(verdict.again)
            // Should we die meanwhile, it is known that nobody of these was reached. Where that cannot be said, the command may still
            // come, and must not find them begun again.
            if !(await unmark(verdict.unsent, verdict.again)) {
                await buffer.add(again.unsettled)
                return .released
            }
            left = verdict.unsent + left.dropFirst(current.count)
            guard verdict.problem != nil, !mailing.guardian.isOpen else {
                patience = Patience()
                continue
            }
            // Not yet for certain down. A provider that is away must not keep those of others waiting.
            share.giveBack()
            _ = await outside { await patience.wait { !mayBegin } }
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
            worker.logger.warning("batch \(lease.batch.id) is not this worker's any more; leaving it", metadata: fields)
            return false
        }
    }

    /// Hands a group to its transport, and finds out what its answers mean.
    private func transmit(
        _ open: [OpenRecipient], _ pool: SlotPool, _ turn: Turn, _ again: Again
    ) async -> Verdict {
        var group = compose(open)
        group.limit = turn.ticket
        trace(open)
        let start = ContinuousClock.now
        worker.onWire.add(open.count, ordering: .relaxed)
        let answers = await mailing.transport.deliver(group) { [worker, mailing, claim] in worker.mayBegin(mailing, claim) }
        worker.onWire.subtract(open.count, ordering: .relaxed)
        // Where a connection takes one message after the other, so did the waits for their moments.
        let waited = turn.ticket.end()
        let took = ContinuousClock.now - start - .nanoseconds(mailing.isSequential ? waited : 0)
        trace(open, answers)
        let verdict = judge(open, answers, again)
        meters.delivered(verdict.all, seconds: took)
        worker.answered.add(open.count - verdict.unsent.count, ordering: .relaxed)
        pool.started(open.count - verdict.unsent.count)
        if verdict.unsent.isEmpty { mailing.groupSize.note(open.count, took: took) }
        // What we cut short ourselves is nobody's fault.
        mailing.guardian.note(
            isFruitful: verdict.isFruitful, failures: mayBegin ? verdict.failures : 0,
            problem: verdict.problem ?? verdict.failure, probe: turn.probe)
        if let scope = worker.paces.note(verdict, provider: mailing.provider, domain: pool.domain) {
            await pause(scope)
        }
        return verdict
    }

    /// The provider asks for a pause: at once for this mailing, and within a quarter of a second for the whole fleet.
    private func pause(_ scope: String) async {
        mailing.clearSlots()
        do throws(RedisError) { try await worker.paces.tell(scope) } catch {
            worker.logger.warning("\(scope) asks for a pause, and Redis cannot be told: \(error)", metadata: fields)
        }
    }

    private func unmark(_ unsent: [OpenRecipient], _ again: [RecipientResult]) async -> Bool {
        if unsent.isEmpty, again.isEmpty { return true }
        let indexes = unsent.map(\.index) + again.map(\.index)
        do throws(RedisError) { try await worker.queue.untouch(lease, indexes.sorted()) } catch { return false }
        return true
    }

    private func permission(_ open: [OpenRecipient]) async -> BatchQueue.Permission {
        var patience = Patience()
        while true {
            do throws(RedisError) {
                return try await worker.queue.begin(lease, open)
            } catch {
                if patience.count % 5 == 0 { worker.logger.warning("batch \(lease.batch.id) waits: \(error)", metadata: fields) }
            }
            guard await patience.wait(unless: { !mayBegin }) else { return .halted(.paused) }
        }
    }

    /// Ends those whose lifetime is over.
    /// - Returns: the others.
    private func expire(_ open: [OpenRecipient]) async -> [OpenRecipient] {
        var none = Again(now: 0)
        return await expire(open, &none)
    }

    private func expire(_ open: [OpenRecipient], _ again: inout Again) async -> [OpenRecipient] {
        let now = worker.now
        guard now >= lease.batch.expires else { return open }
        let results = open.map {
            RecipientResult(index: $0.index, state: .expired, attempts: $0.attempts, at: now, answer: again.answers[$0.index])
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

    /// What the answers to a group mean.
    private func judge(_ open: [OpenRecipient], _ answers: [Answer?], _ again: Again) -> Verdict {
        var verdict = Verdict()
        verdict.results.reserveCapacity(open.count)
        let now = worker.now
        let isOutage = mailing.guardian.isOpen
        var generator = SystemRandomNumberGenerator()
        for (item, answer) in zip(open, answers) {
            guard let answer else {
                verdict.unsent.append(item)
                continue
            }
            if answer.kind == .unreachable, [.connect, .tls, .greeting].contains(answer.stage) {
                verdict.noteUnsent(item, answer)
                continue
            }
            verdict.count(answer)
            if answer.mayHaveArrived, worker.isCut, rule.uncertain == .redeliver {
                // Not the message's fault: it is listed, and others send it again without an attempt spent.
                verdict.results.append(rule.uncertain(index: item.index, answer: answer, spent: item.attempts, now: now))
                verdict.unsent.append(item)
                continue
            }
            if answer.kind == .misconfigured { worker.refused(mailing, answer) }
            rule.append(
                index: item.index, answer: answer, spent: item.attempts, now: now, outage: isOutage, using: &generator,
                to: &verdict.results)
            // What is due in a moment need not go through the ledger. (What may have arrived is on the list first.)
            if let last = verdict.results.last, !answer.mayHaveArrived, !worker.isStopping, again.takes(last, now: now) {
                verdict.results.removeLast()
                verdict.again.append(last)
            }
        }
        return verdict
    }
}
