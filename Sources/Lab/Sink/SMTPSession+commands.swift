import Model
import NIOCore

/// A command's first four letters in upper case, as a number.
private struct Verb: Equatable {
    let code: UInt32

    init(_ word: StaticString) { code = Self.code(UnsafeRawBufferPointer(start: word.utf8Start, count: 4)) }

    init(_ line: UnsafeRawBufferPointer) { code = line.count < 4 ? 0 : Self.code(line) & 0xdfdf_dfdf }

    private static func code(_ bytes: UnsafeRawBufferPointer) -> UInt32 { bytes.loadUnaligned(as: UInt32.self) }

    static func ~= (verb: Verb, line: Verb) -> Bool { verb == line }

    static let ehlo = Verb("EHLO")
    static let helo = Verb("HELO")
    static let mail = Verb("MAIL")
    static let rcpt = Verb("RCPT")
    static let data = Verb("DATA")
    static let rset = Verb("RSET")
    static let noop = Verb("NOOP")
    static let quit = Verb("QUIT")
    static let vrfy = Verb("VRFY")
    static let starttls = Verb("STAR")
    static let auth = Verb("AUTH")
}

extension SMTPSession {
    /// Answers one command.
    /// - Parameter line: without its end.
    mutating func command(_ line: UnsafeRawBufferPointer, now: Int64, into out: inout ByteBuffer) -> SinkStep {
        let isWord = line.count == 4 || line.count > 4 && line[4] == Byte.space
        guard isWord || line.equalsIgnoringCase("starttls") else {
            return mistake("500 5.5.2 command not recognised\r\n", into: &out)
        }
        let argument = line.slice(from: min(5, line.count))
        switch Verb(line) {
        case .mail: return mail(argument, now: now, into: &out)
        case .rcpt: return rcpt(argument, now: now, into: &out)
        case .data: return data(argument, into: &out)
        case .ehlo, .helo:
            guard !argument.trimmed.isEmpty else {
                return mistake("501 5.5.4 a name has to follow\r\n", into: &out)
            }
            isGreeted = true
            envelope.clear()
            let texts = shared.smtpResponses
            out.writeBytes(Verb(line) == .helo ? texts.hello : isSecure ? texts.extendedSecure : texts.extended)
        case .rset:
            envelope.clear()
            out.writeStaticString("250 2.0.0 Ok\r\n")
        case .noop: out.writeStaticString("250 2.0.0 Ok\r\n")
        case .vrfy: out.writeStaticString("252 2.5.0 send it and see\r\n")
        case .quit:
            out.writeStaticString("221 2.0.0 Bye\r\n")
            return .close
        case .starttls where !isWord:
            guard shared.tls != nil, !isSecure else { return mistake("503 5.5.1 TLS is not on offer\r\n", into: &out) }
            out.writeStaticString("220 2.0.0 Go ahead\r\n")
            return .startTLS
        case .auth: return auth(argument, into: &out)
        default: return mistake("500 5.5.2 command not recognised\r\n", into: &out)
        }
        return .more
    }

    private mutating func mail(_ argument: UnsafeRawBufferPointer, now: Int64, into out: inout ByteBuffer) -> SinkStep {
        guard isGreeted else { return mistake("503 5.5.1 EHLO first\r\n", into: &out) }
        guard shared.configuration.credentials == nil || isAuthenticated else {
            note(stage: .mail, code: 530, recipient: argument.slice(0..<0), begun: now, now: now)
            out.writeStaticString("530 5.7.0 authentication required\r\n")
            return .more
        }
        guard !envelope.isOpen else { return mistake("503 5.5.1 a message has been started already\r\n", into: &out) }
        guard argument.startsIgnoringCase("from:"), let path = SMTPPath(argument.slice(from: 5)),
            path.address.isEmpty || path.isMailbox
        else { return mistake("501 5.5.4 syntax: MAIL FROM:<address>\r\n", into: &out) }
        var isUTF8 = false
        if let reply = path.firstParameter({ refusal(of: $0, isUTF8: &isUTF8) }) { return mistake(reply, into: &out) }
        guard isUTF8 || path.address.isASCII else {
            return mistake("553 5.6.7 the address needs SMTPUTF8\r\n", into: &out)
        }
        let most = shared.configuration.messagesPerConnection
        if most > 0, messages >= most {
            return meet(
                Self.tooManyMessages, stage: .mail, recipient: argument.slice(0..<0), begun: now, now: now, into: &out)
        }
        if let fault = shared.faultSelector.fault(at: .mail) {
            return meet(fault, stage: .mail, recipient: argument.slice(0..<0), begun: now, now: now, into: &out)
        }
        envelope.open(at: now, isUTF8: isUTF8)
        out.writeStaticString("250 2.1.0 Ok\r\n")
        return .more
    }

