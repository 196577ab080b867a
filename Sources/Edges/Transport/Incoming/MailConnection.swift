import Model
import NIOCore

/// Joins a dialogue to its channel: reads, writes, hands complete messages over, and ends connections that are too slow.
///
/// While a message is with those who keep it, nothing is read: the client waits, and so does the memory.
final class MailConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let server: MailServerState
    private var dialogue: MailDialogue
    private var input = ByteBuffer()
    /// Bytes taken of the memory of all connections.
    private var reserved = 0
    /// A message is with those who keep it.
    private var isWaiting = false
    private var isCounted = false
    private var isClosing = false
    private var hasInputEnded = false
    private var timer: DeadlineTimer?
    private var context: ChannelHandlerContext?

    init(_ server: MailServerState) {
        self.server = server
        dialogue = MailDialogue(hostname: server.hostname, bounds: server.bounds, at: server.now)
    }

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        guard server.open(context.channel) else {
            write("421 4.3.2 too many connections, try again later\r\n", context)
            close(context)
            return
        }
        isCounted = true
        timer = DeadlineTimer(on: context.eventLoop) { [weak self] in self?.expire() }
        watch()
        write(dialogue.greeting, context)
        context.read()
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        server.memory.give(reserved)
        reserved = 0
        self.context = nil
        if isCounted { server.close(context.channel) }
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosing else { return }
        var bytes = unwrapInboundIn(data)
        if input.readableBytes == 0 { input = bytes } else { input.writeBuffer(&bytes) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        work(context)
        if !isWaiting, !isClosing { context.read() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent {
            hasInputEnded = true
            if !isWaiting { close(context) }
        } else if event is MailServerStopping, dialogue.isIdle, !isClosing {
            stop(context)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    /// Lets the dialogue work on what has come.
    private func work(_ context: ChannelHandlerContext) {
        guard !isWaiting, !isClosing else { return }
        reserve()
        var out = ByteBuffer()
        let step = dialogue.take(&input, into: &out, at: now)
        // What is empty takes no memory: there may be a thousand.
        if input.readableBytes == 0 { input = ByteBuffer() }
        if out.readableBytes > 0 { context.writeAndFlush(wrapOutboundOut(out), promise: nil) }
        watch()
        switch step {
        case .more: if server.isStopping, dialogue.isIdle { stop(context) }
        case .close: close(context)
        case .message:
            isWaiting = true
            if let refusal = dialogue.refusal { return finish(refusal) }
            let mail = dialogue.message()
            let box = NIOLoopBound(self, eventLoop: context.eventLoop)
            let eventLoop = context.eventLoop
            server.submit(mail) { verdict in eventLoop.execute { box.value.finish(verdict) } }
        }
    }

    /// Takes memory for what the dialogue is going to keep of its input.
    private func reserve() {
        // A buffer grows to twice what is in it.
        let wanted = min(dialogue.bounds.keptBytes, dialogue.keptBytes + input.readableBytes) * 2
        guard wanted > reserved else { return }
        if server.memory.take(wanted - reserved) { reserved = wanted } else { discard() }
    }

    private func discard() {
        dialogue.discard()
        server.meters.refused("memory")
    }

    /// Answers the message that was handed over.
    private func finish(_ verdict: MailVerdict) {
        guard let context, isWaiting else { return }
        isWaiting = false
        var out = ByteBuffer()
        dialogue.finish(verdict, into: &out, at: now)
        server.memory.give(reserved)
        reserved = 0
        context.writeAndFlush(wrapOutboundOut(out), promise: nil)
        watch()
        if hasInputEnded { return close(context) }
        if server.isStopping { return stop(context) }
        work(context)
        if !isWaiting, !isClosing { context.read() }
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
        guard !isClosing else { return }
        isClosing = true
        let written = context.writeAndFlush(wrapOutboundOut(ByteBuffer()))
        written.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
    }

    private func expire() {
        guard let context, !isWaiting else { return }
        server.meters.refused("slow")
        write("421 4.4.2 too slow\r\n", context)
        // A client that reads nothing either has not earned a wait for what was written.
        context.close(promise: nil)
    }

    private func watch() {
        let wait = max(0, dialogue.deadline - now)
        timer?.wait(until: .now() + .milliseconds(isWaiting ? Int64(3_600_000) : wait))
    }

    private var now: Int64 { server.now }
}

/// Told to every connection when the server stops.
struct MailServerStopping: Sendable {}
