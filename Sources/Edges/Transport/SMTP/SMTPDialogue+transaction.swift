import Model
import NIOCore
import Policy

/// Messages: MAIL, RCPT, DATA, the text, and back to the next one.
extension SMTPDialogue {
    /// Sends the rest of a run. No reply may be expected when it is called. `signals` says when the run is finished.
    mutating func begin(_ run: SMTPGroupDelivery, into out: inout ByteBuffer) {
        self.run = run
        self.run.isAnswered = false
        // A start time that was taken on another connection has passed.
        self.run.startsAt = nil
        // What another connection offers says nothing of this one: a name may stand for several servers.
        self.run.group.suit(capabilities.provider.extensions)
        prepareSender()
        openNext(into: &out)
    }

    /// The moment of the next message has come.
    mutating func startIsDue(into out: inout ByteBuffer) {
        guard expects == .start else { return }
        openNext(into: &out)
    }

    /// Hands the run over: its responses, and where to continue.
    mutating func takeRun() -> SMTPGroupDelivery {
        defer { run = .none }
        return run
    }

    /// Lets those be waited for apart that were begun and have no response; nothing more of the run starts.
    /// - Returns: their places in the group.
    mutating func detach() -> [Int] {
        run.isStopped = true
        var late = [finishing].compactMap(\.self)
        if isOpen, !isRefused { late.append(current) }
        return late.filter { run.responses[$0] == nil }
    }

    mutating func takeTransactionReply(_ code: Int, _ text: borrowing Span<UInt8>, into out: inout ByteBuffer) {
        guard code != 421 else { return closeService(text) }
        switch expects {
        case .final: takeFinal(code, text, into: &out)
        case .mail:
            guard check(code, text) else { return }
            if code >= 400 {
                guard refuse(code, text, into: &out) else { return }
                guard capabilities.pipelining else { return openNext(into: &out) }
            } else if !capabilities.pipelining {
                writeRecipient(into: &out)
            }
            expects = .recipient
        case .recipient:
            guard check(code, text) else { return }
            if code >= 400 {
                guard refuse(code, text, into: &out) else { return }
                guard capabilities.pipelining else { return openNext(into: &out) }
            } else if !capabilities.pipelining {
                out.writeStaticString("DATA\r\n")
            }
            expects = .data
        case .data: takeData(code, text, into: &out)
        case .loneDot: goOn(into: &out)
        case .reset:
            guard 200...299 ~= code else { return fail(code, text) }
            needsReset = false
            expects = .mail
            if !capabilities.pipelining { writeMail(into: &out) }
        default: break
        }
    }

    private mutating func takeData(_ code: Int, _ text: borrowing Span<UInt8>, into out: inout ByteBuffer) {
        if 300...399 ~= code {
            guard isRefused || run.group.mayFinish() else {
                // Closing is the only way out of DATA: the message goes back unsent.
                return fail(action: .reconnect, text: "given up before the text: the message is another's to send now")
            }
            isOpen = false
            if isRefused {
                // RFC 2920 section 3.1: with no recipient left, a server that asks for the text all the same gets none.
                expects = .loneDot
                out.writeStaticString(".\r\n")
                needsReset = true
            } else {
                expects = .final
                finishing = current
                writeText(into: &out)
                wroteText(upTo: out.readableBytes)
            }
            isAhead = capabilities.pipelining && writeEnvelope(ahead: true, into: &out) == .written
        } else {
            guard check(code, text), code >= 400 else { return fail(code, text, advice: "check that it speaks SMTP") }
            guard refuse(code, text, into: &out) else { return }
            openNext(into: &out)
        }
    }

    private mutating func takeFinal(_ code: Int, _ text: borrowing Span<UInt8>, into out: inout ByteBuffer) {
        guard check(code, text) else { return }
        if let finishing {
            let own = response(code, text, at: .response, of: finishing)
            if own.action == .reconnect { return endSession(own, again: finishing, into: &out) }
            answer(finishing, own)
        }
        finishing = nil
        goOn(into: &out)
    }

    /// Takes the response to a message of the run. A refusal of us is no sign that the server works.
    private mutating func answer(_ index: Int, _ response: ProviderResponse) {
        run.responses[index] = response
        guard response.subject != .everybody else { return }
        run.isAnswered = true
        hasServed = true
        if response.action == .accept { hasAccepted = true }
    }

    /// After a message: waits for the replies to the envelope that is already on its way, or writes the next one.
    private mutating func goOn(into out: inout ByteBuffer) {
        guard isAhead else { return openNext(into: &out) }
        isAhead = false
        expects = needsReset ? .reset : .mail
    }

    /// Writes the next envelope, or ends the run where there is none.
    private mutating func openNext(into out: inout ByteBuffer) {
        isOpen = false
        switch writeEnvelope(ahead: false, into: &out) {
        case .written: expects = needsReset ? .reset : .mail
        case .waits: expects = .start
        case .leaves:
            out.writeStaticString("QUIT\r\n")
            run.connectionsLeft += 1
            end(
                SMTPFailure(
                    action: .reconnect, stage: .connect, text: "the server does not offer SMTPUTF8 on this connection",
                    offersTooLittle: true, isPolite: true))
        case .none:
            expects = .nothing
            signals.insert(.finished)
        }
    }

