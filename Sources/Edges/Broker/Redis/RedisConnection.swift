import DequeModule
import Model
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import Text

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// One connection to Redis: commands of concurrent callers go out together, replies come back in their order.
final class RedisConnection: Sendable {
    /// A caller that waits for the replies to one or more commands.
    struct Call {
        var commands: [UInt8]
        var count: Int
        /// The time after which the connection is taken for dead.
        var timeout: Duration
        var continuation: UnsafeContinuation<[RESPValue], any Error>
    }

    private struct Outbox {
        var calls: [Call] = []
        var isScheduled = false
        var closedBy: RedisError?
        var serverRun = ""
    }

    let channel: any NIOCore.Channel
    private let outbox = Mutex(Outbox())

    fileprivate init(channel: any NIOCore.Channel) { self.channel = channel }

    /// Sends commands in one piece and waits for all their replies.
    func call(_ commands: [UInt8], count: Int, timeout: Duration) async throws(RedisError) -> [RESPValue] {
        do {
            return try await withUnsafeThrowingContinuation { continuation in
                let call = Call(commands: commands, count: count, timeout: timeout, continuation: continuation)
                let (mustSchedule, error) = outbox.withLock { outbox -> (Bool, RedisError?) in
                    if let error = outbox.closedBy { return (false, error) }
                    outbox.calls.append(call)
                    defer { outbox.isScheduled = true }
                    return (!outbox.isScheduled, nil)
                }
                if let error { return continuation.resume(throwing: error) }
                if mustSchedule { channel.eventLoop.execute { self.channel.pipeline.fireUserInboundEventTriggered(Flush()) } }
            }
        } catch {
            throw error as? RedisError ?? .unexpected("\(error)")
        }
    }

    /// The run id of the server, which differs after each of its starts, so that older work is recognised.
    var serverRun: String { outbox.withLock { $0.serverRun } }

    /// It takes no more calls.
    var isClosed: Bool { outbox.withLock { $0.closedBy != nil } }

    /// Accepts no more calls; waiting callers still get their replies.
    fileprivate func retire(_ error: RedisError) {
        outbox.withLock { $0.closedBy = $0.closedBy ?? error }
    }

    func close() async {
        _ = try? await channel.close().get()
    }

    fileprivate struct Flush: Sendable {}

    fileprivate func takeOutbox() -> [Call] {
        outbox.withLock { outbox in
            outbox.isScheduled = false
            defer { outbox.calls.removeAll(keepingCapacity: true) }
            return outbox.calls
        }
    }

    fileprivate func closeOutbox(_ error: RedisError) -> [Call] {
        outbox.withLock { outbox in
            outbox.closedBy = outbox.closedBy ?? error
            defer { outbox.calls = [] }
            return outbox.calls
        }
    }

    /// Connects, does TLS, and enters (AUTH, SELECT).
    static func open(
        _ endpoint: RedisEndpoint, name: String, on group: any EventLoopGroup,
        onClose: @escaping @Sendable (RedisConnection, RedisError) -> Void
    ) async throws(RedisError) -> RedisConnection {
        let address = "\(endpoint)"
        let connection: RedisConnection
        do {
            let tls = try endpoint.tls ? tlsContext(endpoint) : nil
            let host: String? = if case .tcp(let host, _) = endpoint.place { host } else { nil }
            let bootstrap = ClientBootstrap(group: group)
                .connectTimeout(.nanoseconds(endpoint.timeout.nanoseconds))
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        if let tls {
                            let name = host.flatMap { isAddress($0) ? nil : $0 }
                            try channel.pipeline.syncOperations.addHandler(
                                NIOSSLClientHandler(context: tls, serverHostname: name))
                        }
                        try channel.pipeline.syncOperations.addHandler(
                            RedisHandler(
                                connection: RedisConnection(channel: channel), endpoint: address, onClose: onClose))
                    }
                }
            let channel =
                switch endpoint.place {
                case .tcp(let host, let port): try await bootstrap.connect(host: host, port: port).get()
                case .unix(let path): try await bootstrap.connect(unixDomainSocketPath: path).get()
                }
            connection = try await channel.eventLoop.submit {
                try channel.pipeline.syncOperations.handler(type: RedisHandler.self).connection
            }.get()
        } catch {
            throw .unavailable(endpoint: address, why: plainText(error))
        }
        try await connection.enter(endpoint, name: name)
        return connection
    }

    private func enter(_ endpoint: RedisEndpoint, name: String) async throws(RedisError) {
        var commands: [[RedisArgument]] = []
        if let password = endpoint.password {
            commands.append(["AUTH"] + (endpoint.username.map { [.text($0)] } ?? []) + [.text(password.exposed)])
        }
        if endpoint.database != 0 { commands.append(["SELECT", RedisArgument(endpoint.database)]) }
        commands.append(["CLIENT", "SETNAME", .text(name)])
        commands.append(["INFO", "replication"])
        commands.append(["INFO", "server"])
        let replies = try await call(
            RedisEncoder.encode(commands), count: commands.count, timeout: endpoint.timeout)
        for case .error(let text) in replies {
            await close()
            if RedisError.command(text).isPassing {
                throw .unavailable(endpoint: "\(endpoint)", why: text)
            }
            throw .refused(endpoint: "\(endpoint)", why: text)
        }
        guard RedisServerInfo(replies[replies.count - 2].text ?? "").role != "slave" else {
            await close()
            throw .unavailable(endpoint: "\(endpoint)", why: "it is a replica now, which takes no writes")
        }
        let info = RedisServerInfo(replies.last?.text ?? "")
        if let found = info.version, found < .oldestRedis {
            await close()
            throw .outdated(endpoint: "\(endpoint)", found: "\(found)")
        }
        guard let run = info.run else {
            await close()
            throw .refused(endpoint: "\(endpoint)", why: "its INFO server has no run_id, by which a restart is noticed")
        }
        outbox.withLock { $0.serverRun = run }
    }

    private static func tlsContext(_ endpoint: RedisEndpoint) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        // RFC 8996 forbids what is older.
        configuration.minimumTLSVersion = .tlsv12
        if let file = endpoint.caFile { configuration.trustRoots = .file(file) }
        return try NIOSSLContext(configuration: configuration)
    }

    /// What happened, in the system's words and without the names of types.
    fileprivate static func plainText(_ error: any Error) -> String {
        switch error {
        // The handler has gone with the connection.
        case ChannelPipelineError.notFound: "it closed the connection"
        case let error as NIOConnectionError:
            // With no attempt made, the name has no address.
            error.connectionErrors.first.map { plainText($0.error) } ?? "the host's name is not known"
        case let error as IOError: String(cString: strerror(error.errnoCode))
        default: "\(error)"
        }
    }

    /// A literal address cannot be a TLS server name (RFC 6066 section 3).
    private static func isAddress(_ host: String) -> Bool { (try? SocketAddress(ipAddress: host, port: 0)) != nil }
}

