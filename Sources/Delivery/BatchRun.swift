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

    private var mayBegin: Bool { worker.mayBegin(mailing, claim) }

    /// Works until each recipient has a result or the rest is given back.
    func run() async {
        var isReleased = false
        await withTaskGroup(of: Ending.self) { group in
            var pacer = Pacer(
                throttle: worker.throttle, groupSize: mailing.groupSize, waits: worker.throttleWaits)
            var next = 0
            while next < open.count {
                guard mayBegin else {
                    isReleased = true
                    break
                }
                let size = await pacer.next(open.count - next, scope: mailing.scope) { mayBegin }
                guard size > 0 else { continue }
                let slice = Array(open[next..<min(next + size, open.count)])
                next += slice.count
                await mailing.lanes.acquire()
                group.addTask {
                    defer { mailing.lanes.release() }
                    return await deliver(slice)
                }
            }
            for await ending in group where ending == .released { isReleased = true }
        }
        await buffer.close(isReleased ? .released : .done)
    }

    /// Sends to some recipients and notes what became of them.
    private func deliver(_ open: [OpenRecipient]) async -> Ending {
        var waiting = open
        var patience = Patience()
        while true {
            waiting = await expire(waiting)
            if waiting.isEmpty { return .done }
            switch await permission(waiting) {
            case .go: break
            case .halted: return .released
            case .lost:
                claim.end()
                worker.logger.warning("batch \(lease.batch.id) is not this worker's any more; leaving it")
                return .released
            }
            let group = compose(waiting)
            let start = ContinuousClock.now
            let answers = await mailing.transport.deliver(group) { [worker, mailing, claim] in
                worker.mayBegin(mailing, claim)
            }
            let (results, unsent, problem) = judge(waiting, answers)
            let took = ContinuousClock.now - start
            meters.delivered(results, seconds: took)
            if unsent.isEmpty { mailing.groupSize.note(waiting.count, took: took) }
            await buffer.add(results)
            if !results.isEmpty { worker.providerWorks(mailing.provider) }
            guard !unsent.isEmpty else { return .done }
            // Nothing of these was on the wire: either we were told to stop, or the provider cannot be reached. Then they
            // wait here, for the queue is full of others that would fare the same.
            guard let problem, !worker.isStopping else { return .released }
            worker.providerTrouble(mailing.provider, problem.text, stage: problem.stage)
            waiting = unsent
            // Should we die meanwhile, it is known that nobody of them was reached. Where that cannot be said, the command may
            // still come, and must not find them begun again.
            do throws(RedisError) { try await worker.queue.untouch(lease, waiting) } catch { return .released }
            // A provider that is away must not keep those of others waiting: neither lane nor load is held meanwhile.
            share.giveBack()
            mailing.lanes.release()
            let goesOn = await waitForProvider(&patience)
            await mailing.lanes.acquire()
            guard goesOn else { return .released }
        }
    }

    private func waitForProvider(_ patience: inout Patience) async -> Bool {
        await patience.wait { !mayBegin } && mayBegin
    }

    private func permission(_ open: [OpenRecipient]) async -> BatchQueue.Permission {
        var patience = Patience()
        while true {
            do throws(RedisError) {
                return try await worker.queue.begin(lease, open)
            } catch {
                if patience.count % 5 == 0 { worker.logger.warning("batch \(lease.batch.id) waits: \(error)") }
            }
            guard await patience.wait(unless: { !mayBegin }) else { return .halted(.paused) }
        }
    }

    private func expire(_ open: [OpenRecipient]) async -> [OpenRecipient] {
        let now = Clock.milliseconds()
        guard now >= lease.batch.expires else { return open }
        await buffer.add(
            open.map { RecipientResult(index: $0.index, state: .expired, attempts: $0.attempts, at: now) })
        return []
    }

    private func compose(_ open: [OpenRecipient]) -> MessageGroup {
        var group = MessageGroup(sender: mailing.sender)
        group.mayFinish = { [worker, claim] in worker.holds(claim) }
        group.messages.reserveCapacity(open.count)
        group.bytes.reserveCapacity(worker.messageSize.load(ordering: .relaxed) * open.count)
        let date = Clock.milliseconds()
        for item in open {
            let start = group.bytes.count
            mailing.compose(recipients, row: item.index, batch: lease.batch.id, date: date, into: &group.bytes)
            group.messages.append(
                MessageGroup.Message(
                    recipient: recipients[item.index, 1], body: start..<group.bytes.count,
                    key: "\(lease.batch.id.mailing).\(lease.batch.id.number).\(item.index)"))
        }
        worker.messageSize.store(group.bytes.count / max(1, open.count) + 256, ordering: .relaxed)
        return group
    }

    /// Sorts answers into results and those of whom nothing was on the wire.
    private func judge(
        _ open: [OpenRecipient], _ answers: [Answer?]
    ) -> (results: [RecipientResult], unsent: [OpenRecipient], problem: Answer?) {
        var results: [RecipientResult] = []
        results.reserveCapacity(open.count)
        var unsent: [OpenRecipient] = []
        var problem: Answer?
        let now = Clock.milliseconds()
        var generator = SystemRandomNumberGenerator()
        for (item, answer) in zip(open, answers) {
            guard let answer else {
                unsent.append(item)
                continue
            }
            if answer.kind == .unreachable, [.connect, .tls, .greeting].contains(answer.stage) {
                unsent.append(item)
                problem = answer
                continue
            }
            if answer.mayHaveArrived, worker.isCut, rule.uncertain == .redeliver {
                // Not the message's fault: it is listed, and others send it again without an attempt spent.
                results.append(rule.uncertain(index: item.index, answer: answer, spent: item.attempts, now: now))
                unsent.append(item)
                continue
            }
            if answer.kind == .misconfigured { worker.refused(mailing, answer) }
            rule.append(
                index: item.index, answer: answer, spent: item.attempts, now: now, using: &generator, to: &results)
        }
        return (results, unsent, problem)
    }
}
