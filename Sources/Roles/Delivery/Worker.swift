package import Broker
package import Logging
package import Model
package import NIOCore
import ServiceLifecycle
import Synchronization

/// Takes batches from lanes, delivers them, and reports what became of each recipient. Stateless: any number may run. Its duties are tasks
/// side by side, each in a file of its own: it wakes up (`Worker+wake`), takes batches (`Worker+take`), renews its lease and takes over
/// from workers that have ended (`Worker+lease`), and sends results and looks after what was published (`Worker+duties`).
package struct Worker: Service {
    let broker: Broker
    let worker: WorkerContext
    let mailings: MailingCache
    /// Closed when the worker ends, which ends the read that blocks on it.
    let wakeStream: WakeStream

    package init(
        configuration: WorkerConfiguration, broker: Broker, group: any EventLoopGroup, clocks: Clocks = .system, logger: Logger
    ) {
        self.broker = broker
        var logger = logger
        logger[metadataKey: "worker"] = "\(configuration.id)"
        worker = WorkerContext(configuration: configuration, broker: broker, clocks: clocks, logger: logger)
        mailings = MailingCache(worker, broker: broker, group: group)
        wakeStream = WakeStream(broker, for: .workers)
    }

    /// Works until a graceful shutdown: then takes nothing new, finishes its messages in flight and gives the rest back. What is
    /// still in flight when most of the grace has passed is cut short.
    package func run() async throws {
        await worker.time.learn(from: broker)
        await withTaskCancellationHandler {
            await withGracefulShutdownHandler {
                await withDiscardingTaskGroup { group in
                    group.addTask { await keepLease() }
                    group.addTask { await sendResults() }
                    group.addTask { await followPublished() }
                    group.addTask { await wakeUp() }
                    await withDiscardingTaskGroup { await takeBatches(into: &$0) }
                    await waitForCollectors()
                    worker.hasEnded()
                    await wakeStream.close()
                    group.cancelAll()
                }
            } onGracefulShutdown: {
                worker.stop()
                // It outlives the handler, which must return: the end of the grace is counted from here.
                Task {
                    try? await Task.sleep(for: worker.configuration.grace * 4 / 5)
                    await cut()
                }
            }
        } onCancel: {
            worker.stop()
        }
        await mailings.close()
        try? await worker.lease.leave()
        await worker.status.close()
    }

    /// Adds what this worker does to its process's heartbeat.
    package func describe(_ heartbeat: inout Heartbeat) async {
        heartbeat.channels = worker.configuration.channels
        heartbeat.answered = worker.answered.load(ordering: .relaxed)
        heartbeat.inFlight = worker.transmitting.load(ordering: .relaxed)
        heartbeat.batches = worker.inFlight.count
        heartbeat.mailings = await mailings.shares
    }

    /// Whether results could not be reported before the end: their messages count as uncertain.
    package var hasLostResults: Bool { worker.hasLostResults }

    /// Results that only a private Redis has would end with it: a worker stays until the ledger has them, as long as a stop may take.
    private func waitForCollectors() async {
        // The lease is renewed often now, and each renewal reads what collectors have confirmed.
        worker.renewal.notify()
        while !worker.lease.isConfirmed, !worker.isCut {
            let version = worker.changes.version
            if worker.lease.isConfirmed { break }
            guard await worker.changes.wait(after: version, atMost: .milliseconds(500)) else { break }
        }
        if !worker.lease.isConfirmed {
            worker.logger.warning("ending before its last results are in the ledger; they wait in Redis for a collector")
        }
    }

    /// Ends the wait for messages in flight: they become uncertain, and are listed.
    package func cut() async {
        guard !worker.isDone, !worker.isCut else { return }
        if !worker.inFlight.all.isEmpty {
            worker.logger.warning("the stop is cut short: messages without a response are uncertain now")
        }
        worker.cut()
        await mailings.abort()
    }
}
