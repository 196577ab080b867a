import ArgumentParser
import Broker
import Collecting
import Delivery
import Foundation
import Ledger
import Logging
import Metrics
import Model
import NIOCore
import NIOPosix
import Planning
import Policy
import ServiceLifecycle
import Settings
import Telemetry
import UnixSignals

/// What every role of this process stands on, and the roles themselves.
struct RoleRuntime {
    let settings: Settings
    let endpoint: RedisEndpoint
    let terminal: Terminal
    let logger: Logger
    let metrics: PrometheusMetrics
    let readiness = Readiness()
    private let signals: SignalHandler
    /// Event loops of Redis and SMTP connections; the rest of the cores renders, plans and writes.
    let group: any EventLoopGroup
    /// Names this process in Redis, results and logs.
    let name: String

    /// Sets up logs and metrics; once in a process.
    /// - Parameter endpoint: the Redis, where it is not the settings' own.
    init(_ settings: Settings, endpoint: RedisEndpoint? = nil, terminal: Terminal = Terminal()) throws {
        self.settings = settings
        self.terminal = terminal
        guard let endpoint = endpoint ?? RedisEndpoint(settings.redis) else {
            throw MissingRedis()
        }
        self.endpoint = endpoint
        metrics = PrometheusMetrics()
        metrics.addProcess(version: Build.version, terminal: terminal)
        // Figures that nobody can ask for are not kept.
        if settings.metrics.listen != nil { MetricsSystem.bootstrap(metrics) }
        logger = Logger(label: "flotilla")
        signals = SignalHandler(logger: logger)
        group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, System.coreCount / 2))
        name = "\(ProcessInfo.processInfo.hostName)-\(getpid())-\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
    }

    struct MissingRedis: Error, CustomStringConvertible {
        let description = """
            this role shares a Redis with the others: name it with --redis URL, redis.url in flotilla.yaml or FLOTILLA_REDIS_URL
            """
    }

    func openLedger() throws -> SQLiteLedger {
        try SQLiteLedger.open(settings.ledger.path, logger: logger)
    }

    /// The same for a role that runs for long: a full disk, or one who keeps the ledger locked, is waited for.
    func waitForLedger() async throws -> SQLiteLedger {
        var backoff = Backoff()
        while true {
            do throws(LedgerError) {
                return try SQLiteLedger.open(settings.ledger.path, logger: logger)
            } catch {
                switch error {
                case .full, .busy: break
                default: throw error
                }
                if backoff.count % 5 == 0 { logger.error("waiting for the ledger: \(error)") }
            }
            guard await backoff.wait() else { throw CancellationError() }
        }
    }

    /// Connects to Redis once, so that a wrong address or password ends the process with a clear word and not in a loop.
    /// - Parameter isPatient: a Redis that cannot be reached is waited for, by whoever needs it.
    func openBroker(_ role: String, isPatient: Bool = false) async throws -> Broker {
        let broker = Broker(
            endpoint: endpoint, prefix: settings.redis.prefix, partitions: settings.collector.partitions,
            name: "flotilla-\(role)-\(name)", group: group, logger: logger)
        do throws(RedisError) {
            try await broker.check()
            if try await broker.mayEvict() {
                logger.error(
                    "this Redis throws keys away when its memory is full, and batches with them: set maxmemory-policy noeviction")
            }
        } catch {
            if isPatient, error.isPassing {
                logger.error("waiting for Redis: \(error)")
            } else {
                await broker.close()
                throw error
            }
        }
        return broker
    }

    /// Shows this process to others.
    func heartbeat(_ role: Heartbeat.Role, _ broker: Broker, worker: Worker? = nil) -> HeartbeatSender {
        HeartbeatSender(name: name, role: role, broker: broker, worker: worker)
    }

    // MARK: Roles, as services; a service group stops them in the reverse order.

    func metricsServer(onListening: @escaping @Sendable (Int) -> Void = { _ in }) -> [any Service] {
        guard let address = settings.metrics.listen else { return [] }
        return [MetricsServer(address: address, metrics: metrics, readiness: readiness, logger: logger, onListening: onListening)]
    }

    /// The same for a process that ends by itself: a taken address is worth a word, and no reason to send nothing.
    func optionalMetricsServer() -> [any Service] {
        metricsServer().map { OptionalService(service: $0, logger: logger) }
    }

    func collector(_ broker: Broker, _ ledger: SQLiteLedger) -> Collector {
        Collector(
            broker: broker, ledger: ledger, name: name, limit: settings.collector.batch, logger: logger)
    }

    func worker(_ broker: Broker) -> Worker {
        Worker(configuration: workerConfiguration, broker: broker, group: group, logger: logger)
    }

    var workerConfiguration: WorkerConfiguration {
        WorkerConfiguration(
            id: name, channels: settings.worker.channels, concurrency: settings.worker.concurrency,
            group: settings.worker.group, flush: settings.worker.flush, lease: settings.worker.lease,
            maximumDeliveries: settings.worker.poison, grace: settings.shutdown.grace, retries: retries,
            responses: settings.worker.responses, limits: settings.limits, hostname: settings.email.hostname,
            providers: settings.providers, showsAddresses: settings.log.addresses == .shown
        ) { [readiness] part, problem in
            readiness.set(part, ready: problem == nil, why: problem ?? "")
        }
    }

    private var retries: RetrySchedule? {
        guard let base = settings.worker.retryBase else { return nil }
        return RetrySchedule(base: base.seconds, cap: max(base, settings.worker.retryCap).seconds)
    }

    /// - Parameters:
    ///   - only: the one mailing to look after; nil for all of the ledger.
    ///   - isAlone: the Redis is our own.
    ///   - lock: takes the lock of the ledger's file.
    func planner(
        _ broker: Broker, _ ledger: SQLiteLedger, only: MailingID? = nil, isAlone: Bool = false,
        lock: LockHolder
    ) -> PlannerRole {
        let planner = settings.planner
        return PlannerRole(
            PlannerRole.Configuration(
                name: name, window: planner.window, poll: planner.poll, lease: planner.lease,
                workerLease: settings.worker.lease,
                stuckAfter: planner.stuckAfter, only: only, isAlone: isAlone),
            broker: broker, ledger: ledger, lock: lock.tryLock, logger: logger)
    }

    /// Runs services until one of them ends the run, a signal comes, or one fails.
    /// - Parameter worker: the worker among them: a second signal cuts its stop short.
    func run(
        _ services: [any Service], until end: (any Service)? = nil, worker: Worker? = nil
    ) async throws {
        var all = services.map {
            ServiceGroupConfiguration.ServiceConfiguration(service: $0, successTerminationBehavior: .ignore)
        }
        if let end {
            all.append(.init(service: end, successTerminationBehavior: .gracefullyShutdownGroup))
        }
        // At debug the group would write whole services into the log.
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .info)
        var configuration = ServiceGroupConfiguration(
            services: all, gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet)
        configuration.maximumGracefulShutdownDuration = settings.shutdown.grace
        signals.begin(worker: worker)
        try await ServiceGroup(configuration: configuration).run()
        if worker?.hasLostResults == true { throw ExitCode(3) }
    }
}

extension RedisEndpoint {
    /// Nil where the settings name no Redis.
    init?(_ redis: Settings.Redis) {
        guard let endpoint = redis.endpoint else { return nil }
        self.init(endpoint)
        username = redis.username
        password = redis.password
        caFile = redis.caFile
        timeout = redis.timeout.seconds
    }
}

/// A service that others can do without: its failure is logged.
private struct OptionalService: Service {
    let service: any Service
    let logger: Logger

    func run() async throws {
        do {
            try await service.run()
        } catch {
            logger.warning("\(error)")
        }
    }
}
