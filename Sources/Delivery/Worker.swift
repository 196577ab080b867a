package import Broker
package import Logging
import Metrics
import Model
package import NIOCore
import ServiceLifecycle
import Synchronization
import Transport

/// Takes batches, delivers them, reports what became of each recipient. Stateless: any number may run.
package struct Worker: Service {
    private let shared: WorkerShared
    private let shelf: MailingShelf
    private let queueWait: [Model.Channel: Metrics.Timer]

    package init(
        configuration: WorkerConfiguration, broker: Broker, group: any EventLoopGroup, logger: Logger
    ) {
        var logger = logger
        logger[metadataKey: "worker"] = "\(configuration.id)"
        shared = WorkerShared(configuration: configuration, broker: broker, logger: logger)
        shelf = MailingShelf(board: MailingBoard(broker), configuration: configuration, group: group, logger: logger)
        queueWait = Dictionary(
            uniqueKeysWithValues: configuration.channels.map {
                ($0, Metrics.Timer(label: "flotilla_queue_wait_seconds", dimensions: [("channel", $0.rawValue)]))
            })
    }

    /// Works until a graceful shutdown: then takes nothing new, finishes what is on the wire, gives the rest back.
    package func run() async throws {
        await withTaskCancellationHandler {
            await withGracefulShutdownHandler {
                await withDiscardingTaskGroup { group in
                    group.addTask { await watch() }
                    await take(into: &group)
                }
            } onGracefulShutdown: {
                shared.stop()
            }
        } onCancel: {
            shared.stop()
        }
        await shelf.close()
        await shared.queue.close()
        await shared.status.close()
    }

    /// Takes batches as long as there is less than a load of unbegun messages here, so that others get their share.
    private func take(into group: inout DiscardingTaskGroup) async {
        let held = Held(load: shared.configuration.concurrency * shared.configuration.group)
        var patience = Patience()
        let inHand = InHand()
        // After a failure, batches may have been given to us whose reply was lost.
        var mayHaveLost = false
        while !shared.isStopping {
            await held.untilLow()
            do throws(RedisError) {
                let channels = shared.configuration.channels
                let id = shared.configuration.id
                var leases: [BatchQueue.Lease] = []
                if mayHaveLost {
                    leases = try await shared.queue.takeLost(
                        channels: channels, consumer: id, known: inHand.entries)
                    mayHaveLost = false
                }
                if leases.isEmpty {
                    leases = try await shared.queue.take(
                        channels: channels, consumer: id, count: 1, block: .milliseconds(500))
                }
                patience = Patience()
                for lease in leases {
                    let share = held.take(lease.batch.open?.count ?? lease.batch.count)
                    inHand.insert(lease.entry)
                    group.addTask {
                        await work(lease, share)
                        inHand.remove(lease.entry)
                        share.giveBack()
                    }
                }
            } catch {
                if case .unexpected = error { shared.logger.error("\(error)") }
                mayHaveLost = true
                guard await patience.wait() else { return }
            }
        }
    }

    private func work(_ lease: BatchQueue.Lease, _ share: Held.Share) async {
        queueWait[lease.channel]?.recordMilliseconds(max(0, Clock.milliseconds() - lease.batch.fed))
        var patience = Patience()
        while true {
            let problem: any Error
            do {
                switch try await shelf.mailing(lease.batch.id.mailing) {
                case .ready(let mailing):
                    let recipients = try Recipients(
                        decoding: lease.batch.recipients, width: mailing.mailing.fields.count)
                    // A batch that waits for its slots must not keep others out.
                    if mailing.scope != nil { share.giveBack() }
                    return await BatchRun(lease: lease, mailing: mailing, recipients: recipients, worker: shared, share: share).run()
                case .gone:
                    return await giveBack(lease)
                case .unfit(let why):
                    shared.logger.error("mailing \(lease.batch.id.mailing) cannot be sent here: \(why)")
                    shared.requestHalt(lease.batch.id.mailing, why)
                    return await giveBack(lease)
                }
            } catch let error as TransportError where error.kind == .misconfigured {
                shared.requestHalt(lease.batch.id.mailing, error.description)
                return await giveBack(lease)
            } catch {
                problem = error
            }
            if patience.count % 5 == 0 {
                shared.logger.warning("batch \(lease.batch.id) waits: \(problem)")
            }
            guard !shared.isStopping, await patience.wait() else { return await giveBack(lease) }
        }
    }

    private func giveBack(_ lease: BatchQueue.Lease) async {
        await ResultBuffer(
            lease: lease, queue: shared.queue, worker: shared.configuration.id, wait: .zero, logger: shared.logger
        ).close(.released)
    }

    /// Looks after what operators change, and passes on what workers must have stopped.
    private func watch() async {
        while !shared.isStopping {
            do throws(RedisError) {
                while let (mailing, reason) = shared.nextHalt {
                    try await shared.status.sendHalt(mailing, reason: reason)
                    shared.haltSent(mailing)
                }
                try await shelf.refresh()
            } catch {
                shared.logger.debug("the mailing board cannot be read: \(error)")
            }
            try? await Task.sleep(for: .milliseconds(250))
        }
    }
}
