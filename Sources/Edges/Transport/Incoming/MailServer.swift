import Glibc
package import Logging
import Metrics
package import Model
package import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// Takes mail by SMTP and LMTP, on one address for both. What strangers send is bounded in connections, memory, size and time, and nothing
/// that they send ends it. A mail is answered only when the handler has said what became of it.
package struct MailServer: Service {
    package struct Bounds: Sendable {
        package var connections = 1000
        /// Bytes of a message that is taken.
        package var mostBytes = 50 << 20
        /// Bytes of its beginning that are kept.
        package var keptBytes = IncomingMail.headBytes
        /// Bytes that all connections together keep.
        package var memory = 24 << 20
        /// Milliseconds that a command may take to come (RFC 5321 section 4.5.3.2.7).
        package var commandTime: Int64 = 300_000
        /// Milliseconds that a text may take to come, beside one for each byte.
        package var dataTime: Int64 = 180_000
        /// How long messages that are coming may take to end after a signal to stop.
        package var stopTime = Duration.seconds(5)

        package init() {}
    }

    private let host: String
    private let port: Int
    private let group: any EventLoopGroup
    private let state: MailServerState
    private let logger: Logger
    private let onListening: @Sendable (Int) -> Void
    private let handler: @Sendable (IncomingMail) async -> MailVerdict

    /// - Parameters:
    ///   - hostname: what it calls itself.
    ///   - onListening: called once with the port that was bound.
    ///   - handler: keeps a mail; many are asked for at once.
    package init(
        host: String, port: Int, hostname: String, bounds: Bounds = Bounds(), group: any EventLoopGroup, clocks: Clocks = .system,
        logger: Logger, onListening: @escaping @Sendable (Int) -> Void = { _ in },
        handler: @escaping @Sendable (IncomingMail) async -> MailVerdict
    ) {
        (self.host, self.port, self.group, self.logger) = (host, port, group, logger)
        (self.onListening, self.handler) = (onListening, handler)
        state = MailServerState(hostname: hostname, bounds: bounds, clocks: clocks)
    }

    /// Serves until graceful shutdown or cancellation. Messages that are coming then may end, for `Bounds.stopTime`.
    /// - Throws: `MailServerError` when it cannot listen.
    package func run() async throws {
        let listener: any NIOCore.Channel
        do { listener = try await bind() } catch {
            let reason = (error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(error)"
            throw MailServerError(description: "cannot take mail on \(host):\(port): \(reason); set bounces.listen to another address")
        }
        let bound = listener.localAddress?.port ?? port
        logger.info("taking mail by SMTP and LMTP", metadata: ["address": "\(host):\(bound)"])
        onListening(bound)
        let wait = TimeAmount.nanoseconds(state.bounds.stopTime.nanoseconds)
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { tasks in
                for await job in state.jobs { tasks.addTask { [handler] in job.reply(await handler(job.mail)) } }
            }
        } onGracefulShutdown: { [state] in
            listener.close(promise: nil)
            state.stop()
            listener.eventLoop.scheduleTask(in: wait) { state.closeAll() }
        }
        listener.close(promise: nil)
        state.closeAll()
    }

    private func bind() async throws -> any NIOCore.Channel {
        try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: 2048, maximum: 16_384)
            )
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { [state] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(MailConnection(state))
                }
            }
            .bind(host: host, port: port)
            .get()
    }
}

/// A server of mail could not listen on its address.
package struct MailServerError: Error, Equatable, CustomStringConvertible {
    package let description: String
}
