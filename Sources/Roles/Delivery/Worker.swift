package import Broker
package import Logging
import Metrics
package import Model
package import NIOCore
import ServiceLifecycle
import Synchronization
import Transport

/// Takes batches, delivers them, reports what became of each recipient. Stateless: any number may run.
package struct Worker: Service {
    private let broker: Broker
    private let shared: WorkerContext
    private let mailings: MailingCache
    private let queueWait: [Model.Channel: Metrics.Timer]

    package init(
        configuration: WorkerConfiguration, broker: Broker, group: any EventLoopGroup, logger: Logger
    ) {
        self.broker = broker
        var logger = logger
        logger[metadataKey: "worker"] = "\(configuration.id)"
        shared = WorkerContext(configuration: configuration, broker: broker, logger: logger)
        mailings = MailingCache(
            board: PublishedMailings(broker), limitBoard: PublishedLimits(broker), throttle: Throttle(broker), limits: shared.limits,
            paces: shared.paces, time: shared.time, configuration: configuration, group: group, logger: logger)
        queueWait = Dictionary(
            uniqueKeysWithValues: configuration.channels.map {
                ($0, Metrics.Timer(label: "flotilla_queue_wait_seconds", dimensions: [("channel", $0.rawValue)]))
            })
    }

    /// Works until a graceful shutdown: then takes nothing new, finishes what is on the wire, gives the rest back. What is
    /// still on the wire when most of the grace is over is cut short.
    package func run() async throws {
        await shared.time.learn(from: broker)
        await withTaskCancellationHandler {
            await withGracefulShutdownHandler {
                await withDiscardingTaskGroup { group in
                    group.addTask { await keepLease() }
                    group.addTask { await flush() }
                    group.addTask { await watch() }
                    group.addTask { await relent() }
                    await withDiscardingTaskGroup { await take(into: &$0) }
                    await waitForCollectors()
                    shared.hasEnded()
                }
            } onGracefulShutdown: {
                shared.stop()
                Task {
                    try? await Task.sleep(for: shared.configuration.grace * 4 / 5)
                    await cut()
                }
            }
        } onCancel: {
            shared.stop()
        }
        await mailings.close()
        try? await shared.lease.leave()
        await shared.queue.close()
        await shared.status.close()
    }

    /// Adds what this worker does to its process's sign of life.
    package func describe(_ heartbeat: inout Heartbeat) async {
        heartbeat.channels = shared.configuration.channels
        heartbeat.answered = shared.answered.load(ordering: .relaxed)
        heartbeat.inFlight = shared.onWire.load(ordering: .relaxed)
        heartbeat.batches = shared.inFlight.claims.count
        heartbeat.mailings = await mailings.shares
    }

    /// Results could not be told to anybody before the end: their messages count as uncertain.
    package var hasLostResults: Bool { shared.hasLostResults }

    /// What is in Redis alone would go with it: a worker stays until its results are in the ledger, if that does not take
    /// longer than a stop may.
    private func waitForCollectors() async {
        while !shared.lease.isConfirmed, !shared.isCut {
            guard (try? await Task.sleep(for: .milliseconds(20))) != nil else { break }
        }
        if !shared.lease.isConfirmed {
            shared.logger.warning("ending before its last results are in the ledger; they wait in Redis for a collector")
        }
    }

    /// Waits no longer for what is on the wire: it becomes uncertain, by name.
    package func cut() async {
        guard !shared.isDone, !shared.isCut else { return }
        if !shared.inFlight.claims.isEmpty {
            shared.logger.warning("the graceful stop ends early: messages without a response are uncertain now")
        }
        shared.cut()
        await mailings.abort()
    }

    /// Takes batches as long as there is less than a load of messages here, so that others get their share.
    private func take(into group: inout DiscardingTaskGroup) async {
        var backoff = Backoff()
        // After a failure, batches may have been given to us whose reply was lost.
        var mayHaveLost = false
        var lastSearch = ContinuousClock.now
        var lastReclaim = ContinuousClock.now
        var lastWord = ContinuousClock.now
        while !shared.isStopping {
            await shared.held.untilLow()
            // Who has some already that wait for slots, or nothing but such whose provider is down, leaves the next to others.
            let parked = shared.held.isIdle ? shared.parked.load(ordering: .relaxed) : 0
            let waiting = shared.limited.load(ordering: .relaxed) + parked
            if waiting > 1 { try? await Task.sleep(for: min(Self.longestModesty, Self.modesty * waiting)) }
            guard shared.lease.mayTake else {
                if ContinuousClock.now - lastWord >= .seconds(10) {
                    lastWord = .now
                    shared.logger.warning("taking no batches: Redis is unavailable, or no planner has registered this worker yet")
                }
                try? await Task.sleep(for: .milliseconds(50))
                continue
            }
            do throws(RedisError) {
                let channels = shared.configuration.channels
                let id = shared.configuration.id
                var leases: [BatchQueue.Lease] = []
                // A connection that was given up may still have delivered its last question.
                if shared.takePending() || ContinuousClock.now - lastReclaim >= .seconds(5) { mayHaveLost = true }
                if mayHaveLost {
                    leases = try await shared.queue.takeLost(
                        channels: channels, consumer: id, known: shared.inFlight.entries)
                    mayHaveLost = false
                    lastReclaim = .now
                } else if ContinuousClock.now - lastSearch >= Self.search, shared.lease.mayInherit {
                    leases = try await shared.queue.takeOver(channels: channels, consumer: id, count: 4)
                    if leases.isEmpty { lastSearch = .now }
                }
                if leases.isEmpty {
                    leases = try await shared.queue.take(
                        channels: channels, consumer: id, count: 1, block: .milliseconds(500))
                }
                backoff = Backoff()
                lastWord = .now
                for lease in leases {
                    let share = shared.held.take(lease.batch.open?.count ?? lease.batch.count)
                    let claim = InFlightBatch(lease, buffer: ResultBuffer(lease: lease, worker: shared))
                    shared.inFlight.insert(claim)
                    group.addTask {
                        await work(claim, share)
                        shared.inFlight.remove(claim)
                        share.giveBack()
                        // It was left pending, and is ours as long as nobody else has taken it.
                        if !claim.isUnderstood { shared.leavePending() }
                    }
                }
            } catch {
                if case .unexpected = error { shared.logger.error("\(error)") }
                mayHaveLost = true
                guard await backoff.wait(unless: { shared.isStopping }) else { return }
            }
        }
    }

    /// How long a worker lets others go first, for each batch that waits here.
    private static let modesty = Duration.milliseconds(20)
    private static let longestModesty = Duration.milliseconds(100)

    /// How often batches are looked for whose worker's lease is over.
    private static let search = Duration.seconds(1)

    private func work(_ claim: InFlightBatch, _ share: Prefetch.Share) async {
        let lease = claim.lease
        queueWait[lease.channel]?.recordMilliseconds(max(0, shared.now - lease.batch.fed))
        // Before anything else, also before the batch could be given back: whom the workers before may have reached.
        guard let open = await open(claim, share) else { return await claim.buffer.leave() }
        var backoff = Backoff()
        while true {
            let problem: any Error
            do {
                switch try await mailings.mailing(lease.batch.id.mailing) {
                case .ready(let mailing):
                    let recipients = try Recipients(
                        decoding: lease.batch.recipients, width: mailing.mailing.fields.count)
                    // A batch that waits for its slots must not keep others out.
                    let isLimited = mailing.isLimited
                    if isLimited {
                        share.giveBack()
                        shared.limited.add(1, ordering: .relaxed)
                    }
                    share.assign(to: mailing.provider) { mailing.load }
                    defer { if isLimited { shared.limited.subtract(1, ordering: .relaxed) } }
                    return await BatchDelivery(
                        claim: claim, mailing: mailing, recipients: recipients, open: open, worker: shared, share: share
                    ).run()
                case .gone:
                    return await claim.buffer.close(.released)
                case .unfit(let why):
                    shared.logger.error("mailing \(lease.batch.id.mailing) cannot be sent here: \(why)", metadata: lease.fields)
                    shared.requestHalt(lease.batch.id.mailing, why)
                    return await claim.buffer.close(.released)
                }
            } catch let error as TransportError where error.kind == .misconfigured {
                shared.requestHalt(lease.batch.id.mailing, error.description)
                return await claim.buffer.close(.released)
            } catch {
                problem = error
            }
            if backoff.count % 5 == 0 {
                shared.logger.warning("batch \(lease.batch.id) waits: \(problem)", metadata: lease.fields)
            }
            // Neither does a batch whose provider is away, or whose mailing was stopped meanwhile.
            share.giveBack()
            let mayWait = await backoff.wait {
                shared.isStopping || claim.isOver || shared.now >= lease.batch.expires
            }
            guard mayWait, await mailings.isSending(lease.batch.id.mailing) else {
                return await claim.buffer.close(.released)
            }
        }
    }

    /// Whom to send to; nil when the batch is not ours any more, or that cannot be learnt before we end: it stays pending.
    private func open(_ claim: InFlightBatch, _ share: Prefetch.Share) async -> [OpenRecipient]? {
        guard !claim.isUnderstood else { return Takeover.whole(claim.lease.batch) }
        var backoff = Backoff()
        while true {
            do throws(RedisError) {
                let policy = try await mailings.policy(of: claim.lease.batch.id.mailing)
                if let open = try await Takeover(claim: claim, policy: policy, worker: shared).enter() { return open }
                // Not ours, or of a Redis that is not believed: both will be known in a moment.
                try? await Task.sleep(for: .milliseconds(500))
                return nil
            } catch {
                if backoff.count % 5 == 0 {
                    shared.logger.warning("batch \(claim.lease.batch.id) waits: \(error)", metadata: claim.lease.fields)
                }
            }
            guard await backoff.wait(unless: { shared.isStopping || claim.isOver }) else { return nil }
        }
    }

    /// Renews the lease as long as anything is in hand.
    private func keepLease() async {
        var backoff = Backoff()
        while !shared.isDone {
            do throws(RedisError) {
                try await shared.lease.renew()
                shared.configuration.health("lease", nil)
                backoff = Backoff()
                let next = ContinuousClock.now + (shared.isStopping || !shared.lease.mayTake ? .milliseconds(50) : shared.lease.interval)
                while !shared.isDone, ContinuousClock.now < next {
                    guard (try? await Task.sleep(for: .milliseconds(50))) != nil else { return }
                }
            } catch {
                if backoff.count % 20 == 0 { shared.logger.warning("the lease cannot be renewed: \(error)") }
                shared.configuration.health("lease", "it cannot be renewed: \(error)")
                guard await backoff.wait(unless: { shared.isDone }) else { return }
            }
        }
    }

    /// Sends results that wait for others no longer than they may.
    private func flush() async {
        let wait = shared.configuration.flush
        while !shared.isDone {
            for claim in shared.inFlight.claims { await claim.buffer.flush(olderThan: wait) }
            do { try await Task.sleep(for: max(wait / 2, .milliseconds(5))) } catch { return }
        }
    }

    /// Takes one batch more now and then, whatever is held.
    private func relent() async {
        while !shared.isDone {
            shared.held.relent()
            do { try await Task.sleep(for: .nanoseconds(Prefetch.pause / 2)) } catch { return }
        }
    }

    /// Looks after what operators change, and passes on what workers must have stopped.
    private func watch() async {
        while !shared.isStopping {
            do throws(RedisError) {
                while let (mailing, reason) = shared.nextHalt {
                    try await shared.status.sendHalt(mailing, reason: reason)
                    shared.haltSent(mailing)
                }
                try await mailings.refresh()
            } catch {
                shared.logger.debug("the published mailings cannot be read: \(error)")
            }
            try? await Task.sleep(for: .milliseconds(250))
        }
    }
}
