import NIOCore
import NIOSSL

/// Joins a session to its channel: reads, holds responses back, writes, and ends the connection.
final class SinkHandler<Session: SinkSession>: ChannelDuplexHandler, NIOScheduledCallbackHandler {
    typealias InboundIn = Session.Input
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Mode {
        case running
        /// A response is held back; input waits.
        case holding
        /// Nothing more is answered; input is discarded until the client goes.
        case draining
        case closed
    }

    /// What follows the bytes that are sent.
    private enum Ending {
        case none
        /// The client reads to the end first: a close with unread input would be a reset, and the response would be lost.
        case drain
        case drop
    }

    private let shared: SinkContext
    private let isSecure: Bool
    private var session: Session?
    private var context: ChannelHandlerContext?
    private var mode = Mode.running
    private var out = ByteBuffer()
    private var timer: NIOScheduledCallback?
    private var isReadHeld = false
    private var hasInputEnded = false
    private var isCounted = false

    /// Connections beyond the limit that get a response before they are closed.
    private static var mostRefused: Int { 16 }
    private static var drainTime: TimeAmount { .seconds(2) }

    init(shared: SinkContext, isSecure: Bool) {
        self.shared = shared
        self.isSecure = isSecure
    }

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        let limit = shared.mostConnections
        var number = 0
        var isOver = false
        var isFar = false
        shared.counter.add { counts in
            counts.connections += 1
            counts.opened += 1
            number = counts.opened
            isOver = counts.connections > limit
            // The number of connections that are being refused is limited, too.
            isFar = counts.connections > limit + Self.mostRefused
            if isOver { counts.errors += 1 }
        }
        isCounted = true
        if isFar {
            context.close(promise: nil)
        } else if isOver {
            Session.refuse(shared, into: &out)
            send(context, .drain)
        } else {
            var session = Session(shared: shared, number: number, isSecure: isSecure)
            let step = session.open(into: &out)
            self.session = session
            if take(step, context) { send(context, .none) }
        }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        mode = .closed
        timer?.cancel()
        timer = nil
        self.context = nil
        if isCounted { shared.counter.add { $0.connections -= 1 } }
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard mode == .running || mode == .holding else { return }
        session?.receive(unwrapInboundIn(data))
        if mode == .running { run(context) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if mode == .running { send(context, .none) }
    }

    /// Lets the session work on its input until it needs more, and does what it says.
    private func run(_ context: ChannelHandlerContext) {
        guard let next = session?.process(now: SinkContext.now(), into: &out) else { return }
        _ = take(next, context)
    }

    /// Does what a session says.
    /// - Returns: whether input may be read on with.
    private func take(_ step: SinkStep, _ context: ChannelHandlerContext) -> Bool {
        switch step {
        case .more: return true
        case .hold(let nanoseconds):
            send(context, .none)
            hold(nanoseconds, context)
        case .close: send(context, .drain)
        case .drop: send(context, .drop)
        case .stall:
            send(context, .none)
            mode = .draining
            session = nil
        case .startTLS: beginTLS(context)
        }
        return false
    }

    private func hold(_ nanoseconds: Int64, _ context: ChannelHandlerContext) {
        guard mode == .running else { return }
        mode = .holding
        do {
            timer = try context.eventLoop.assumeIsolated().scheduleCallback(
                in: .nanoseconds(nanoseconds), handler: self)
        } catch {
            // Only an event loop that is shutting down takes no timers.
            context.close(promise: nil)
        }
    }

    /// The time has come for the response that is held back, or for the end of a connection that is drained.
    func handleScheduledCallback(eventLoop: some EventLoop) {
        timer = nil
        guard let context else { return }
        switch mode {
        case .holding: release(context)
        case .draining: context.close(promise: nil)
        case .running, .closed: break
        }
    }

    private func release(_ context: ChannelHandlerContext) {
        mode = .running
        guard let step = session?.release(into: &out) else { return }
        if take(step, context) { run(context) }
        if mode == .running { send(context, hasInputEnded ? .drop : .none) }
        readOn(context)
    }

    private func beginTLS(_ context: ChannelHandlerContext) {
        write(context)
        guard let tls = shared.tls else { return }
        do {
            try context.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls), position: .first)
            session?.secure()
        } catch {
            context.close(promise: nil)
        }
    }

    private func send(_ context: ChannelHandlerContext, _ ending: Ending) {
        if ending == .none, out.readableBytes == 0 { return }
        if ending != .none { mode = .draining }
        guard let records = shared.records, shared.configuration.sync else {
            finish(context, ending)
            return
        }
        // The first of these tasks after a turn of the event loop writes the lines of all connections.
        context.eventLoop.assumeIsolated().execute { [self] in
            guard self.context != nil else { return }
            if records.flush() { finish(context, ending) } else { context.close(promise: nil) }
        }
    }

    private func finish(_ context: ChannelHandlerContext, _ ending: Ending) {
        write(context)
        guard ending != .none else { return }
        session = nil
        timer?.cancel()
        timer = try? context.eventLoop.assumeIsolated().scheduleCallback(in: Self.drainTime, handler: self)
        if ending == .drop || hasInputEnded {
            // After all that was written before, since a close discards what the socket has not yet taken.
            let written = context.writeAndFlush(wrapOutboundOut(ByteBuffer()))
            written.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        } else {
            context.close(mode: .output, promise: nil)
            readOn(context)
        }
    }

    private func write(_ context: ChannelHandlerContext) {
        guard out.readableBytes > 0 else { return }
        context.writeAndFlush(wrapOutboundOut(out), promise: nil)
        // The buffer is used again, unless the socket has not taken all of it.
        out.clear()
    }

    func read(context: ChannelHandlerContext) {
        let isFull = mode == .holding && session?.isFull == true
        if isFull || !context.channel.isWritable { isReadHeld = true } else { context.read() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { readOn(context) }
        context.fireChannelWritabilityChanged()
    }

    private func readOn(_ context: ChannelHandlerContext) {
        guard isReadHeld else { return }
        isReadHeld = false
        read(context: context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent {
            hasInputEnded = true
            if mode != .holding { send(context, .drop) }
        } else if event is SinkStopping {
            // A message that was taken gets its response now.
            if mode == .holding {
                timer?.cancel()
                timer = nil
                mode = .draining
                _ = session?.release(into: &out)
            }
            send(context, .drop)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if Session.isOfDecoder(error) {
            // A connection that is closing has had its last response.
            guard mode == .running || mode == .holding else { return }
            session?.receive(error: error)
            if mode == .running { run(context) }
            return
        }
        // A client that closes without QUIT is no error; a failed TLS handshake is one.
        if !(error is IOError) { shared.counter.add { $0.errors += 1 } }
        context.close(promise: nil)
    }
}

/// Told to every connection when the sink stops.
struct SinkStopping: Sendable {}
