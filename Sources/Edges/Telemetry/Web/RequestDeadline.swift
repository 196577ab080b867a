import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Bounds what a request may take once it has begun, so that one which is sent or read byte by byte holds no connection: it ends within
/// `timeout`, or its connection is closed. An answer before the end of its request closes the connection too, after a moment in which the
/// visitor can read it: what still comes is discarded. `ConnectionLimit` bounds the time up to the request.
final class RequestDeadline: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// Between an early answer and the end of its connection: one that ends with bytes unread is reset, and the answer is lost.
    private static let farewell = TimeAmount.seconds(1)

    private let timeout: TimeAmount
    /// Requests of which the answer has not been written.
    private var open = 0
    /// The last request's end has not come.
    private var isReading = false
    /// When the oldest of the open ones began, about.
    private var since: NIODeadline?
    private var isEnding = false
    private var check: Scheduled<Void>?

    init(_ timeout: TimeAmount) { self.timeout = timeout }

    func handlerAdded(context: ChannelHandlerContext) { look(context) }

    func handlerRemoved(context: ChannelHandlerContext) { stop() }

    func channelInactive(context: ChannelHandlerContext) {
        stop()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            if open == 0 { since = .now() }
            open += 1
            isReading = true
        case .body: break
        case .end:
            isReading = false
            if isEnding { return context.close(promise: nil) }
        }
        if !isEnding { context.fireChannelRead(data) }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let isEarly = isReading && open == 1
        switch unwrapOutboundIn(data) {
        case .head(var head) where isEarly:
            head.headerFields[.connection] = "close"
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .end:
            open = max(0, open - 1)
            since = open > 0 ? .now() : nil
            guard isEarly else { return context.write(data, promise: promise) }
            isEnding = true
            context.writeAndFlush(data, promise: promise)
            stop()
            check = context.eventLoop.assumeIsolated().scheduleTask(in: Self.farewell) { context.close(promise: nil) }
        default: context.write(data, promise: promise)
        }
    }

    /// Looks now and then, in place of a timer for each request.
    private func look(_ context: ChannelHandlerContext) {
        check = context.eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(timeout.nanoseconds / 4)) { [self] in
            if let since, NIODeadline.now() - since >= timeout { return context.close(promise: nil) }
            look(context)
        }
    }

    private func stop() {
        check?.cancel()
        check = nil
    }
}
