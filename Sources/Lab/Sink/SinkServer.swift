package import Logging
import Model
import NIOCore
import NIOPosix
import NIOSSL
import ServiceLifecycle

/// A provider to send to: takes e-mail by SMTP and messages by HTTP, records what came, and fails as it is told.
package struct SinkServer: Service {
    private let configuration: SinkConfiguration
    private let logger: Logger
    private let onListening: @Sendable (RunningSink) -> Void

    /// - Parameter onListening: called by `run` once every address is bound.
    package init(
        configuration: SinkConfiguration, logger: Logger,
        onListening: @escaping @Sendable (RunningSink) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.logger = logger
        self.onListening = onListening
    }

    /// Serves until a graceful shutdown or cancellation.
    /// - Throws: `SinkError` when it cannot start.
    package func run() async throws {
        let sink = try await Self.start(configuration: configuration, logger: logger)
        onListening(sink)
        try? await gracefulShutdown()
        await sink.stop()
    }

    /// Binds every address and serves until `stop()`, which has to be called.
    /// - Throws: `SinkError` when an address, the record file or the certificate cannot be used.
    package static func start(
        configuration: SinkConfiguration, logger: Logger = Logger(label: "sink")
    ) async throws -> RunningSink {
        guard !configuration.listeners.isEmpty else {
            throw SinkError("no address to listen on: give at least one of --smtp, --smtps, --http and --https")
        }
        if configuration.certificate == nil,
            let listener = configuration.listeners.first(where: { $0.scheme == .smtps || $0.scheme == .https })
        {
            throw SinkError("\(listener) needs a certificate and its key")
        }
        let shared = try SinkContext(configuration, logger: logger, firstID: UInt64(SinkContext.now()))
        let group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, configuration.threads))
        let sink = RunningSink(shared: shared, group: group)
        for listener in configuration.listeners {
            do {
                sink.add(try await bind(listener, shared: shared, sink: sink, group: group), for: listener)
            } catch {
                await sink.stop()
                throw SinkError(
                    "cannot listen on \(listener): \((error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(error)"); "
                        + "name another address and port, or port 0 for a free one")
            }
        }
        sink.startFlushing()
        return sink
    }

    private static func bind(
        _ listener: SinkListener, shared: SinkContext, sink: RunningSink, group: MultiThreadedEventLoopGroup
    ) async throws -> any NIOCore.Channel {
        let scheme = listener.scheme
        return try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            // One read in each turn: a second one would almost always find nothing.
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 1 << 16))
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { [weak sink] channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let sink, sink.register(channel) else { throw ChannelError.ioOnClosedChannel }
                    let pipeline = channel.pipeline.syncOperations
                    let isSecure = scheme == .smtps || scheme == .https
                    if isSecure, let tls = shared.tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls)) }
                    switch scheme {
                    case .smtp, .smtps:
                        try pipeline.addHandler(SinkHandler<SMTPSession>(shared: shared, isSecure: isSecure))
                    case .http, .https:
                        try pipeline.addHandler(HTTPSession.decoder())
                        try pipeline.addHandler(SinkHandler<HTTPSession>(shared: shared, isSecure: isSecure))
                    }
                }
            }
            .bind(host: listener.host, port: listener.port)
            .get()
    }
}
