import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Answers `Expect: 100-continue` (RFC 9110 section 10.1.1): a visitor who waits for that before the body would give up. A body that is
/// too long is not asked for, as its answer comes at once. Other expectations are passed over, as a server may do.
final class ContinueReply: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let configuration: WebServer.Configuration
    /// Requests of which the answer has not been written.
    private var open = 0
    /// The last request waits for the reply, and the answers before it come first.
    private var isOwed = false

    init(_ configuration: WebServer.Configuration) { self.configuration = configuration }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            open += 1
            isOwed = isAwaited(by: head, from: context.remoteAddress)
        // Who sends the body does not wait any more.
        case .body, .end: isOwed = false
        }
        reply(context)
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        context.write(data, promise: promise)
        guard case .end = unwrapOutboundIn(data) else { return }
        open = max(0, open - 1)
        reply(context)
    }

    private func reply(_ context: ChannelHandlerContext) {
        guard isOwed, open == 1 else { return }
        isOwed = false
        context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
    }

    private func isAwaited(by head: HTTPRequest, from address: SocketAddress?) -> Bool {
        guard head.method == .post, let expected = head.headerFields[.expect] else { return false }
        guard expected.split(separator: ",").contains(where: { $0.filter { $0 != " " && $0 != "\t" }.lowercased() == "100-continue" })
        else {
            return false
        }
        guard let length = head.headerFields[.contentLength] else { return head.headerFields[.transferEncoding] != nil }
        let most = configuration.mostBytes(of: WebRequest(head, from: address))
        return Int(length).map { 1...max(1, most) ~= $0 } ?? false
    }
}
