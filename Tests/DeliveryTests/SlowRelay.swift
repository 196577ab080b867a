import NIOCore
import NIOPosix
import TestServers

/// A relay on a TCP port to a server on a unix socket, which passes everything on a while later, each way.
final class SlowRelay: Sendable {
    let port: Int
    private let listener: any Channel

    init(to socket: String, delay: TimeAmount) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        listener = try await ServerBootstrap(group: group)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { incoming in
                // Both ends on one loop, so that what comes is passed on in its order.
                ClientBootstrap(group: incoming.eventLoop).channelOption(.autoRead, value: false)
                    .connect(unixDomainSocketPath: socket)
                    .flatMap { outgoing in
                        incoming.eventLoop.makeCompletedFuture {
                            try incoming.pipeline.syncOperations.addHandler(Forwarder(to: outgoing, delay: delay))
                            try outgoing.pipeline.syncOperations.addHandler(Forwarder(to: incoming, delay: delay))
                        }
                        .flatMap { incoming.setOption(.autoRead, value: true) }
                        .flatMap { outgoing.setOption(.autoRead, value: true) }
                    }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = listener.localAddress?.port ?? 0
    }

    func close() async throws { try await listener.close() }

    private final class Forwarder: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let peer: any Channel
        private let delay: TimeAmount

        init(to peer: any Channel, delay: TimeAmount) {
            self.peer = peer
            self.delay = delay
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let (peer, buffer) = (peer, unwrapInboundIn(data))
            context.eventLoop.scheduleTask(in: delay) { peer.writeAndFlush(buffer, promise: nil) }
        }

        func channelInactive(context: ChannelHandlerContext) { peer.close(promise: nil) }
    }
}