/// The shell around hiredis: writes calls, hands replies to callers, notices silence.
private final class RedisHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private struct Pending {
        var continuation: UnsafeContinuation<[RESPValue], any Error>
        var replies: [RESPValue]
        var missing: Int
        var deadline: NIODeadline
    }

    let connection: RedisConnection
    private let endpoint: String
    private let onClose: @Sendable (RedisConnection, RedisError) -> Void
    private let decoder = RedisDecoder()
    private var pending = Deque<Pending>()
    private var timer: Scheduled<Void>?
    private var failure: RedisError?

    init(
        connection: RedisConnection, endpoint: String, onClose: @escaping @Sendable (RedisConnection, RedisError) -> Void
    ) {
        self.connection = connection
        self.endpoint = endpoint
        self.onClose = onClose
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is RedisConnection.Flush else { return context.fireUserInboundEventTriggered(event) }
        let calls = connection.takeOutbox()
        guard !calls.isEmpty else { return }
        var buffer = context.channel.allocator.buffer(capacity: calls.reduce(0) { $0 + $1.commands.count })
        let now = NIODeadline.now()
        for call in calls {
            buffer.writeBytes(call.commands)
            pending.append(
                Pending(
                    continuation: call.continuation, replies: [], missing: call.count,
                    deadline: now + .nanoseconds(call.timeout.nanoseconds)))
        }
        context.writeAndFlush(NIOAny(buffer), promise: nil)
        if timer == nil { setTimer(context) }
    }

    /// Looks once at the oldest call's deadline, not at each: a connection gives its replies in order.
    private func setTimer(_ context: ChannelHandlerContext) {
        guard let deadline = pending.first?.deadline else {
            timer = nil
            return
        }
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [self] in
            if let oldest = pending.first, oldest.deadline <= .now() {
                fail(context, .lost(endpoint: endpoint, why: "no reply in time"))
            } else {
                setTimer(context)
            }
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        guard buffer.withUnsafeReadableBytes({ decoder.feed($0) }) else {
            return fail(context, .lost(endpoint: endpoint, why: "out of memory for its reply"))
        }
        do throws(RedisError) {
            while let reply = try decoder.next() { take(reply, context) }
        } catch {
            fail(context, error)
        }
    }

    private func take(_ reply: RESPValue, _ context: ChannelHandlerContext) {
        guard !pending.isEmpty else { return }
        if case .error(let text) = reply, failure == nil, UnfitServer.speaks(in: text) {
            let error = RedisError.lost(endpoint: endpoint, why: text)
            failure = error
            connection.retire(error)
            onClose(connection, error)
        }
        pending[pending.startIndex].replies.append(reply)
        pending[pending.startIndex].missing -= 1
        if pending[pending.startIndex].missing == 0 {
            let call = pending.removeFirst()
            call.continuation.resume(returning: call.replies)
        }
        if failure != nil, pending.isEmpty { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(context, .lost(endpoint: endpoint, why: RedisConnection.plainText(error)))
    }

    private func fail(_ context: ChannelHandlerContext, _ error: RedisError) {
        failure = failure ?? error
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        let error = failure ?? .lost(endpoint: endpoint, why: "it closed the connection")
        // A retired connection has reported its end already.
        if !connection.isClosed { onClose(connection, error) }
        let unsent = connection.closeOutbox(error)
        for call in pending { call.continuation.resume(throwing: error) }
        for call in unsent {
            call.continuation.resume(throwing: RedisError.unavailable(endpoint: endpoint, why: "it closed the connection"))
        }
        pending = []
        context.fireChannelInactive()
    }
}
