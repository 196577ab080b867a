import NIOCore
import NIOEmbedded
import Testing

@testable import Sink

/// A session behind its decoder, without a socket; a response that is held back is given at once.
final class SessionDriver<Session: SinkSession> {
    private let channel = EmbeddedChannel()
    private let handler: DrivenSession<Session>

    init(_ shared: SinkContext) throws {
        handler = DrivenSession(Session(shared: shared, number: 1, isSecure: false))
        if Session.self == HTTPSession.self { try channel.pipeline.syncOperations.addHandler(HTTPSession.decoder()) }
        try channel.pipeline.syncOperations.addHandler(handler)
    }

    deinit { _ = try? channel.finish() }

    var text: String { String(buffer: handler.out) }
    var steps: [SinkStep] { handler.steps }
    /// Microseconds.
    var now: Int64 {
        get { handler.now }
        set { handler.now = newValue }
    }

    func feed(_ bytes: some Sequence<UInt8>) throws { try channel.writeInbound(ByteBuffer(bytes: bytes)) }

    /// The client sends nothing more.
    func end() { channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
}

private final class DrivenSession<Session: SinkSession>: ChannelInboundHandler {
    typealias InboundIn = Session.Input

    var session: Session
    var out = ByteBuffer()
    var steps: [SinkStep] = []
    var now: Int64 = 1

    init(_ session: Session) {
        self.session = session
        _ = self.session.open(into: &out)
    }

    private var hasEnded: Bool { steps.last == .close || steps.last == .drop || steps.last == .stall }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !hasEnded else { return }
        session.receive(unwrapInboundIn(data))
        process()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard Session.isOfDecoder(error) else { return context.fireErrorCaught(error) }
        guard !hasEnded else { return }
        session.receive(error: error)
        process()
    }

    private func process() {
        while !hasEnded {
            let next = session.process(now: now, into: &out)
            if case .hold = next { _ = session.release(into: &out) }
            if next == .more { return }
            steps.append(next)
        }
    }
}
