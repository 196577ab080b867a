import NIOCore
import NIOPosix
import Synchronization
import TestServers

/// An SMTP server that completes connections, and greets nobody before it is opened. It takes whatever it is told then.
final class GatedServer: Sendable {
    let port: Int
    private let listener: any Channel
    private let gate: EventLoopPromise<Void>

    init() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let gate = group.next().makePromise(of: Void.self)
        self.gate = gate
        listener = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Greeter(gate.futureResult))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = listener.localAddress?.port ?? 0
    }

    func open() { gate.succeed() }

    func close() async throws {
        gate.succeed()
        try await listener.close()
    }

    private final class Greeter: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let opened: EventLoopFuture<Void>

        init(_ opened: EventLoopFuture<Void>) { self.opened = opened }

        func channelActive(context: ChannelHandlerContext) {
            let channel = context.channel
            opened.whenSuccess { channel.writeAndFlush(ByteBuffer(string: "220 localhost\r\n"), promise: nil) }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let lines = unwrapInboundIn(data).readableBytesView.count { $0 == 10 }
            for _ in 0..<lines { context.channel.writeAndFlush(ByteBuffer(string: "250 localhost\r\n"), promise: nil) }
        }
    }
}
