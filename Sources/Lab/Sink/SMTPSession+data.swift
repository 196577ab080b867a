import Model
import NIOCore

extension SMTPSession {
    /// Takes one line of the header, and continues with the body behind the empty line or behind a line without measure.
    mutating func processHeader(
        _ rest: UnsafeRawBufferPointer, now: Int64, into out: inout ByteBuffer
    ) -> (taken: Int, next: SinkStep) {
        guard let feed = rest.place(of: Byte.lf), feed <= Self.longestHeaderLine else {
            if rest.count <= Self.longestHeaderLine { return (0, .more) }
            phase = .body
            return processBody(rest, now: now, into: &out)
        }
        let hasReturn = feed > 0 && rest[feed - 1] == Byte.cr
        if feed == 2, hasReturn, rest[0] == Byte.dot, message.isLineStart {
            return (3, finish(now: now, into: &out))
        }
        let line = rest.slice(0..<(hasReturn ? feed - 1 : feed))
        if line.isEmpty { phase = .body } else { message.read(headerLine: line) }
        count(rest.slice(0..<feed + 1))
        message.isLineStart = hasReturn
        return (feed + 1, .more)
    }

    /// Takes the text before the end mark. Without an end mark it takes all but the bytes that may begin one.
    mutating func processBody(
        _ rest: UnsafeRawBufferPointer, now: Int64, into out: inout ByteBuffer
    ) -> (taken: Int, next: SinkStep) {
        if message.isLineStart {
            switch Self.matches(rest, "." as StaticString, at: 0) {
            case .whole: return (3, finish(now: now, into: &out))
            case .part: return (0, .more)
            case .none: break
            }
        }
        var position = 0
        while let found = rest.place(of: Byte.cr, from: position) {
            switch Self.matches(rest, "\r\n." as StaticString, at: found) {
            case .whole:
                // The line's end before the dot belongs to the message.
                count(rest.slice(0..<found + 2))
                return (found + 5, finish(now: now, into: &out))
            case .part:
                count(rest.slice(0..<found))
                if found > 0 { message.isLineStart = false }
                return (found, .more)
            case .none: position = found + 1
            }
        }
        count(rest)
        message.isLineStart = false
        return (rest.count, .more)
    }

    private enum Match {
        case whole, part, none
    }

    /// Whether a word with CRLF stands at a place, in full or up to the end of the text.
    private static func matches(_ text: UnsafeRawBufferPointer, _ word: StaticString, at place: Int) -> Match {
        let length = word.utf8CodeUnitCount
        var index = 0
        while index < length + 2 {
            guard place + index < text.count else { return .part }
            let wanted = index < length ? word.utf8Start[index] : index == length ? Byte.cr : Byte.lf
            if text[place + index] != wanted { return .none }
            index += 1
        }
        return .whole
    }

    private mutating func count(_ bytes: UnsafeRawBufferPointer) {
        message.size += bytes.count
        if !shared.smtpResponses.offersEightBit, !message.isEightBit { message.isEightBit = !bytes.isASCII }
    }

    /// Decides about the message, records it for each recipient, and answers.
    private mutating func finish(now: Int64, into out: inout ByteBuffer) -> SinkStep {
        phase = .command
        messages += 1
        defer { envelope.clear() }
        if shared.records?.isFailing == true {
            let count = envelope.count
            shared.counter.add { $0.unrecorded += count }
            out.writeBytes(Self.cannotRecord.reply)
            return .more
        }
        let fault: Fault?
        if message.size > shared.configuration.maxMessageBytes {
            fault = Self.tooLarge
        } else if message.isEightBit {
            fault = Self.notEightBit
        } else {
            fault = envelope.fault ?? shared.faultSelector.fault(at: .data, envelope.attempt)
        }
        let accepted = fault == nil || fault?.kind == .dropAfter
        let id = accepted ? shared.nextID() : 0
        note(code: fault?.code ?? 250, accepted: accepted, id: id, now: now)
        switch fault?.kind {
        case .drop, .dropAfter: return .drop
        case .stall: return .stall
        case .response, nil: break
        }
        let response = fault.map { DelayedResponse.fault($0) } ?? .accepted(id)
        let wait = shared.faultSelector.latency(envelope.attempt)
        guard wait > 0 else { return give(response, into: &out) }
        held = response
        return .hold(wait)
    }

    private func note(code: Int, accepted: Bool, id: UInt64, now: Int64) {
        message.id.withUnsafeBytes { key in
            envelope.forEachRecipient { recipient in
                shared.note(
                    RecordLine(
                        begun: envelope.begun, decided: now, channel: .email, recipient: recipient, messageID: key,
                        code: code, accepted: accepted, stage: .response, bytes: message.size, queueID: id,
                        connection: number))
            }
        }
    }

    private static let cannotRecord = Fault.smtp(452, status: "4.3.1", text: "the record cannot be written")
    private static let tooLarge = Fault.smtp(552, status: "5.3.4", text: "message too large")
    private static let notEightBit = Fault.smtp(
        554, status: "5.6.3", text: "8-bit text, though 8BITMIME is not on offer")
}
