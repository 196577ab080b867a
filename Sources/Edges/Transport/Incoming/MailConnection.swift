import Model
import NIOCore

/// Joins a dialogue to its channel: reads, writes, hands complete messages over, and ends connections that are too slow.
///
/// While a message is with those who keep it, nothing is read: the client waits, and so does the memory.
final class MailConnection: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private struct State {
        var dialogue: MailDialogue
        var input = ByteBuffer()
        /// Bytes taken of the memory of all connections.
        var reserved = 0
        /// A message is with those who keep it.
        var isWaiting = false
        var isCounted = false
        var isClosing = false
        var hasInputEnded = false
        var timer: DeadlineTimer?
        var context: ChannelHandlerContext?
    }

    private let server: MailServerState
    private let state: NIOLoopBoundBox<State>

    init(_ server: MailServerState, on eventLoop: any EventLoop) {
        self.server = server
        let dialogue = MailDialogue(hostname: server.hostname, bounds: server.bounds, at: server.now)
        state = NIOLoopBoundBox(State(dialogue: dialogue), eventLoop: eventLoop)
    }

    func channelActive(context: ChannelHandlerContext) {
        state.value.context = context
        guard server.open(context.channel) else {
            write("421 4.3.2 too many connections, try again later\r\n", context)
            close(context)
            return
        }
        state.value.isCounted = true
        state.value.timer = DeadlineTimer(on: context.eventLoop) { [weak self] in self?.expire() }
        watch()
        write(state.value.dialogue.greeting, context)
        context.read()
    }

    func channelInactive(context: ChannelHandlerContext) {
        state.value.timer?.cancel()
        server.memory.give(state.value.reserved)
        state.value.reserved = 0
        state.value.context = nil
        if state.value.isCounted { server.close(context.channel) }
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !state.value.isClosing else { return }
        var bytes = unwrapInboundIn(data)
        if state.value.input.readableBytes == 0 { state.value.input = bytes } else { state.value.input.writeBuffer(&bytes) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        work(context)
        if !state.value.isWaiting, !state.value.isClosing { context.read() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent {
            state.value.hasInputEnded = true
            if !state.value.isWaiting { close(context) }
        } else if event is MailServerStopping, state.value.dialogue.isIdle, !state.value.isClosing {
            stop(context)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    /// Lets the dialogue work on what has come.
    private func work(_ context: ChannelHandlerContext) {
        guard !state.value.isWaiting, !state.value.isClosing else { return }
        reserve()
        var out = ByteBuffer()
        let step = state.value.dialogue.take(&state.value.input, into: &out, at: now)
        // What is empty takes no memory: there may be a thousand.
        if state.value.input.readableBytes == 0 { state.value.input = ByteBuffer() }
        if out.readableBytes > 0 { context.writeAndFlush(wrapOutboundOut(out), promise: nil) }
        watch()
        switch step {
        case .more: if server.isStopping, state.value.dialogue.isIdle { stop(context) }
        case .close: close(context)
        case .message:
            state.value.isWaiting = true
            if let refusal = state.value.dialogue.refusal { return finish(refusal) }
            let mail = state.value.dialogue.message()
            let box = NIOLoopBound(self, eventLoop: context.eventLoop)
            let eventLoop = context.eventLoop
            server.submit(mail) { verdict in eventLoop.execute { box.value.finish(verdict) } }
        }
    }

    /// Takes memory for what the dialogue is going to keep of its input.
    private func reserve() {
        // A buffer grows to twice what is in it.
        let wanted = min(state.value.dialogue.bounds.keptBytes, state.value.dialogue.keptBytes + state.value.input.readableBytes) * 2
        guard wanted > state.value.reserved else { return }
        if server.memory.take(wanted - state.value.reserved) { state.value.reserved = wanted } else { discard() }
    }

    private func discard() {
        state.value.dialogue.discard()
        server.meters.refused("memory")
    }

    /// Answers the message that was handed over.
    private func finish(_ verdict: MailVerdict) {
        guard let context = state.value.context, state.value.isWaiting else { return }
        state.value.isWaiting = false
        var out = ByteBuffer()
        state.value.dialogue.finish(verdict, into: &out, at: now)
        server.memory.give(state.value.reserved)
        state.value.reserved = 0
        context.writeAndFlush(wrapOutboundOut(out), promise: nil)
        watch()
        if state.value.hasInputEnded { return close(context) }
        if server.isStopping { return stop(context) }
        work(context)
        if !state.value.isWaiting, !state.value.isClosing { context.read() }
    }

    private func stop(_ context: ChannelHandlerContext) {
        write("421 4.3.2 closing\r\n", context)
        close(context)
    }

    private func write(_ text: String, _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
    }

    /// Closes after all that was written.
    private func close(_ context: ChannelHandlerContext) {
        guard !state.value.isClosing else { return }
        state.value.isClosing = true
        let written = context.writeAndFlush(wrapOutboundOut(ByteBuffer()))
        written.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
    }

    private func expire() {
        guard let context = state.value.context, !state.value.isWaiting else { return }
        server.meters.refused("slow")
        write("421 4.4.2 too slow\r\n", context)
        // A client that reads nothing either has not earned a wait for what was written.
        context.close(promise: nil)
    }

    private func watch() {
        let wait = max(0, state.value.dialogue.deadline - now)
        state.value.timer?.wait(until: .now() + .milliseconds(state.value.isWaiting ? Int64(3_600_000) : wait))
    }

    private var now: Int64 { server.now }
}

/// Told to every connection when the server stops.
struct MailServerStopping: Sendable {}
