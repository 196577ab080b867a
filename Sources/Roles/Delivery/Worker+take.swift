import Broker
import Logging
import Metrics
import Model
import Policy
import Transport

extension Worker {
    /// Takes batches while a lane has some that its provider can use.
    func takeBatches(into group: inout DiscardingTaskGroup) async {
        var backoff = Backoff()
        // After a failure, batches may have been given to us whose reply was lost; and the command itself may still be on its way.
        var mayHaveLost = false
        var reclaimsAgain: ContinuousClock.Instant?
        let clocks = worker.clocks
        var hasSaid = clocks.now
        while !worker.isStopping {
            for batch in worker.takeArrived() { begin(batch, in: &group) }
            guard worker.lease.mayTake else {
                if clocks.now - hasSaid >= .seconds(10) {
                    hasSaid = clocks.now
                    worker.logger.warning("taking no batches: Redis is unavailable, or no planner has admitted this worker yet")
                }
                await worker.demand.wait(atMost: Timing.fallback)
                continue
            }
            hasSaid = clocks.now
            do throws(RedisError) {
                if let time = reclaimsAgain, clocks.now >= time { (mayHaveLost, reclaimsAgain) = (true, nil) }
                if worker.takePending() || mayHaveLost {
                    mayHaveLost = true
                    for lease in try await worker.queue.reclaim(worker: worker.configuration.id, known: worker.inFlight.entries) {
                        begin(inFlight(lease), in: &group)
                    }
                    mayHaveLost = false
                }
                let wants = worker.prefetch.wants()
                if wants.isEmpty {
                    let times = [worker.prefetch.nextLook, reclaimsAgain].compactMap { $0.map { max(.milliseconds(1), $0 - clocks.now) } }
                    await worker.demand.wait(atMost: times.min().map { min($0, Timing.idlePoll) } ?? Timing.idlePoll)
                    continue
                }
                try await take(wants, into: &group)
                backoff = Backoff()
            } catch {
                if case .unexpected = error { worker.logger.error("\(error)") }
                mayHaveLost = true
                reclaimsAgain = clocks.now + .seconds(5)
                guard await backoff.wait(on: worker.changes, unless: { worker.isStopping }) else { return }
            }
        }
    }

    private func take(_ wants: [BatchQueue.Want], into group: inout DiscardingTaskGroup) async throws(RedisError) {
        let taken: [BatchQueue.Taken]
        do throws(RedisError) {
            taken = try await worker.queue.take(wants, worker: worker.configuration.id)
        } catch {
            worker.prefetch.failed(wants)
            throw error
        }
        if taken.isEmpty {
            // An older state of Redis: the next renewal of the lease finds that.
            worker.prefetch.failed(wants)
            worker.renewal.notify()
            await worker.demand.wait(atMost: .milliseconds(200))
        }
        for lane in taken {
            if lane.hasNewer { worker.reportNewer(lane.lane) }
            let shares = worker.prefetch.taken(lane.lane, lane.leases, waiting: lane.waiting)
            for (lease, share) in zip(lane.leases, shares) { begin(inFlight(lease), share, in: &group) }
        }
    }

    /// Starts work on a batch that was not asked for.
    private func begin(_ batch: InFlightBatch, in group: inout DiscardingTaskGroup) {
        let shares = worker.prefetch.taken(batch.lease.lane, [batch.lease], waiting: nil)
        for share in shares { begin(batch, share, in: &group) }
    }

    private func inFlight(_ lease: BatchLease) -> InFlightBatch {
        let batch = InFlightBatch(lease, buffer: ResultBuffer(lease: lease, worker: worker))
        worker.inFlight.insert(batch)
        return batch
    }

    private func begin(_ batch: InFlightBatch, _ share: Prefetch.Share, in group: inout DiscardingTaskGroup) {
        group.addTask {
            await work(batch, share)
            worker.inFlight.remove(batch)
            share.giveBack()
            // It was left pending, and stays ours until another worker takes it.
            if !batch.isUnderstood { worker.leavePending() }
        }
    }

