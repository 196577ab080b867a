import Model
import NIOCore

/// An SMTP server's side of one connection (RFC 5321), with PIPELINING (2920), SIZE (1870), 8BITMIME (6152), SMTPUTF8
/// (6531), ENHANCEDSTATUSCODES (2034), STARTTLS (3207) and AUTH (4954).
struct SMTPSession: SinkSession {
    enum Phase {
        case command
        /// In a message's header, of which whole lines are read.
        case header
        /// In the body, of which only the end is looked for.
        case body
        case auth(AuthStep)
    }

    enum AuthStep {
        case plain
        case loginName
        case loginPassword(isKnown: Bool)
    }

    let shared: SinkContext
    let number: Int
    var phase = Phase.command
    var isSecure: Bool
    var isGreeted = false
    var isAuthenticated = false
    /// Commands that are not known; too many end the connection.
    var mistakes = 0
    /// Messages whose end came.
    var messages = 0
    var envelope = SMTPEnvelope()
    var message = SMTPMessage()
    var held: DelayedResponse?
    private var pending = ByteBuffer()

    /// Bytes that may wait while a response is held back.
    private static let mostPending = 1 << 18
    /// RFC 5321 allows 512 bytes, the extensions some hundreds more.
    static let longestCommand = 2048
    static let longestHeaderLine = 8192
    static let mostMistakes = 20
    static let mostRecipients = 1000

    init(shared: SinkContext, number: Int, isSecure: Bool) {
        self.shared = shared
        self.number = number
        self.isSecure = isSecure
    }

    static func refuse(_ shared: SinkContext, into out: inout ByteBuffer) {
        out.writeStaticString("421 4.7.0 too many connections\r\n")
    }

    mutating func open(into out: inout ByteBuffer) -> SinkStep {
        if let fault = shared.faultSelector.fault(at: .connect) {
            switch fault.kind {
            case .response:
                out.writeBytes(fault.reply)
                return .close
            case .drop, .dropAfter: return .drop
            case .stall: return .stall
            }
        }
        out.writeBytes(shared.smtpResponses.greeting)
        return .more
    }

    mutating func secure() {
        pending = ByteBuffer()
        isSecure = true
        isGreeted = false
        isAuthenticated = false
        envelope.clear()
    }

    var isFull: Bool { pending.readableBytes > Self.mostPending }

    mutating func receive(_ input: ByteBuffer) {
        if pending.readableBytes == 0 { pending = input } else { pending.writeImmutableBuffer(input) }
    }

    mutating func process(now: Int64, into out: inout ByteBuffer) -> SinkStep {
        let input = pending
        let (taken, next) = input.withUnsafeReadableBytes { process($0, now: now, into: &out) }
        pending.moveReaderIndex(forwardBy: taken)
        keepRest()
        return next
    }

    /// Releases the buffer that was read, so that the channel can use it for the next read.
    private mutating func keepRest() {
        if pending.readableBytes == 0 {
            pending = ByteBuffer()
        } else if pending.readableBytes < 4096 || pending.readerIndex > pending.readableBytes {
            pending = ByteBuffer(bytes: pending.readableBytesView)
        }
    }

    private mutating func process(
        _ input: UnsafeRawBufferPointer, now: Int64, into out: inout ByteBuffer
    ) -> (taken: Int, next: SinkStep) {
        var taken = 0
        while taken < input.count {
            let rest = input.slice(from: taken)
            let (count, next): (Int, SinkStep)
            let answered = out.writerIndex
            switch phase {
            case .command, .auth: (count, next) = processLine(rest, now: now, into: &out)
            case .header: (count, next) = processHeader(rest, now: now, into: &out)
            case .body: (count, next) = processBody(rest, now: now, into: &out)
            }
            taken += count
            if next != .more || count == 0 { return (taken, next) }
            if !shared.smtpResponses.offersPipelining, out.writerIndex > answered, taken < input.count {
                shared.counter.add { $0.errors += 1 }
                out.writeStaticString("503 5.5.0 improper pipelining, closing the connection\r\n")
                return (taken, .close)
            }
        }
        return (taken, .more)
    }

    private mutating func processLine(
        _ rest: UnsafeRawBufferPointer, now: Int64, into out: inout ByteBuffer
    ) -> (taken: Int, next: SinkStep) {
        let feed = rest.place(of: Byte.lf)
        guard (feed ?? rest.count) <= Self.longestCommand else {
            shared.counter.add { $0.errors += 1 }
            out.writeStaticString("500 5.5.2 line too long, closing the connection\r\n")
            return (0, .close)
        }
        guard let feed else { return (0, .more) }
        guard feed > 0, rest[feed - 1] == Byte.cr else {
            return (feed + 1, mistake("500 5.5.2 a line ends with CR and LF\r\n", into: &out))
        }
        let line = rest.slice(0..<feed - 1)
        if case .auth(let step) = phase {
            phase = .command
            return (feed + 1, authenticate(step, line, into: &out))
        }
        return (feed + 1, command(line, now: now, into: &out))
    }

    /// Answers an error of the protocol, and closes after too many.
    mutating func mistake(_ reply: StaticString, into out: inout ByteBuffer) -> SinkStep {
        out.writeStaticString(reply)
        shared.counter.add { $0.errors += 1 }
        mistakes += 1
        guard mistakes >= Self.mostMistakes else { return .more }
        out.writeStaticString("421 4.7.0 too many errors, closing the connection\r\n")
        return .close
    }

    mutating func release(into out: inout ByteBuffer) -> SinkStep {
        guard let response = held else { return .more }
        held = nil
        return give(response, into: &out)
    }

    func give(_ response: DelayedResponse, into out: inout ByteBuffer) -> SinkStep {
        switch response {
        case .accepted(let id):
            out.writeStaticString("250 2.0.0 Ok: queued as ")
            out.writeHexadecimal(id)
            out.writeStaticString("\r\n")
            return .more
        case .fault(let fault):
            out.writeBytes(fault.reply)
            return fault.endsConnection ? .close : .more
        }
    }
}

extension ByteBuffer {
    /// Writes the 16 digits of a number.
    mutating func writeHexadecimal(_ value: UInt64) {
        writeWithUnsafeMutableBytes(minimumWritableBytes: 16) { space in
            for index in 0..<16 {
                let digit = UInt8(value >> UInt64(60 - index * 4) & 15)
                space[index] = digit < 10 ? 0x30 + digit : 0x57 + digit
            }
            return 16
        }
    }
}
