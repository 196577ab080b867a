import Model
import NIOCore
import NIOSSL
import NIOTLS

/// Puts a dialogue onto a channel: moves bytes, keeps time, and trades jobs with the pool.
final class SMTPConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// How long a connection without work is kept; servers close theirs after five minutes (RFC 5321 section
    /// 4.5.3.2.7).
    static let idleTime = TimeAmount.seconds(30)

    private let id: Int
    private let pool: SMTPPool
    private let provider: Provider
    private var dialogue: SMTPDialogue
    private var context: ChannelHandlerContext?
    private var out = ByteBuffer()
    private var job: SMTPJob?
    /// The pool waits for this channel; until then others may win the race for the host's addresses.
    private var isAdopted = false
    /// The pool counts it among its connections.
    private var isOpen = false
    private var isEnded = false
    /// A job was finished on it.
    private var isUseful = false
    /// We ended it in the middle of its work.
    private var isCut = false
    /// The server ended it behind its response to the last message of a job.
    private var endsFruitful = false
    /// The handshake of TLS is under way.
    private var isShakingHands: Bool
    private var isGreetingLate = false

    private var deadline = NIODeadline.distantFuture
    private var timer: Scheduled<Void>?
    private var timerTime = NIODeadline.distantFuture
    /// When the response to a final dot is given up, while it is looked at whether it is late; nil where nobody can wait for it apart.
    private var finalEnd: NIODeadline?
    /// The dialogue's replies when the deadline was last set.
    private var repliesSeen = 0

    init(id: Int, pool: SMTPPool, settings: SMTPDialogue.Settings) {
        self.id = id
        self.pool = pool
        provider = pool.provider
        isShakingHands = pool.tls.isImplicit
        dialogue = SMTPDialogue(settings, isEncrypted: pool.tls.isImplicit)
    }

    // MARK: - What the pool asks for

    /// The connection was made, and the pool waits for it to be ready.
    func adopt() {
        isAdopted = true
        if isEnded { return report() }
        if repliesSeen == 0 { expectReply() }
        attend()
        // The server may have been quicker than this call: then no read follows that would send the first job.
        flush()
    }

    func take(_ job: SMTPJob) {
        guard !isEnded, self.job == nil else { return pool.putBack(job) }
        start(job)
        attend()
        flush()
    }

    func quit() {
        guard !isEnded, dialogue.expects == .nothing else { return end() }
        dialogue.quit(into: &out)
        flush()
        wait(until: .now() + .time(dialogue.replyTime))
    }

    /// Ends now, whatever is under way.
    func cut() {
        guard !isEnded else { return }
        isCut = true
        lose(.cut(at: dialogue.stage))
    }

    // MARK: - Channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        out = context.channel.allocator.buffer(capacity: 4096)
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
        isShakingHands = false
        if isAdopted, !isEnded { expectReply() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        dialogue.receive(buffer.readableBytesUInt8Span, into: &out)
        if dialogue.needsAttention { attend() }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        flush()
        if dialogue.replies != repliesSeen { expectReply() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if isShakingHands { return lose(pool.tls.cutHandshake) }
        lose(
            SMTPFailure(
                action: .reconnect, stage: dialogue.stage, text: "the server closed the connection without a word"))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let isHandshake = isShakingHands || dialogue.isEncrypted && [.greeting, .ehlo].contains(dialogue.expects)
        let tls = try? context.pipeline.syncOperations.handler(type: NIOSSLClientHandler.self)
        let now = Int64(Clock.milliseconds() / 1000)
        if isHandshake, let failure = pool.tls.failure(error, leaf: tls?.peerCertificate, now: now) {
            lose(failure)
        } else if isShakingHands {
            lose(pool.tls.cutHandshake)
        } else {
            lose(
                SMTPFailure(
                    action: .reconnect, stage: dialogue.stage,
                    text: "the connection was lost: \(SMTPFailure.short(error))"))
        }
    }

    // MARK: - Work

    /// Does what the dialogue asks for until it asks for nothing more.
    private func attend() {
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
            isShakingHands = true
            dialogue.tlsStarted(into: &out)
            // The end of this read is now the TLS handler's and does not come here.
            flush()
            expectReply()
        } catch {
            dialogue.end(error)
        }
    }

    private func becomeOpen() {
        guard let context, dialogue.failure == nil else { return }
        isOpen = true
        let connection = SMTPConnection(
            channel: context.channel, handler: NIOLoopBound(self, eventLoop: context.eventLoop))
        goOn(pool.opened(id, connection, offering: dialogue.capabilities))
    }

    private func finish() {
        let run = dialogue.takeRun()
        guard let job else { return }
        self.job = nil
        isUseful = true
        switch job.work {
        case .deliver(_, let waiter): waiter.resume(returning: run.responses)
        case .late(let responses): resolve(responses, run)
        case .prepare: break
        }
        // A server may say goodbye behind its last response; then nothing more may begin here.
        guard dialogue.failure == nil else {
            endsFruitful = run.isFruitful
            return
        }
        goOn(pool.freed(id, answered: run.isFruitful ? run.answered : 0))
    }

    private func resolve(_ responses: [Int: LateResponse], _ run: SMTPGroupDelivery) {
        for (index, response) in responses { response.resolve(run.responses[index]) }
    }

    /// The response to a final dot is late: whoever waits for the group goes on without it.
    /// - Returns: false where nobody can.
    private func detach() -> Bool {
        guard let job, case .deliver(_, let waiter) = job.work, let take = dialogue.run.group.detach, pool.park(id) else { return false }
        let late = Dictionary(uniqueKeysWithValues: dialogue.detach().map { ($0, LateResponse()) })
        for (index, response) in late { take(index, response) }
        self.job = SMTPJob(.late(late), stop: job.stop)
        waiter.resume(returning: dialogue.run.responses)
        return true
    }

    private func goOn(_ next: SMTPPool.Next) {
        switch next {
        case .take(let job): start(job)
        case .idle: wait(until: .now() + Self.idleTime)
        case .quit:
            dialogue.quit(into: &out)
            wait(until: .now() + .time(dialogue.replyTime))
        }
    }

    private func start(_ job: SMTPJob) {
        switch job.work {
        case .deliver(var run, _):
            self.job = job
            run.utf8Elsewhere = pool.utf8
            dialogue.begin(run, into: &out)
            expectReply()
        case .prepare(let waiter):
            waiter.resume(returning: .success(dialogue.capabilities.provider))
            goOn(pool.freed(id, answered: 0))
        // It never leaves its connection.
        case .late: job.finish()
        }
    }

    private func flush() {
        guard out.readableBytes > 0, let context else { return }
        if let length = dialogue.takeLargeText(), let text = out.readSlice(length: length) {
            // Its last byte is its final dot's: once the system has taken that, the message may arrive.
            let promise = context.eventLoop.makePromise(of: Void.self)
            promise.futureResult.assumeIsolated().whenSuccess { self.dialogue.textWasSent() }
            context.write(wrapOutboundOut(text), promise: promise)
            // TLS tells of all that it is given between two flushes together.
            if dialogue.isEncrypted || out.readableBytes == 0 { context.flush() }
        }
        if out.readableBytes > 0 { context.writeAndFlush(wrapOutboundOut(out), promise: nil) }
        // Memory is used again where the socket took all at once; that of an unusually large message is let go.
        if out.capacity > 1 << 18 {
            out = context.channel.allocator.buffer(capacity: 4096)
        } else {
            out.clear()
        }
    }

    // MARK: - The end

    private func lose(_ failure: SMTPFailure) {
        var failure = failure
        if isShakingHands, !isCut { failure.stage = .tls }
        dialogue.end(failure)
        end()
    }

    /// Closes, and tells the pool what became of the job.
    private func end() {
        guard !isEnded else { return }
        isEnded = true
        timer?.cancel()
        if dialogue.failure?.isPolite == true { flush() }
        if dialogue.failure == nil { context?.close(promise: nil) } else { closeSocket() }
        if isAdopted { report() }
    }

    /// Closes without a word. TLS would first send what is still to be sent, and a text that was given up might arrive.
    private func closeSocket() {
        guard let context else { return }
        let tls = try? context.pipeline.syncOperations.context(handlerType: NIOSSLClientHandler.self)
        (tls ?? context).close(promise: nil)
    }

    private func report() {
        let failure =
            dialogue.failure ?? SMTPFailure(action: .reconnect, stage: .connect, text: "the connection is closed")
        guard isOpen else { return pool.failedToOpen(id, failure) }
        if var job, case .deliver(_, let waiter) = job.work {
            self.job = nil
            job.work = .deliver(dialogue.takeRun(), waiter)
            guard !isCut else { return pool.cut(id, job) }
            pool.lost(id, job, failure, wasUseful: isUseful)
        } else if let job, case .late(let responses) = job.work {
            self.job = nil
            resolve(responses, dialogue.takeRun())
            pool.lost(id, isFruitful: endsFruitful)
        } else {
            pool.lost(id, isFruitful: endsFruitful)
        }
    }

    // MARK: - Time

    private func expectReply() {
        repliesSeen = dialogue.replies
        finalEnd = nil
        if let moment = dialogue.run.startsAt, dialogue.expects == .start {
            return wait(until: .uptimeNanoseconds(UInt64(max(0, moment))))
        }
        guard dialogue.expects != .nothing, dialogue.expects != .closed else { return }
        // A second more for each 64 KiB of a large text.
        let extra = TimeAmount.seconds(Int64(dialogue.bytesUnderWay >> 16))
        let end = NIODeadline.now() + .time(responseTime) + extra
        guard dialogue.expects == .final, dialogue.run.group.detach != nil, !dialogue.run.isStopped else { return wait(until: end) }
        // It is looked at earlier whether others should wait for it.
        finalEnd = end
        wait(until: min(end, .now() + .nanoseconds(dialogue.settings.patience) + extra))
    }

    /// Seconds that the server has for what is expected of it.
    private var responseTime: Double {
        if isShakingHands { return provider.connectTimeout }
        switch dialogue.expects {
        case .final: return provider.finalTimeout
        case .greeting where !isGreetingLate: return min(provider.connectTimeout, fullTime)
        default: return fullTime
        }
    }

    private var fullTime: Double { min(provider.timeout ?? .infinity, dialogue.replyTime) }

    /// Sets the deadline. The timer is left where it is unless it would come too late: it looks at the deadline and
    /// goes on.
    private func wait(until deadline: NIODeadline) {
        self.deadline = deadline
        if timer == nil || deadline < timerTime { schedule() }
    }

    private func schedule() {
        guard let context, !isEnded else { return }
        timer?.cancel()
        timerTime = deadline
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { self.timePassed() }
    }

    private func timePassed() {
        timer = nil
        guard !isEnded else { return }
        guard NIODeadline.now() >= deadline else { return schedule() }
        switch dialogue.expects {
        case .nothing:
            if pool.retire(id) { return quit() }
            wait(until: .now() + Self.idleTime)
        case .start:
            dialogue.startIsDue(into: &out)
            attend()
            flush()
            if !isEnded { expectReply() }
        case .quit: end()
        case .final where finalEnd.map { $0 > .now() } ?? false:
            let end = finalEnd ?? deadline
            wait(until: detach() ? end : min(end, .now() + .nanoseconds(dialogue.settings.patience)))
        case .greeting where !isShakingHands && !isGreetingLate && fullTime > provider.connectTimeout:
            isGreetingLate = true
            pool.tellLateGreeting(limit: fullTime)
            wait(until: .now() + .time(fullTime - provider.connectTimeout))
        default:
            let seconds = isGreetingLate && dialogue.expects == .greeting ? fullTime : responseTime
            lose(
                SMTPFailure(
                    action: .reconnect, stage: dialogue.stage, text: "the server did not respond within \(seconds) s",
                    advice: "check that it works, or give it a longer timeout", missed: .timedOut))
        }
    }
}

extension TimeAmount {
    /// - Parameter seconds: at most a day counts.
    static func time(_ seconds: Double) -> TimeAmount { .nanoseconds(Int64(max(0, min(seconds, 86_400)) * 1e9)) }
}