    private func work(_ batch: InFlightBatch, _ share: Prefetch.Share) async {
        let lease = batch.lease
        worker.meters.queueWait(lease.lane.channel, milliseconds: max(0, worker.now - lease.batch.dispatched))
        // First of all, before the batch can be given back: list the recipients that earlier workers may have reached.
        guard let open = await open(batch) else { return await batch.buffer.leave() }
        var backoff = Backoff()
        while true {
            let problem: any Error
            do {
                switch try await mailings.mailing(lease.batch.id.mailing, lane: lease.lane, by: lease.batch.channel) {
                case .ready(let mailing):
                    let recipients = try lease.batch.recipients(of: mailing.mailing)
                    return await BatchDelivery(
                        batch: batch, mailing: mailing, recipients: recipients, open: open, worker: worker, share: share
                    ).run()
                case .gone:
                    return await batch.buffer.close(.released)
                case .newer:
                    worker.reportNewer(lease.lane)
                    return await batch.buffer.close(.released)
                case .unfit(let why):
                    worker.logger.error("mailing \(lease.batch.id.mailing) cannot be sent here: \(why)", metadata: lease.fields)
                    worker.requestHalt(lease.batch.id.mailing, MailingHalt(.unsendable, why))
                    return await batch.buffer.close(.released)
                }
            } catch let error as WireError {
                if await keep(lease, unreadable: error) { return await batch.buffer.close(.released) }
                problem = error
            } catch let error as TransportError where error.action == .pauseMailing {
                worker.requestHalt(lease.batch.id.mailing, MailingHalt(.refusal, error.description))
                return await batch.buffer.close(.released)
            } catch {
                problem = error
            }
            worker.tell(problem, of: lease)
            let mayWait = await backoff.wait(on: worker.changes) {
                worker.isStopping || batch.isEnded || worker.hasExpired(lease.batch.expires)
            }
            guard mayWait, await mailings.isSending(lease.batch.id.mailing) else {
                return await batch.buffer.close(.released)
            }
        }
    }

    /// Keeps a batch with unreadable recipients as a dead letter.
    /// - Returns: false when Redis did not take it.
    private func keep(_ lease: BatchLease, unreadable error: WireError) async -> Bool {
        worker.logger.error(
            """
            the recipients of batch \(lease.batch.id) cannot be read (\(error)): it is a dead letter now (flotilla dead list), and is \
            dispatched again
            """, metadata: lease.fields)
        return (try? await worker.queue.keepUnreadable(lease, why: "recipients: \(error)")) != nil
    }

    /// The recipients to send to; nil when the batch is no longer ours, or that cannot be read before we end: it stays pending.
    private func open(_ batch: InFlightBatch) async -> [OpenRecipient]? {
        guard !batch.isUnderstood else { return Takeover.whole(batch.lease.batch) }
        var backoff = Backoff()
        while true {
            do throws(RedisError) {
                let policy = try await mailings.policy(of: batch.lease.batch.id.mailing)
                if let open = try await Takeover(batch: batch, policy: policy, worker: worker).enter() { return open }
                // Not ours, or of a Redis whose epoch has ended: the next renewal of the lease finds either.
                _ = await worker.changes.wait(atMost: .milliseconds(500), unless: { worker.isStopping || batch.isEnded })
                return nil
            } catch {
                if backoff.count % 5 == 0 {
                    worker.logger.warning("batch \(batch.lease.batch.id) waits: \(error)", metadata: batch.lease.fields)
                }
            }
            guard await backoff.wait(on: worker.changes, unless: { worker.isStopping || batch.isEnded }) else { return nil }
        }
    }
}

extension BatchLease {
    /// The recipients of its dispatch.
    var messages: Int { batch.open?.count ?? batch.count }
}
