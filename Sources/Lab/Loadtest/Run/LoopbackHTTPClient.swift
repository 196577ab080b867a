import NIOCore
import NIOPosix

/// Gets pages of loopback: one request, one connection.
struct LoopbackHTTPClient {
    private let group: any EventLoopGroup
    /// Bytes of a page at most.
    private static let largest = 8 << 20

    init(group: any EventLoopGroup) { self.group = group }

    /// The body of a page that is answered with 200; nil where there is none in time.
    func get(_ path: String, port: Int, within time: TimeAmount = .milliseconds(800)) async -> String? {
        let loop = group.next()
        let promise = loop.makePromise(of: String?.self)
        let request = "GET \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
        let connecting = ClientBootstrap(group: loop)
            .connectTimeout(time)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        PageHandler(request: request, promise: promise, largest: Self.largest))
                }
            }
            .connect(host: "127.0.0.1", port: port)
        connecting.whenFailure { _ in promise.succeed(nil) }
        loop.scheduleTask(in: time) {
            promise.succeed(nil)
            connecting.whenSuccess { $0.close(promise: nil) }
        }
        return try? await promise.futureResult.get()
    }
}

/// Sends the request and gathers the response until the server closes.
private final class PageHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let request: String
    private let promise: EventLoopPromise<String?>
    private let largest: Int
    private var response = ByteBuffer()

    init(request: String, promise: EventLoopPromise<String?>, largest: Int) {
        self.request = request
        self.promise = promise
        self.largest = largest
    }

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: request)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        response.writeBuffer(&bytes)
        guard response.readableBytes <= largest else { return context.close(promise: nil) }
        if let body = body(isWhole: false) { finish(context, body) }
    }

    func channelInactive(context: ChannelHandlerContext) { finish(context, body(isWhole: true)) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { finish(context, nil) }

    private func finish(_ context: ChannelHandlerContext, _ body: String?) {
        promise.succeed(body)
        context.close(promise: nil)
    }

    /// Nil unless the response is a 200 and complete: by its length, or by the end of the connection.
    private func body(isWhole: Bool) -> String? {
        let text = String(buffer: response)
        guard text.hasPrefix("HTTP/1.1 200"), let end = text.range(ofHeadEnd: ()) else { return nil }
        let head = text[..<end].lowercased()
        let length = head.split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
            .flatMap { Int($0.dropFirst(15).filter { !$0.isWhitespace }) }
        let body = text[end...].dropFirst()
        guard let length else { return isWhole ? String(body) : nil }
        return body.utf8.count >= length ? String(body) : nil
    }
}

extension String {
    /// Where the empty line behind the head stands; in Swift CR LF is one character, and the empty line two of them.
    fileprivate func range(ofHeadEnd _: Void) -> Index? {
        var index = startIndex
        while let found = self[index...].firstIndex(of: "\r\n") {
            let after = self.index(after: found)
            if after < endIndex, self[after] == "\r\n" { return after }
            index = after
        }
        return nil
    }
}
