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
        var losses = SMTPConnectionLossLog()
    }

    let provider: Provider
    let tls: SMTPTLS
    private let settings: SMTPDialogue.Settings
    private let group: any EventLoopGroup
    private let logger: Logger
    private let metrics: SMTPMetrics
    private let state: Mutex<State>

    init(
        provider: Provider, hostname: String, responses: ResponseTable, group: any EventLoopGroup, logger: Logger
    ) {
        self.provider = provider
        self.group = group
        self.logger = logger
        tls = SMTPTLS(provider)
        metrics = SMTPMetrics(provider: provider.name)
        let isLoopback = provider.host == "localhost" || provider.host == "::1" || provider.host.hasPrefix("127.")
        settings = SMTPDialogue.Settings(
            hostname: hostname, username: provider.username, password: provider.password, startTLS: provider.startTLS,
            isLoopback: isLoopback, responses: responses)
        state = Mutex(State(poolState: PoolState(limit: provider.connections)))
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

    func opened(_ id: Int, _ connection: SMTPConnection) -> Next {
        let (next, open) = state.withLock { ($0.poolState.opened(id, connection), $0.poolState.open) }
        metrics.opened(open: open)
        logger.debug("SMTP connection opened", metadata: ["provider": "\(provider.name)", "open": "\(open)"])
        return next
    }

    func freed(_ id: Int, isFruitful: Bool) -> Next {
        let (next, actions) = state.withLock { $0.poolState.freed(id, isFruitful: isFruitful, now: .now()) }
        perform(actions)
        return next
    }

    func retire(_ id: Int) -> Bool { state.withLock { $0.poolState.retire(id) } }

    func failedToOpen(_ id: Int, _ failure: SMTPFailure) {
        metrics.failed()
        logger.warning("\(failure.error(of: provider))", metadata: ["provider": "\(provider.name)"])
        change { $0.failedToOpen(id, failure, now: .now(), jitter: .random(in: 0...1)) }
    }

    /// A connection without a job is gone.
    func lost(_ id: Int, isFruitful: Bool) {
        change { $0.lost(id, leftover: nil, outcome: isFruitful ? .fruitful : .quiet, now: .now(), jitter: 0) }
        metrics.closed(open: state.withLock { $0.poolState.open })
    }

    /// A connection failed with a job on it.
    func lost(_ id: Int, _ job: SMTPJob, _ failure: SMTPFailure, wasUseful: Bool) {
        var job = job
        let goesOn = job.goesOn(after: failure, wasUseful: wasUseful)
        var isFruitful = false
        if case .deliver(let run, _) = job.work { isFruitful = run.isFruitful }
        // How fast messages go to a server that asks to slow down is the limits' matter, not the connections'.
        let isFailure = !isFruitful && !wasUseful && failure.kind != .throttled
        metrics.failed()
        tell(failure)
        if !goesOn { job.giveUp(failure, of: provider, isBegun: true) }
        change { poolState in
            poolState.lost(
                id, leftover: goesOn ? job : nil, outcome: isFruitful ? .fruitful : isFailure ? .failed : .quiet,
                now: .now(), jitter: .random(in: 0...1))
        }
        metrics.closed(open: state.withLock { $0.poolState.open })
    }

    /// A connection was cut with a job on it: its owner gets what is known, and nothing goes on elsewhere.
    func cut(_ id: Int, _ job: SMTPJob) {
        job.finish()
        lost(id, isFruitful: false)
    }

    /// Many connections may be lost in a moment, and each job goes on: of that a line now and then is enough.
    private func tell(_ failure: SMTPFailure) {
        let count = state.withLock { $0.losses.add(at: .now()) }
        logger.log(
            level: count == nil ? .debug : .info,
            "\(SMTPConnectionLossLog.text(count ?? 1)): \(failure.error(of: provider))",
            metadata: ["provider": "\(provider.name)"])
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
                for job in jobs { job.giveUp(failure, of: provider, isBegun: false) }
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

    /// Connects; `opened` or `failedToOpen` follows.
    private func open(_ id: Int) {
        let backoff = TimeAmount.time(provider.connectTimeout)
        let deadline = NIODeadline.now() + backoff
        let loop = group.next()
        // A server that closes at once takes its handler out of the pipeline before anybody could ask for it there.
        let handlers = NIOLoopBoundBox.makeEmptyBox(
            valueType: [ObjectIdentifier: SMTPConnectionHandler].self, eventLoop: loop)
        ClientBootstrap(group: loop)
            .connectTimeout(backoff)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 4096))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if self.tls.isImplicit { try channel.pipeline.syncOperations.addHandler(self.tls.handler()) }
                    let handler = SMTPConnectionHandler(id: id, pool: self, settings: self.settings)
                    handlers.value = (handlers.value ?? [:]).merging([ObjectIdentifier(channel): handler]) { $1 }
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .connect(host: provider.host, port: provider.port)
            .whenComplete { result in
                do {
                    let channel = try result.get()
                    handlers.value?[ObjectIdentifier(channel)]?.adopt(until: deadline)
                    handlers.value = nil
                } catch {
                    self.failedToOpen(id, SMTPFailure(connecting: error, within: self.provider.connectTimeout))
                }
            }
    }
}