    /// Checks one parameter of MAIL; gives the response when it is refused.
    private func refusal(of parameter: UnsafeRawBufferPointer, isUTF8: inout Bool) -> StaticString? {
        let texts = shared.smtpResponses
        if texts.offersSize, parameter.startsIgnoringCase("size=") {
            guard let size = parameter.slice(from: 5).decimal else { return "501 5.5.4 SIZE takes a number\r\n" }
            return size > shared.configuration.maxMessageBytes ? "552 5.3.4 message too large\r\n" : nil
        }
        if parameter.equalsIgnoringCase("body=7bit") && texts.offersEightBit { return nil }
        if parameter.equalsIgnoringCase("body=8bitmime") && texts.offersEightBit { return nil }
        if parameter.equalsIgnoringCase("smtputf8") && texts.offersUTF8 {
            isUTF8 = true
            return nil
        }
        if parameter.startsIgnoringCase("auth="), shared.configuration.credentials != nil { return nil }
        return "555 5.5.4 parameter not on offer\r\n"
    }

    private mutating func rcpt(_ argument: UnsafeRawBufferPointer, now: Int64, into out: inout ByteBuffer) -> SinkStep {
        guard envelope.isOpen else { return mistakeless("503 5.5.1 MAIL first\r\n", into: &out) }
        guard argument.startsIgnoringCase("to:"), let path = SMTPPath(argument.slice(from: 3)) else {
            return mistake("501 5.5.4 syntax: RCPT TO:<address>\r\n", into: &out)
        }
        let begun = envelope.begun
        let fault: Fault
        if !path.isMailbox {
            fault = Self.noMailbox
        } else if !path.parameters.trimmed.isEmpty {
            fault = Self.noParameter
        } else if !envelope.isUTF8 && !path.address.isASCII {
            fault = Self.needsUTF8
        } else if envelope.count >= Self.mostRecipients {
            fault = Self.tooMany
        } else if let limit = shared.limit(at: now) {
            // Before the attempt is counted, so that attempts have the results that they would have without the limit.
            fault = limit.smtp
        } else {
            let behaviour = AddressBehaviour(path.address)
            let attempt = shared.faultSelector.begin(path.address, behaviour)
            guard
                let found = behaviour?.atRecipient(attempt: attempt.number) ?? shared.faultSelector.fault(at: .rcpt, attempt)
            else {
                envelope.add(path.address, attempt: attempt, fault: behaviour?.atEnd(attempt: attempt.number))
                out.writeStaticString("250 2.1.5 Ok\r\n")
                return .more
            }
            fault = found
        }
        return meet(fault, stage: .rcpt, recipient: path.address, begun: begun, now: now, into: &out)
    }

    private mutating func data(_ argument: UnsafeRawBufferPointer, into out: inout ByteBuffer) -> SinkStep {
        guard argument.isEmpty else { return mistake("501 5.5.4 DATA stands alone\r\n", into: &out) }
        guard envelope.isOpen else { return mistakeless("503 5.5.1 MAIL first\r\n", into: &out) }
        guard envelope.count > 0 else { return mistakeless("554 5.5.1 no valid recipients\r\n", into: &out) }
        phase = .header
        message.clear()
        out.writeStaticString("354 End data with <CR><LF>.<CR><LF>\r\n")
        return .more
    }

    /// Refuses what a pipelining client has already sent after a refused command (RFC 2920 section 3.1).
    private func mistakeless(_ reply: StaticString, into out: inout ByteBuffer) -> SinkStep {
        out.writeStaticString(reply)
        return .more
    }

    /// Records and answers a fault before the message.
    private func meet(
        _ fault: Fault, stage: DeliveryStage, recipient: UnsafeRawBufferPointer, begun: Int64, now: Int64,
        into out: inout ByteBuffer
    ) -> SinkStep {
        note(stage: stage, code: fault.code, recipient: recipient, begun: begun, now: now)
        switch fault.kind {
        case .response:
            out.writeBytes(fault.reply)
            return fault.endsConnection ? .close : .more
        case .drop, .dropAfter: return .drop
        case .stall: return .stall
        }
    }

    private func note(
        stage: DeliveryStage, code: Int, recipient: UnsafeRawBufferPointer, begun: Int64, now: Int64
    ) {
        shared.note(
            RecordLine(
                begun: begun, decided: now, channel: .email, recipient: recipient, messageID: recipient.slice(0..<0),
                code: code, accepted: false, stage: stage, bytes: 0, queueID: 0, connection: number))
    }

    private static let noMailbox = Fault.smtp(501, status: "5.1.3", text: "syntax: RCPT TO:<local@domain>")
    private static let noParameter = Fault.smtp(555, status: "5.5.4", text: "parameter not on offer")
    private static let needsUTF8 = Fault.smtp(553, status: "5.6.7", text: "the address needs SMTPUTF8")
    private static let tooManyMessages = Fault.smtp(
        421, status: "4.7.0", text: "too many messages over this connection, closing it")
    private static let tooMany = Fault.smtp(452, status: "4.5.3", text: "too many recipients")
}
