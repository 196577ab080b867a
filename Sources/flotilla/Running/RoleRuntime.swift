import ArgumentParser
import Broker
import Collecting
import CommandSupport
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
import Receipts
import ServiceLifecycle
import Settings
import Signing
import Telemetry
import Text
import Tracking
import Transport
import UnixSignals
import Webhooks

/// What the roles of one process share (settings, logs, metrics, Redis), and the roles as services.
struct RoleRuntime {
    let settings: Settings
    let endpoint: RedisEndpoint
    let terminal: Terminal
    let logger: Logger
    let metrics: PrometheusMetrics
    let readiness = Readiness()
    private let signals: SignalHandler
    /// Event loops of Redis and SMTP connections. The other cores render, plan and write.
    let group: any EventLoopGroup
    /// The name of this process in Redis, results and logs.
    let name: String

    /// The Redis ends with this process.
    let isPrivate: Bool
    /// Links of messages are answered here, beside a worker.
    private let servesLinks: Bool
    /// Mail that comes back is taken here, beside a worker.
    let servesMail: Bool

    /// Sets up logs and metrics. May be called once in a process.
    /// - Parameters:
    ///   - privateRedis: a Redis of our own in place of that of the settings.
    ///   - servesLinks: the process has a tracker beside its worker, where links are tracked.
    ///   - servesMail: the process takes mail that comes back beside its worker, where that is set up.
    ///   - statusBeforeRun: with which a signal ends the process before its services run.
    init(
        _ settings: Settings, privateRedis: PrivateRedis? = nil, servesLinks: Bool = false, servesMail: Bool = false,
        terminal: Terminal = Terminal(),
        statusBeforeRun: ExitStatus = .done
    ) throws {
        try OpenFiles.check()
        self.settings = settings
        self.terminal = terminal
        isPrivate = privateRedis != nil
        self.servesLinks = servesLinks && settings.tracker.url != nil
        self.servesMail = servesMail && (settings.email.returnPath != nil || settings.bounces.maildir != nil)
        guard let endpoint = privateRedis?.endpoint ?? RedisEndpoint(settings.redis) else {
            throw MissingRedis()
        }
        self.endpoint = endpoint
        metrics = PrometheusMetrics()
        metrics.addProcess(version: Build.version, terminal: terminal)
        // Metrics that are not served are not kept.
        if settings.metrics.listen != nil { MetricsSystem.bootstrap(metrics) }
        logger = Logger(label: "flotilla")
        signals = SignalHandler(status: statusBeforeRun, logger: logger)
        group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, System.coreCount / 2))
        name = "\(ProcessInfo.processInfo.hostName)-\(getpid())-\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
    }

    struct MissingRedis: Error, CustomStringConvertible {
        let description = """
            this command needs the Redis of the fleet: name it by --redis URL, redis.url in flotilla.yaml or FLOTILLA_REDIS_URL. Of a \
            `send` or `up` with a private Redis it is found by itself, while that runs on the same --ledger
            """
    }

    /// Connects to Redis once, so that a wrong password ends the process with an error and not in a loop.
    /// - Parameter isPatient: an unavailable Redis is no error; the services wait for it.
    func openBroker(_ role: String, isPatient: Bool = false) async throws -> Broker {
        let broker = Broker(
            endpoint: endpoint, prefix: settings.redis.prefix, partitions: settings.collector.partitions,
            name: "flotilla-\(role)-\(name)", group: group, logger: logger)
        do throws(RedisError) {
            try await broker.check()
            if let policy = try await broker.evictionPolicy() { throw RedisError.evicts(policy: policy) }
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

    /// Makes this process visible to others.
    func heartbeat(_ role: Heartbeat.Role, _ broker: Broker, worker: Worker? = nil) -> HeartbeatSender {
        HeartbeatSender(name: name, role: role, broker: broker, worker: worker)
    }

    /// Logs which roles run here, and with which settings.
    private func logStart(_ role: String) {
        var fields: Logger.Metadata = ["version": "\(Build.version)", "redis": "\(endpoint)", "process": "\(name)"]
        if !["worker", "tracker", "bounces"].contains(role) {
            fields["ledger"] = "\(settings.ledger.place.file.map(RealPath.of) ?? settings.ledger.name)"
        }
        let different = settings.differences
        fields["settings"] = "\(different.isEmpty ? "defaults" : different.joined(separator: " "))"
        logger.info("\(role) starts", metadata: fields)
    }

    // MARK: Roles, as services; a service group stops them in the reverse order.

    func metricsServer(
        _ port: Settings.Port = .planner, onListening: @escaping @Sendable (Int) -> Void = { _ in }
    ) -> [any Service] {
        guard let address = settings.metrics.listen(as: port) else { return [] }
        return [MetricsServer(address: address, metrics: metrics, readiness: readiness, logger: logger, onListening: onListening)]
    }

    /// The metrics server of a process that ends by itself: an address that is in use is logged, and the mailing is sent nevertheless.
    func optionalMetricsServer() -> [any Service] {
        metricsServer().map { OptionalService(service: $0, logger: logger) }
    }

    func brake(_ ledger: any OpenLedger) -> BrakeWatch { BrakeWatch(settings.brake, ledger: ledger, logger: logger) }

    func collector(_ broker: Broker, _ ledger: any OpenLedger, _ brake: BrakeWatch) -> Collector {
        // In a Redis of our own another collector can only have ended.
        Collector(
            broker: broker, ledger: ledger, name: name, limit: settings.collector.batch, refusals: settings.refusals, brake: brake,
            suppressions: settings.suppressions, abandoned: isPrivate ? .zero : nil, replay: settings.ledger.replay, logger: logger)
    }

    func eventCollector(_ broker: Broker, _ ledger: any OpenLedger) -> EventCollector {
        EventCollector(
            broker: broker, ledger: ledger, rules: .usual(settings), name: name, abandoned: isPrivate ? .zero : nil,
            replay: settings.ledger.replay, logger: logger)
    }

    func receiptCollector(_ broker: Broker, _ ledger: any OpenLedger, _ brake: BrakeWatch) -> ReceiptCollector {
        ReceiptCollector(
            broker: broker, ledger: ledger, providers: Set(settings.tracker.webhooks.values.map(\.provider)), name: name,
            brake: brake, suppressions: settings.suppressions, abandoned: isPrivate ? .zero : .seconds(10),
            replay: settings.ledger.replay, logger: logger)
    }

    /// - Parameter trackerKeys: sign links to the tracker and return paths; nil where there are neither.
    /// - Throws: `DKIMFolderError`.
    func worker(_ broker: Broker, trackerKeys: SigningKeys?) throws(DKIMFolderError) -> Worker {
        var configuration = workerConfiguration
        if let folder = settings.email.dkim {
            let read = try DKIMFolder(reading: folder)
            for warning in read.warnings { logger.warning("\(warning)") }
            configuration.keys = DKIMKeys(read.keys)
        }
        if let url = settings.tracker.url, let trackerKeys {
            configuration.tracker = .init(url: url, domains: settings.tracker.domains, keys: trackerKeys)
            configuration.tracker?.mailDomain = settings.email.unsubscribeDomain
        }
        if let path = settings.email.returnPath, let trackerKeys { configuration.returns = .init(path, keys: trackerKeys) }
        return Worker(configuration: configuration, broker: broker, group: group, logger: logger)
    }

    /// The tracker, in the order in which its parts start. They stop in the other order, so that no event comes behind the last.
    /// - Parameters:
    ///   - spool: the folder in which events wait while Redis is unavailable.
    ///   - connections: of visitors at once.
    func tracker(_ broker: Broker, keys: SigningKeys, spool: String, connections: Int) throws -> [any Service] {
        var configuration = Tracker.Configuration(url: settings.tracker.url ?? "", keys: keys)
        configuration.otherURLs = settings.tracker.domains.values.sorted()
        configuration.trustedProxies = settings.tracker.trustedProxies
        configuration.visitors = settings.visitors
        configuration.addresses = settings.tracker.addresses
        configuration.look = try settings.tracker.pages.look()
        let folder = try SpoolFolder(spool)
        // Events and receipts share the folder, and its limit.
        let share = settings.tracker.webhooks.isEmpty ? 0 : settings.tracker.spoolLimit / 10
        let events = EventBuffer(EventStreams(broker), folder: folder, limit: settings.tracker.spoolLimit - share, logger: logger)
        let (receipts, receiver) = webhooks(broker, folder, limit: share)
        let asker = QuestionAsker(broker, logger: logger)
        let server = TrackerServer(
            Tracker(configuration), at: settings.tracker.listen, connections: connections, events: events, webhooks: receiver,
            asker: asker, logger: logger)
        var services: [any Service] = [events, asker]
        services += receipts
        return services + [server]
    }

    /// What takes receipts of providers, and what brings them to Redis; none where the settings have no webhook.
    /// - Parameter limit: bytes of receipts in the folder at most.
    private func webhooks(_ broker: Broker, _ folder: SpoolFolder, limit: Int) -> ([any Service], WebhookReceiver?) {
        guard !settings.tracker.webhooks.isEmpty else { return ([], nil) }
        let sender = ReceiptSender(ReceiptStreams(broker), folder: folder, limit: limit, logger: logger)
        let hooks = settings.tracker.webhooks.mapValues {
            WebhookReceiver.Hook($0.scheme, provider: $0.provider, secret: $0.secret, topic: $0.topic)
        }
        let receiver = WebhookReceiver(
            hooks, url: settings.tracker.url ?? "", receipts: sender, fetch: { try await HTTPSDocument.fetch($0) }, logger: logger)
        return ([sender], receiver)
    }

    /// Tells other systems of what happens.
    func webhooks(_ ledger: any OpenLedger) -> WebhookRole {
        var durations = WebhookRole.Durations()
        durations.keep = settings.webhooks.keep
        durations.longest = max(durations.longest, settings.webhooks.keep)
        durations.patience = settings.webhooks.patience
        return WebhookRole(ledger: ledger, name: name, durations: durations, logger: logger)
    }

    /// The tracker of a process with all roles; none where links are not tracked.
    func innerTracker(_ broker: Broker, keys: SigningKeys?) throws -> [any Service] {
        guard settings.tracker.url != nil, let keys else { return [] }
        let spool = try settings.tracker.spool ?? settings.ledger.localPath() + ".events"
        return try tracker(broker, keys: keys, spool: spool, connections: TrackerServer.fewConnections)
    }

    /// The same of a process that ends with its mailing: one that cannot serve, perhaps since another does, is logged.
    func optionalTracker(_ broker: Broker, keys: SigningKeys?) -> [any Service] {
        do { return try innerTracker(broker, keys: keys).map { OptionalService(service: $0, logger: logger) } } catch {
            logger.warning("links of messages are not answered here: \(PlainError.of(error))")
            return []
        }
    }

    /// Connections that this process may open to providers, as far as its descriptors go.
    var connections: Int {
        OpenFiles.connections(
            servers: (settings.metrics.listen == nil ? 0 : OpenFiles.serverConnections(atMost: MetricsServer.mostConnections))
                + (servesLinks ? TrackerServer.fewConnections : 0) + (servesMail ? fewMailConnections : 0))
    }

    /// Refuses providers with more connections than this process may open. A worker of a fleet, which shares its settings with others and
    /// is started by no person, works with those that it can have, and says so.
    /// - Throws: `TooManyConnections`.
    func checkConnections() throws(TooManyConnections) {
        try TooManyConnections.check(settings.providers.values, possible: connections)
    }

    /// - Parameters:
    ///   - only: the one mailing to plan and dispatch; nil for all of the ledger.
    ///   - isAlone: the Redis is private.
    ///   - trackerKeys: those that workers have to have too, as far as they are known.
    ///   - lock: takes the lock of the ledger's file; nil for a ledger on a server, whose planners may be on several machines.
    func planner(
        _ broker: Broker, _ ledger: any OpenLedger, only: MailingID? = nil, isAlone: Bool = false, trackerKeys: SigningKeys?,
        lock: LockHolder?
    ) -> PlannerRole {
        let planner = settings.planner
        var configuration = PlannerRole.Configuration(
            name: name, window: planner.window,
            durations: .init(
                poll: planner.poll, lease: planner.lease, workerLease: settings.worker.lease, stuckAfter: planner.stuckAfter),
            only: only, isAlone: isAlone)
        configuration.providers = settings.providers
        configuration.windowBytes = planner.windowBytes
        configuration.batchBytes = planner.batchBytes
        configuration.keep = settings.ledger.keep
        configuration.keepOutbox = settings.webhooks.keep
        let checks = trackerKeys?.checkValues ?? [:]
        if let addresses = settings.tracker.publicAddresses {
            configuration.tracker = { PublishedTracker(url: addresses.url(ofSender: $0.from), keys: checks) }
        }
        // A `send` has its file here, and beside a private Redis nobody else plans.
        if only == nil, !isAlone { configuration.sharing = .init(host: ProcessInfo.processInfo.hostName) }
        return PlannerRole(configuration, broker: broker, ledger: ledger, lock: { lock?.tryLock() ?? false }, logger: logger)
    }

    /// Runs services until `end` returns, a signal comes, or one of them fails.
    /// - Parameters:
    ///   - role: its name in the log.
    ///   - worker: the worker among them; a second signal ends its graceful stop early.
    func run(
        _ role: String, _ services: [any Service], until end: (any Service)? = nil, worker: Worker? = nil
    ) async throws {
        // A port that another process has ends this one in one line, before its roles have begun anything.
        for case let server as MetricsServer in services { try server.checkAddress() }
        logStart(role)
        var all = services.map {
            ServiceGroupConfiguration.ServiceConfiguration(service: $0, successTerminationBehavior: .ignore)
        }
        if let end {
            all.append(.init(service: end, successTerminationBehavior: .gracefullyShutdownGroup))
        }
        // At debug the group would log whole services.
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .info)
        var configuration = ServiceGroupConfiguration(
            services: all, logger: quiet)
        configuration.maximumGracefulShutdownDuration = settings.shutdown.grace
        let group = ServiceGroup(configuration: configuration)
        signals.begin(group, worker: worker)
        do {
            try await group.run()
        } catch {
            logger.error("\(role) ends: \(PlainError.of(error))", metadata: ["reason": "error"])
            throw error
        }
        let reason = signals.received ?? "done"
        logger.info("\(role) ends: \(reason)", metadata: ["reason": "\(reason)"])
        if worker?.hasLostResults == true { throw ExitCode(.lostResults) }
    }
}
