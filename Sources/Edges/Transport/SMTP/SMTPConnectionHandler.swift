import Model
import NIOCore
import NIOSSL
import NIOTLS

/// Puts a dialogue onto a channel: hands it the channel's events, and does what it and its deadlines ask for. The jobs that it gets from
/// the pool are in `+jobs`, how it ends is in `+end`.
final class SMTPConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let id: Int
    let pool: SMTPPool
    var dialogue: SMTPDialogue
    var deadlines: SMTPDeadlines
    /// From `handlerAdded` to `handlerRemoved`.
    var context: ChannelHandlerContext?
    /// From `handlerAdded` on.
    var output: SMTPOutput?
    var timer: DeadlineTimer?
    var job: SMTPJob?
    /// The pool waits for this channel; until then others may win the race for the host's addresses.
    var isAdopted = false
    /// The pool counts it among its connections.
    var isOpen = false
    var isEnded = false
    /// A job was finished on it.
    var isUseful = false
    /// We ended it in the middle of its work.
    var isCut = false
    /// The server ended it behind its response to the last message of a job.
    var endsAnswered = false

    init(id: Int, pool: SMTPPool, settings: SMTPDialogue.Settings) {
        self.id = id
        self.pool = pool
        dialogue = SMTPDialogue(settings, isEncrypted: pool.tls.isImplicit)
        deadlines = SMTPDeadlines(pool.provider, isHandshaking: pool.tls.isImplicit)
    }

    /// The connection was made, and the pool waits for it to be ready.
    func adopt() {
        isAdopted = true
        if isEnded { return report() }
        if deadlines.repliesSeen == 0 { expectReply() }
        followSignals()
        // The server may have been quicker than this call: then no read follows that would send the first job.
        flush()
    }

    // MARK: - Channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        output = SMTPOutput(context.channel.allocator)
        timer = DeadlineTimer(on: context.eventLoop) { [weak self] in self?.deadlinePassed() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        dialogue.settings.isLoopback = PeerAddress.isLoopback(context.remoteAddress)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .handshakeCompleted? = event as? TLSUserEvent else { return }
        deadlines.isHandshaking = false
        if isAdopted, !isEnded { expectReply() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        write { dialogue, out in dialogue.receive(buffer.readableBytesUInt8Span, into: &out) }
        if dialogue.needsAttention { followSignals() }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        flush()
        if dialogue.replies != deadlines.repliesSeen { expectReply() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if deadlines.isHandshaking { return fail(pool.tls.cutHandshake) }
        fail(SMTPFailure(action: .reconnect, stage: dialogue.stage, text: "the server closed the connection without a word"))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let isHandshake = deadlines.isHandshaking || dialogue.isEncrypted && [.greeting, .ehlo].contains(dialogue.expects)
        let tls = try? context.pipeline.syncOperations.handler(type: NIOSSLClientHandler.self)
        let now = Int64(Clock.milliseconds() / 1000)
        if isHandshake, let failure = pool.tls.failure(error, leaf: tls?.peerCertificate, now: now) {
            fail(failure)
        } else if deadlines.isHandshaking {
            fail(pool.tls.cutHandshake)
        } else {
            fail(
                SMTPFailure(action: .reconnect, stage: dialogue.stage, text: "the connection was lost: \(SMTPFailure.short(error))"))
        }
    }

    // MARK: - What the dialogue asks for

    /// Does what the dialogue asks for until it asks for nothing more.
    func followSignals() {
        guard isAdopted else { return }
        while dialogue.needsAttention, !isEnded {
            let signals = dialogue.takeSignals()
            if signals.contains(.startTLS) { startTLS() }
            if signals.contains(.ready) { becomeOpen() }
            if signals.contains(.finished) { finish() }
            if signals.contains(.closed) || dialogue.failure != nil { return end() }
        }
    }

    private func startTLS() {
        do throws(SMTPFailure) {
            let handler = try pool.tls.handler(isLoopback: dialogue.settings.isLoopback)
            do {
                try context?.pipeline.syncOperations.addHandler(handler, position: .first)
            } catch {
                throw SMTPFailure(action: .reconnect, stage: .tls, text: "TLS cannot be started: \(error)")
            }
            deadlines.isHandshaking = true
            write { dialogue, out in dialogue.tlsStarted(into: &out) }
            // The end of this read is now the TLS handler's and does not come here.
            flush()
            expectReply()
        } catch {
            dialogue.end(error)
        }
    }

    /// Lets the dialogue write; `flush` sends it.
    func write(_ body: (inout SMTPDialogue, inout ByteBuffer) -> Void) {
        guard let output else { return }
        body(&dialogue, &output.bytes)
    }

    func flush() {
        guard let context, let output else { return }
        output.flush(to: context, largeText: dialogue.takeLargeText(), isEncrypted: dialogue.isEncrypted) {
            self.dialogue.textWasSent()
        }
    }

    // MARK: - Time

    func expectReply() {
        if let deadline = deadlines.next(for: dialogue, now: .now()) { timer?.wait(until: deadline) }
    }

    private func deadlinePassed() {
        guard !isEnded else { return }
        let now = NIODeadline.now()
        switch deadlines.passed(dialogue, now: now) {
        case .retire:
            if pool.retire(id) { return quit() }
            timer?.wait(until: now + SMTPDeadlines.idleTime)
        case .start:
            write { dialogue, out in dialogue.startIsDue(into: &out) }
            followSignals()
            flush()
            if !isEnded { expectReply() }
        case .end: end()
        case .detach(let end, let lookAgain): timer?.wait(until: detach() ? end : lookAgain)
        case .lateGreeting(let limit, let end):
            pool.reportLateGreeting(limit: limit)
            timer?.wait(until: end)
        case .giveUp(let time):
            fail(
                SMTPFailure(
                    action: .reconnect, stage: dialogue.stage, text: "the server did not respond within \(time.seconds) s",
                    advice: "check that it works, or give it a longer timeout", missed: .timedOut))
        }
    }
}
