import Glibc
import Logging
import Metrics
import Model
import NIOCore
import NIOPosix
import Policy
import Synchronization

/// The connections to one provider: opens them as work demands, hands out jobs, and deals with failures.
final class SMTPPool: Sendable {
    typealias PoolState = SMTPPoolState<SMTPJob, SMTPConnection>
    typealias Next = PoolState.Next

    private struct State {
        var poolState: PoolState
        var closers: [CheckedContinuation<Void, Never>] = []
        var isGone = false
        var offers = SMTPOffers()
        var losses = RepeatedLine()
        var refusals = RepeatedLine()
        var greetings = RepeatedLine()
    }

    let provider: Provider
    let tls: SMTPTLS
    private let settings: SMTPDialogue.Settings
    private let group: any EventLoopGroup
    private let logger: Logger
    private let metrics: SMTPMetrics
    /// Workers that use the provider.
    private let fleet: @Sendable () -> Int
    private let state: Mutex<State>

    init(
        provider: Provider, hostname: String, responses: ResponseTable, group: any EventLoopGroup,
        fleet: @escaping @Sendable () -> Int, logger: Logger
    ) {
        self.fleet = fleet
        self.provider = provider
        self.group = group
        self.logger = logger
        tls = SMTPTLS(provider)
        metrics = SMTPMetrics(provider: provider.name)
        settings = SMTPDialogue.Settings(
            hostname: hostname, username: provider.username, password: provider.password, startTLS: provider.startTLS,
            isLoopback: false, responses: responses)
        state = Mutex(State(poolState: PoolState(limit: provider.connections, late: provider.lateConnections)))
    }

    /// Takes a job. The task that waits for it gets a response in every case.
    func add(_ job: SMTPJob) {
        change { poolState in
            // Checked under the lock: a stop that is set later finds the job in the queue.
            job.stop.isSet ? [.drop([job])] : poolState.add(job, now: .now())
        }
    }

    func putBack(_ job: SMTPJob) {
        change { $0.putBack(job, now: .now()) }
    }

    /// Finishes a job that has no connection yet, because its task was cancelled.
    func withdraw(_ stop: SMTPCancellation) {
        state.withLock { $0.poolState.withdraw { $0.stop === stop } }?.finish()
    }

    /// Ends all connections, those in use after their group.
    func close() async {
        await withCheckedContinuation { waiter in
            let isGone = state.withLock { state in
                if !state.isGone { state.closers.append(waiter) }
                return state.isGone
            }
            guard !isGone else { return waiter.resume() }
            change { $0.close() }
        }
    }

    /// Ends all connections in the middle of their work.
    func abort() {
        change { $0.abort() }
    }

    // MARK: - What connections tell

    func opened(_ id: Int, _ connection: SMTPConnection, offering capabilities: SMTPCapabilities) -> Next {
        let (next, actions, open) = state.withLock { state in
            state.offers.note(capabilities)
            let (next, actions) = state.poolState.opened(id, connection, now: .now())
            return (next, actions, state.poolState.open)
        }
        metrics.opened(open: open)
        logger.debug("SMTP connection opened", metadata: ["provider": "\(provider.name)", "open": "\(open)"])
        perform(actions)
        return next
    }

    /// Whether some connection may offer SMTPUTF8.
    var utf8: SMTPOffers.Elsewhere { state.withLock { $0.offers.utf8 } }

    /// - Parameter answered: messages that the server answered since the connection was given its job.
    func freed(_ id: Int, answered: Int) -> Next {
        let (next, actions) = state.withLock { $0.poolState.freed(id, answered: answered, now: .now()) }
        perform(actions)
        return next
    }

    /// A connection waits long for a response.
    /// - Returns: whether another may take its place.
    func park(_ id: Int) -> Bool {
        let (isParked, actions) = state.withLock { $0.poolState.park(id, now: .now()) }
        perform(actions)
        return isParked
    }

    func retire(_ id: Int) -> Bool { state.withLock { $0.poolState.retire(id) } }

    func failedToOpen(_ id: Int, _ failure: SMTPFailure) {
        metrics.failed()
        if failure.stage == .tls, tls.goesOnInClear(at: .now()) {
            logger.warning(
                """
                \(failure.error(of: provider)); sending in clear for \(SMTPTLS.clearTime.nanoseconds / 60_000_000_000) min, as \
                `starttls: opportunistic` allows; set it to `required` to forbid that, or to `never`
                """, metadata: ["provider": "\(provider.name)"])
            return change { $0.opensAgain(id, now: .now()) }
        }
        tell(failure.error(of: provider).description, .warning, \.refusals)
        change { $0.failedToOpen(id, failure, now: .now(), jitter: .random(in: 0...1), fleet: fleet()) }
    }

    /// A server took a connection and does not greet us.
    func reportLateGreeting(limit: Duration) {
        tell(
            """
            provider '\(provider.name)' at \(provider.host):\(provider.port) has taken a connection and not greeted us for \
            \(provider.connectTimeout.seconds) s; waiting up to \(limit.seconds) s (RFC 5321)
            """, .warning, \.greetings)
    }

