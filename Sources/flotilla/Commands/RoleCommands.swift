import ArgumentParser
import Broker
import Collecting
import Ledger
import Logging
import Model
import Planning
import ServiceLifecycle
import Settings
import Telemetry

/// A command that runs one role of a fleet until it is stopped.
protocol RoleCommand: AsyncParsableCommand {
    var options: RunOptions { get }
}

extension RoleCommand {
    func prepare() throws -> RoleRuntime {
        let settings = try options.settings()
        let terminal = Terminal()
        Log.bootstrap(level: settings.log.level, format: settings.log.format, terminal: terminal)
        return try RoleRuntime(settings, terminal: terminal)
    }
}

struct PlannerCommand: RoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "planner", abstract: "Plan the mailings of the ledger, and dispatch their batches to the workers.")
    @OptionGroup var options: RunOptions

    func run() async throws {
        let runtime = try prepare()
        let ledger = try await runtime.waitForLedger(makes: true)
        let broker = try await runtime.openBroker("planner", isPatient: true)
        try await runtime.run(
            "planner",
            runtime.metricsServer(.planner)
                + [
                    HealthMonitor(broker: broker, ledger: ledger, readiness: runtime.readiness, logger: runtime.logger),
                    runtime.heartbeat(.planner, broker),
                    runtime.planner(
                        broker, ledger, trackerKeys: runtime.settings.comparedKeys(runtime.logger),
                        lock: runtime.settings.ledger.place.file.map { LockHolder(ledger: $0) }),
                ])
        await broker.close()
    }
}

struct WorkerCommand: RoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker", abstract: "Deliver batches. Run any number of workers on any number of machines.")
    @OptionGroup var options: RunOptions

    func run() async throws {
        let runtime = try prepare()
        do { try runtime.checkConnections() } catch {
            runtime.logger.warning("\(error). This worker opens \(error.possible) at most")
        }
        let keys = try runtime.settings.trackerKeys(makes: false)
        let broker = try await runtime.openBroker("worker", isPatient: true)
        let worker = try runtime.worker(broker, trackerKeys: keys)
        try await runtime.run(
            "worker",
            runtime.metricsServer(.worker)
                + [
                    HealthMonitor(broker: broker, ledger: nil, readiness: runtime.readiness, logger: runtime.logger),
                    runtime.heartbeat(.worker, broker, worker: worker), worker,
                ], worker: worker)
        await broker.close()
    }
}

struct CollectorCommand: RoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "collector", abstract: "Write results and events into the ledger.")
    @OptionGroup var options: RunOptions

    func run() async throws {
        let runtime = try prepare()
        let ledger = try await runtime.waitForLedger(makes: false)
        let broker = try await runtime.openBroker("collector", isPatient: true)
        let brake = runtime.brake(ledger)
        try await runtime.run(
            "collector",
            runtime.metricsServer(.collector)
                + [
                    HealthMonitor(broker: broker, ledger: ledger, readiness: runtime.readiness, logger: runtime.logger),
                    runtime.heartbeat(.collector, broker), brake,
                    runtime.collector(broker, ledger, brake), runtime.eventCollector(broker, ledger),
                    runtime.receiptCollector(broker, ledger, brake),
                    runtime.answering(broker, ledger),
                ])
        await broker.close()
    }
}

struct Up: RoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Run all roles in one process. It sends the mailings that are added to the ledger (flotilla mailing add).")
    @OptionGroup var options: RunOptions

    func run() async throws {
        let settings = try options.settings()
        let terminal = Terminal()
        Log.bootstrap(level: settings.log.level, format: settings.log.format, terminal: terminal)
        try await NewLedger(settings).requireWanted(isPatient: true)
        let leadership = try settings.acquireLock()
        let keys = try settings.trackerKeys(makes: true)
        let redis = try await PrivateRedis.unlessNamed(in: settings)
        defer { redis?.stop() }
        let runtime = try RoleRuntime(settings, privateRedis: redis, servesLinks: true, servesMail: true, terminal: terminal)
        try runtime.checkConnections()
        let ledger = try await runtime.waitForLedger(makes: true)
        let broker = try await runtime.openBroker("up", isPatient: true)
        let brake = runtime.brake(ledger)
        let collector = runtime.collector(broker, ledger, brake)
        let events = runtime.eventCollector(broker, ledger)
        let receipts = runtime.receiptCollector(broker, ledger, brake)
        let worker = try runtime.worker(broker, trackerKeys: keys)
        try await runtime.run(
            "up",
            (redis.map { [$0] } ?? []) + runtime.metricsServer() + runtime.innerTracker(broker, keys: keys)
                + runtime.innerBounces(broker, keys: keys)
                + [
                    HealthMonitor(broker: broker, ledger: ledger, readiness: runtime.readiness, logger: runtime.logger),
                    runtime.heartbeat(.all, broker, worker: worker),
                    brake, collector, events, receipts, runtime.answering(broker, ledger, keys: keys), runtime.webhooks(ledger), worker,
                    runtime.planner(
                        broker, ledger, isAlone: redis != nil, trackerKeys: keys,
                        lock: settings.ledger.place.file.map { LockHolder(ledger: $0, held: leadership) }),
                ], worker: worker)
        await redis?.end(collector, events, receipts, broker, ledger)
        await broker.close()
        leadership?.release()
    }
}

extension Settings {
    /// Takes what one process of a machine has at a time: the ledger's file, or the private Redis of a ledger on a server.
    /// - Returns: nil for a ledger on a server and a Redis that others share, where any number of machines may work.
    func acquireLock() throws -> LedgerLock? {
        if ledger.place.file == nil, redis.endpoint != nil { return nil }
        // No lock is left beside a file that is no ledger.
        if let file = ledger.place.file { try SQLiteLedger.refuseForeign(file) }
        return try LedgerLock.acquire(ledger: ledger.localPath())
    }
}
