import Logging
import Model
import NIOPosix
import Policy
import Synchronization
import TestServers
import Testing

@testable import Broker
@testable import Delivery

/// The shells that deliver a batch, on a real Redis, between clocks that a test moves and a provider whose responses it writes.
struct ScriptedWorker {
    /// The lease as the worker goes by it: a tenth shorter than Redis's.
    static let lease = Duration.seconds(225)
    static let token = FencingToken(ledger: "ledger", number: 1)

    let manual: ManualClocks
    let broker: Broker
    let worker: WorkerContext
    let transport: ScriptedTransport
    let mailing: PreparedMailing
    let epoch: Epoch
    private let lane = Lane(channel: .email, provider: "p")
    private var id: MailingID { mailing.id }

    /// - Parameters:
    ///   - change: of the mailing.
    ///   - connections: groups that are in flight at once.
    ///   - script: as a `ScriptedTransport`'s.
    init(
        _ broker: Broker, _ manual: ManualClocks = ManualClocks(), name: String = "a", connections: Int = 1,
        _ change: (inout Mailing) -> Void = { _ in },
        script: @escaping @Sendable (_ recipient: String, _ start: Int) -> ScriptedTransport.Outcome
    ) async throws {
        self.broker = broker
        self.manual = manual
        let clocks = manual.clocks
        var configuration = WorkerConfiguration(id: name, hostname: "localhost")
        configuration.lease = .seconds(250)
        configuration.concurrency = connections
        // Retries are due so soon that they stay in the worker.
        configuration.retries = RetrySchedule(base: 1, cap: 1)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        worker = WorkerContext(configuration: configuration, broker: broker, clocks: clocks, logger: logger)
        transport = ScriptedTransport(clocks, script)
        var definition = Mailing(name: "m", channel: .email, provider: "p")
        definition.from = "a@example.com"
        definition.subject = .init(source: "s")
        definition.text = .init(source: "t")
        change(&definition)
        var generator = SystemRandomNumberGenerator()
        let id = MailingID(milliseconds: Clock.milliseconds(), using: &generator)
        let provider = Provider(name: "p", scheme: .smtp, host: "127.0.0.1", port: 9).with { $0.connections = connections }
        let link = ProviderLink(provider, worker: worker, transport: transport)
        mailing = try PreparedMailing(
            id: id, mailing: definition, speed: "",
            PreparedMailing.Setting(
                link: link, capabilities: try await link.prepare(), alias: nil, messages: .init(), limits: worker.limits
            ) { [worker] domain in
                ReservationPool(
                    domain: domain, throttle: Throttle(broker), time: worker.time, meters: ThrottleMeters(), changes: worker.changes)
            })
        let epochs = EpochStore(broker)
        let found = try await epochs.hold(Self.token, time: .seconds(250))
        if let known = found.epoch {
            epoch = known
        } else {
            epoch = try #require(try await epochs.establish(after: found, fencingToken: Self.token))
        }
        try await PublishedMailings(broker).publish(
            [.init(id: id, definition: definition, state: .sending, speed: "")], fencingToken: Self.token)
        try await renew()
        try await WorkerRegistry(broker).admit([name])
    }

    /// - Returns: a broker for a Redis that several workers may use one after another.
    static func broker(_ server: RedisServer) -> Broker {
        Broker(
            endpoint: RedisEndpoint(place: .unix(path: server.socket)), prefix: "test", partitions: 2, name: "test",
            group: .singletonMultiThreadedEventLoopGroup, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// Renews the lease, which the transport learns of.
    func renew() async throws {
        // Before the renewal: what may start by it is not found to be wrong.
        transport.leaseEnd.withLock { $0 = manual.clocks.now + Self.lease }
        try await worker.lease.renew()
    }

    /// A batch that this worker has taken, ready to be delivered.
    /// - Parameter lifetime: how long its messages may be sent, by the clocks of the test.
    func batch(_ count: Int, number: Int = 0, lifetime: Duration = .seconds(86_400)) async throws -> BatchDelivery {
        var recipients = Recipients(width: 2)
        for index in 0..<count { recipients.append(row: ["\(index)", Self.address(index)]) }
        let now = manual.clocks.milliseconds
        let dispatched = DispatchedBatch(
            id: BatchID(mailing: id, number: number), dispatchNumber: 1, recipients: recipients.encoded(), count: count, open: nil,
            expires: now + lifetime.milliseconds, dispatched: now)
        #expect(try await worker.queue.dispatch([(dispatched, lane)], epoch: epoch, fencingToken: Self.token) == 1)
        let taken = try await worker.queue.take([.init(lane: lane, count: 1)], worker: worker.configuration.id)
        let lease = try #require(taken.first?.leases.first)
        let batch = InFlightBatch(lease, buffer: ResultBuffer(lease: lease, worker: worker))
        worker.inFlight.insert(batch)
        let share = try #require(worker.prefetch.taken(lane, [lease], waiting: nil).first)
        return BatchDelivery(
            batch: batch, mailing: mailing, recipients: recipients, open: Takeover.whole(lease.batch), worker: worker, share: share)
    }

    static func address(_ index: Int) -> String { "p\(index)@example.com" }

    /// Works a batch off: whenever somebody sleeps, so much time passes. Late responses come as soon as there is nothing else to do.
    /// - Parameter meanwhile: called again and again.
    func deliver(_ delivery: BatchDelivery, meanwhile: () async throws -> Void = {}) async throws {
        let end = End()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await delivery.run()
                end.hasCome.store(true, ordering: .relaxed)
            }
            try await eventually("the batch is closed") {
                try await meanwhile()
                if let next = manual.next { manual.pass(max(next, .milliseconds(1))) } else { transport.resolveLate() }
                return end.hasCome.load(ordering: .relaxed)
            }
            try await group.waitForAll()
        }
        worker.inFlight.remove(delivery.batch)
    }

    private final class End: Sendable { let hasCome = Atomic<Bool>(false) }

    /// What was reported, since this was last asked.
    func groups() async throws -> [ResultGroup] {
        let entries = try await worker.status.read(consumer: "c", count: 10_000, block: nil)
        try await worker.status.confirm(entries)
        return entries.compactMap { if case .results(let group) = $0.payload, group.batch.mailing == id { group } else { nil } }
    }

    /// Closes its connections.
    func end() async { await worker.status.close() }
}

extension RecipientResult {
    /// It settles its recipient: it is no mere entry of the list of the uncertain.
    var settles: Bool { state != .uncertain || due == 0 }
}