    /// A connection without a job is gone.
    func lost(_ id: Int, isAnswered: Bool) {
        change { $0.lost(id, leftover: nil, outcome: isAnswered ? .answered : .quiet, now: .now(), jitter: 0) }
        metrics.closed(open: state.withLock { $0.poolState.open })
    }

    /// A connection failed with a job on it.
    func lost(_ id: Int, _ job: SMTPJob, _ failure: SMTPFailure, wasUseful: Bool) {
        var job = job
        let goesOn = job.goesOn(after: failure, wasUseful: wasUseful)
        var isAnswered = false
        if case .deliver(let run, _) = job.work { isAnswered = run.isAnswered }
        // How fast messages go to a server that asks to slow down is the limits' matter, not the connections'.
        let isFailure = !isAnswered && !wasUseful && !failure.offersTooLittle
        if !failure.offersTooLittle { metrics.failed() }
        tell("SMTP connection \(failure.offersTooLittle ? "left" : "lost"): \(failure.error(of: provider))", .info, \.losses)
        if !goesOn { job.giveUp(failure, of: provider, isStarted: true) }
        change { poolState in
            poolState.lost(
                id, leftover: goesOn ? job : nil,
                outcome: isAnswered ? .answered : !isFailure ? .quiet : failure.action == .slowDown ? .throttled : .failed,
                now: .now(), jitter: .random(in: 0...1), fleet: fleet())
        }
        metrics.closed(open: state.withLock { $0.poolState.open })
    }

    /// A connection was cut with a job on it: its owner gets what is known, and nothing continues on another connection.
    func cut(_ id: Int, _ job: SMTPJob) {
        job.finish()
        lost(id, isAnswered: false)
    }

    /// What may happen to many connections in a moment: a line now and then is enough.
    private func tell(_ text: String, _ level: Logger.Level, _ line: any WritableKeyPath<State, RepeatedLine> & Sendable) {
        let count = state.withLock { $0[keyPath: line].add(at: Clock.monotonic()) }
        logger.log(
            level: count == nil ? .debug : level, "\(text)\(RepeatedLine.text(count ?? 1))", metadata: ["provider": "\(provider.name)"])
    }

    // MARK: - What the state of the pool asks for

    private func change(_ body: (inout PoolState) -> [PoolState.Action]) {
        perform(state.withLock { body(&$0.poolState) })
    }

    private func perform(_ actions: [PoolState.Action]) {
        for action in actions {
            switch action {
            case .give(let job, let connection): connection.give(job)
            case .open(let id): open(id)
            case .refuse(let jobs, let failure):
                for job in jobs { job.giveUp(failure, of: provider, isStarted: false) }
            case .drop(let jobs):
                for job in jobs { job.finish() }
            case .wake(let time):
                group.any().scheduleTask(deadline: time) { self.change { $0.woken(now: .now()) } }
            case .quit(let connection): connection.quit()
            case .cut(let connection): connection.cut()
            case .gone:
                let closers = state.withLock { state in
                    state.isGone = true
                    defer { state.closers = [] }
                    return state.closers
                }
                for closer in closers { closer.resume() }
            }
        }
    }

    /// Milliseconds that a server may leave what it was sent unacknowledged: as long as RFC 5321 section 4.5.3.2.5 gives a block of text.
    private static let unacknowledged = 180_000

    /// After a handshake that failed, new connections may do without TLS.
    private var settingsNow: SMTPDialogue.Settings {
        var settings = settings
        settings.startTLS = tls.policy(at: .now())
        return settings
    }

    /// Connects; `opened` or `failedToOpen` follows.
    private func open(_ id: Int) {
        let settings = settingsNow
        let loop = group.next()
        // A server that closes at once takes its handler out of the pipeline before anybody could ask for it there.
        let handlers = NIOLoopBoundBox.makeEmptyBox(
            valueType: [ObjectIdentifier: SMTPConnectionHandler].self, eventLoop: loop)
        ClientBootstrap(group: loop)
            .connectTimeout(.time(provider.connectTimeout))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            // A server may take minutes for a response; one that is gone is noticed by its silence on the way.
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelOption(.tcpOption(.init(rawValue: TCP_KEEPIDLE)), value: 30)
            .channelOption(.tcpOption(.init(rawValue: TCP_KEEPINTVL)), value: 10)
            .channelOption(.tcpOption(.init(rawValue: TCP_USER_TIMEOUT)), value: Self.unacknowledged)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 4096))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if self.tls.isImplicit { try channel.pipeline.syncOperations.addHandler(self.tls.handler(isLoopback: false)) }
                    let handler = SMTPConnectionHandler(id: id, pool: self, settings: settings)
                    handlers.value = (handlers.value ?? [:]).merging([ObjectIdentifier(channel): handler]) { $1 }
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .connect(host: provider.host, port: provider.port)
            .whenComplete { result in
                do {
                    let channel = try result.get()
                    handlers.value?[ObjectIdentifier(channel)]?.adopt()
                    handlers.value = nil
                } catch {
                    self.failedToOpen(id, SMTPFailure(connecting: error, within: self.provider.connectTimeout))
                }
            }
    }
}