    private enum Opening {
        case written, waits, none
        /// The next message needs what another connection may offer.
        case leaves
    }

    /// Begins the next message that may and can be sent: writes its whole envelope when pipelining, else its first
    /// command.
    /// - Parameter ahead: the message before has no response yet.
    private mutating func writeEnvelope(ahead: Bool, into out: inout ByteBuffer) -> Opening {
        while !run.isOver {
            guard run.mayStart() else {
                run.isStopped = true
                return .none
            }
            let index = run.next
            if leavesNextToAnother { return ahead ? .none : .leaves }
            run.connectionsLeft = 0
            if let refusal = ownRefusal() {
                run.next += 1
                run.responses[index] = refusal
                continue
            }
            switch run.start(ahead: ahead) {
            case .now: break
            case .at: return .waits
            case .none:
                if !ahead { run.isStopped = true }
                return .none
            }
            run.next += 1
            current = index
            isOpen = true
            isRefused = false
            if needsReset { out.writeStaticString("RSET\r\n") }
            if capabilities.pipelining {
                writeMail(into: &out)
                writeRecipient(into: &out)
                out.writeStaticString("DATA\r\n")
            } else if !needsReset {
                writeMail(into: &out)
            }
            return .written
        }
        return .none
    }

    /// A reply to a command of a transaction is a consent or a refusal; anything else ends the conversation.
    private mutating func check(_ code: Int, _ text: borrowing Span<UInt8>) -> Bool {
        if 200...299 ~= code || 400...599 ~= code { return true }
        fail(code, text, advice: "check that it speaks SMTP")
        return false
    }

    /// Answers the current message by a refusal of its envelope, unless an earlier one did.
    /// - Returns: false where the connection has ended instead: the server has had enough of it, and the message is sent elsewhere.
    private mutating func refuse(_ code: Int, _ text: borrowing Span<UInt8>, into out: inout ByteBuffer) -> Bool {
        needsReset = true
        guard !isRefused else { return true }
        let own = response(code, text, at: stage, of: current)
        if own.action == .reconnect || isShareServed {
            endSession(own, again: current, into: &out)
            return false
        }
        isRefused = true
        answer(current, own)
        return true
    }

    /// A refusal of MAIL, whatever it says, ends a session of which a message was accepted: it names no recipient, and the sender was taken
    /// before. Of the first message of a connection the rules decide.
    private var isShareServed: Bool { expects == .mail && hasAccepted }

    /// Says goodbye and leaves, because the server takes no more on this connection.
    /// - Parameter again: the message that is sent on another connection.
    private mutating func endSession(_ said: ProviderResponse, again: Int, into out: inout ByteBuffer) {
        finishing = nil
        out.writeStaticString("QUIT\r\n")
        end(SMTPFailure(action: .reconnect, stage: .mail, code: said.code, text: said.text, isPolite: true))
        run.next = again
    }

    private func response(_ code: Int, _ text: borrowing Span<UInt8>, at stage: DeliveryStage, of index: Int) -> ProviderResponse {
        if code < 400 {
            return ProviderResponse(
                .accepted, .accept, about: .unclear, stage: stage, code: code, text: SMTPReplyText.oneLine(text),
                messageID: SMTPReplyText.messageID(text))
        }
        let line = SMTPReplyText.oneLine(text)
        let parties = MessageParties(
            sender: run.group.sender(of: index), recipient: run.group.messages[index].recipient, hostname: settings.hostname)
        var response = settings.responses.response(.smtp, ResponseFacts(code: code, stage: stage, text: line, parties: parties))
        // Another connection helps only where this one has served. Said of the first message of a connection, it is about us.
        if response.action == .reconnect, !hasServed {
            response.action = .slowDown
            response.subject = .everybody
        }
        return response
    }

    /// 421: the server closes after this reply (RFC 5321 section 3.8). To a final dot or an envelope it is the message's own response, and
    /// the others are sent elsewhere; but for a MAIL on a connection that has served its share, of which it says nothing more than that.
    private mutating func closeService(_ text: borrowing Span<UInt8>) {
        if expects == .final, let finishing {
            let own = response(421, text, at: .response, of: finishing)
            self.finishing = nil
            guard own.action != .reconnect else {
                fail(421, text)
                run.next = finishing
                return
            }
            run.responses[finishing] = own
        } else if isShareServed {
            return end(SMTPFailure(action: .reconnect, stage: .mail, code: 421, text: SMTPReplyText.oneLine(text)))
        } else if isOpen, !isRefused, expects == .mail || expects == .recipient || expects == .data {
            let own = response(421, text, at: stage, of: current)
            let isAboutConnection = own.action == .reconnect || expects == .mail && hasServed && own.action == .slowDown
            if own.action.isAboutMessage || own.action == .slowDown, !isAboutConnection {
                isRefused = true
                run.responses[current] = own
                if own.action.isAboutMessage { run.isAnswered = true }
            }
        }
        fail(421, text)
    }
}
