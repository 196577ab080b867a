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

/// A long-running role of a fleet.
protocol RoleCommand: AsyncParsableCommand {
    var options: RunOptions { get }
}

extension RoleCommand {
    func prepare() throws -> Station {
        let settings = try options.settings()
        let terminal = Terminal()
        Log.bootstrap(level: settings.log.level, format: settings.log.format, terminal: terminal)
        return try Station(settings, terminal: terminal)
    }
}

struct PlannerCommand: RoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "planner", abstract: "Plan mailings of the ledger and feed their batches to the workers.")
    @OptionGroup var options: RunOptions

    func run() async throws {
        let station = try prepare()
        let ledger = try await station.waitForLedger()
        let broker = try await station.openBroker("planner", isPatient: true)
        try await station.run(
            station.metricsServer()
                + [
                    Observer(broker: broker, ledger: ledger, readiness: station.readiness, logger: station.logger),
                    station.pulse(.planner, broker),
                    station.planner(broker, ledger, lock: LockHolder(ledger: station.settings.ledger.path)),
                ])
        await broker.close()
    }
}

struct WorkerCommand: RoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker", abstract: "Deliver batches: run as many as you need, on as many machines as you need.")
    @OptionGroup var options: RunOptions

    func run() async throws {
        let station = try prepare()
        let broker = try await station.openBroker("worker", isPatient: true)
        let worker = station.worker(broker)
        try await station.run(
            station.metricsServer()
                + [
                    Observer(broker: broker, ledger: nil, readiness: station.readiness, logger: station.logger),
                    station.pulse(.worker, broker, worker: worker), worker,
                ], worker: worker)
        await broker.close()
    }
}

struct CollectorCommand: RoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "collector", abstract: "Write results and events into the ledger.")
    @OptionGroup var options: RunOptions

    func run() async throws {
        let station = try prepare()
        let ledger = try await station.waitForLedger()
        let broker = try await station.openBroker("collector", isPatient: true)
        try await station.run(
            station.metricsServer()
                + [
                    Observer(broker: broker, ledger: ledger, readiness: station.readiness, logger: station.logger),
                    station.pulse(.collector, broker),
                    station.collector(broker, ledger),
                ])
        await broker.close()
    }
}

struct Up: RoleCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run all roles in one process, for mailings that are added to the ledger (flotilla mailing add).")
    @OptionGroup var options: RunOptions

    func run() async throws {
        let settings = try options.settings()
        let terminal = Terminal()
        Log.bootstrap(level: settings.log.level, format: settings.log.format, terminal: terminal)
        let duty = try LedgerLock.acquire(ledger: settings.ledger.path)
        let redis = settings.redis.endpoint == nil ? try await PrivateRedis() : nil
        defer { redis?.stop() }
        let station = try Station(settings, endpoint: redis?.endpoint, terminal: terminal)
        let ledger = try await station.waitForLedger()
        let broker = try await station.openBroker("up", isPatient: true)
        let collector = station.collector(broker, ledger)
        let worker = station.worker(broker)
        try await station.run(
            station.metricsServer()
                + [
                    Observer(broker: broker, ledger: ledger, readiness: station.readiness, logger: station.logger),
                    station.pulse(.all, broker, worker: worker),
                    collector, worker,
                    station.planner(
                        broker, ledger, isAlone: redis != nil,
                        lock: LockHolder(ledger: settings.ledger.path, held: duty)),
                ], worker: worker)
        if redis != nil { await collector.drain() }
        await broker.close()
        duty.release()
    }
}
