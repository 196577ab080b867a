import Model
import NIOCore
import Policy
import Text

/// The client's side of one SMTP connection (RFC 5321) as a value: bytes of the server in, bytes for the server and
/// responses out, without sockets or clocks.
///
/// Its owner hands it what was received, writes what it put into `out`, and then does what `signals` and `failure` ask
/// for. With PIPELINING (RFC 2920) a message costs one round trip: its text goes out with the next message's MAIL, RCPT
/// and DATA behind its final dot. Without it, each command waits for the reply to the one before.
///
/// It cannot be copied: its owner, a class, would do so each time that it asks for something.
struct SMTPDialogue: ~Copyable, Sendable {
    struct Settings: Sendable {
        /// What EHLO says.
        var hostname: String
        var username: String?
        var password: Secret?
        var startTLS: Provider.StartTLS
        /// The connected peer is on this machine: a password may go to it in clear.
        var isLoopback: Bool
        /// Nanoseconds after which the response to a final dot is late.
        var lateAfter = SlowResponses.lateAfter
        /// What refusals mean.
        var responses = ResponseTable.standard
    }

    /// The reply that comes next.
    enum Expectation: Sendable, Equatable {
        case greeting, ehlo, helo, startTLS
        /// Replies to AUTH and what follows it.
        case authPlain, authLogin, authUsername, authLast
        /// None: a run may begin.
        case nothing
        /// None: the run's next message waits for its moment; `startIsDue` is to be called then.
        case start
        case reset, mail, recipient, data
        /// Replies to the final dot, and to the lone dot of a message that was refused but asked for.
        case final, loneDot
        case quit
        /// None: the connection is of no more use.
        case closed
    }

    /// What the owner has to do.
    struct Signals: OptionSet, Sendable {
        let rawValue: UInt8
        /// Put TLS under the dialogue, then call `tlsStarted`.
        static let startTLS = Signals(rawValue: 1)
        /// The server is ready for a first run.
        static let ready = Signals(rawValue: 2)
        /// `run` is finished, and the next may start.
        static let finished = Signals(rawValue: 4)
        /// The server said goodbye.
        static let closed = Signals(rawValue: 8)
    }

    var settings: Settings
    var expects = Expectation.greeting
    var signals: Signals = []
    var failure: SMTPFailure?
    var capabilities = SMTPCapabilities()
    var isEncrypted: Bool
    /// The server offered STARTTLS but refused it.
    var isTLSRefused = false
    /// Mechanisms of AUTH that the server offers and that were not tried yet, the next one first.
    var mechanisms: [SMTPCapabilities.Mechanism] = []
    /// Whole replies so far: a wait for one begins again when it moves.
    private(set) var replies = 0
    private var parser = SMTPReplyParser()

    // The transaction; see SMTPDialogue+transaction.swift.
    var run = SMTPGroupDelivery.none
    /// The part of MAIL that is the same for all messages of the run.
    var mailCommand: [UInt8] = []
    /// The run's sender is not ASCII.
    var senderNeedsUTF8 = false
    /// Of the recipient whose envelope is written next, or was written last.
    var recipientForm = SMTPAddressForm.ascii
    /// The run's sender cannot be written into a command, or not to this server.
    var senderRefusal: ProviderResponse?
    /// The message whose envelope was last written.
    var current = 0
    /// The current message's envelope was sent, its text was not.
    var isOpen = false
    /// The current message has its response already, but replies to its pipelined commands are to come.
    var isRefused = false
    /// The message whose final dot waits for its reply.
    var finishing: Int?
    /// The text of `finishing` is so large that its final dot may not have left yet, and so it cannot have arrived.
    private(set) var isTextUnderWay = false
    /// How much of `out`, from its start, is to be watched until it has left; see `takeLargeText`.
    private var largeText: Int?
    /// The current envelope went out behind the final dot of the message before it.
    var isAhead = false
    /// The server has answered a message on this connection by anything but a refusal of us.
    var hasServed = false
    /// It has accepted one.
    var hasAccepted = false
    /// A transaction was left open: RSET comes before the next MAIL.
    var needsReset = false

    /// - Parameter isEncrypted: TLS is there from the first byte (RFC 8314).
    init(_ settings: Settings, isEncrypted: Bool) {
        self.settings = settings
        self.isEncrypted = isEncrypted
    }

    var needsAttention: Bool { !signals.isEmpty || failure != nil }

    mutating func takeSignals() -> Signals {
        defer { signals = [] }
        return signals
    }

    /// Takes what the server sent.
    mutating func receive(_ input: borrowing Span<UInt8>, into out: inout ByteBuffer) {
        var offset = 0
        do {
            while failure == nil, let reply = try parser.next(in: input, from: &offset) {
                replies &+= 1
                if let text = reply.text {
                    take(reply.code, input.extracting(text), into: &out)
                } else {
                    let text = parser.takeText()
                    take(reply.code, text.span, into: &out)
                }
                // What a server, or somebody in between, sent in clear behind its consent to TLS must not be taken for
                // replies of the encrypted session (CVE-2011-0411).
                if signals.contains(.startTLS) {
                    parser.reset()
                    return
                }
            }
        } catch {
            fail(action: .reconnect, text: "the server sent \(error.description)", advice: "check that it speaks SMTP")
        }
    }

    private mutating func take(_ code: Int, _ text: borrowing Span<UInt8>, into out: inout ByteBuffer) {
        switch expects {
        case .reset, .mail, .recipient, .data, .final, .loneDot: takeTransactionReply(code, text, into: &out)
        case .nothing, .start: fail(code, text)
        case .quit:
            expects = .closed
            signals.insert(.closed)
        case .closed: break
        default: takeOpeningReply(code, text, into: &out)
        }
    }

    /// Says goodbye; only while nothing is expected.
    mutating func quit(into out: inout ByteBuffer) {
        expects = .quit
        out.writeStaticString("QUIT\r\n")
    }

    /// How far the conversation is.
    var stage: DeliveryStage {
        switch expects {
        case .greeting, .ehlo, .helo: .greeting
        case .startTLS: .tls
        case .authPlain, .authLogin, .authUsername, .authLast: .auth
        case .nothing, .start, .quit, .closed: .connect
        case .reset, .mail: .mail
        case .recipient: .rcpt
        case .data: .data
        case .final: isTextUnderWay ? .data : .body
        case .loneDot: .body
        }
    }

    /// How long to wait for the next reply, but for the one to a final dot (RFC 5321 section 4.5.3.2).
    var replyTime: Duration {
        switch expects {
        case .data: .seconds(120)
        case .quit: .seconds(2)
        default: .seconds(300)
        }
    }

    /// From so many bytes on a text may lie with us for a while. A smaller one is taken by the system at once, as nothing
    /// else is under way then: a connection's send buffer has 16 KiB at least.
    static let largeTextSize = 8192

    /// Notes that the text of `finishing` was written, and where `out` ends behind its final dot.
    mutating func wroteText(upTo end: Int) {
        isTextUnderWay = bytesUnderWay >= Self.largeTextSize
        largeText = isTextUnderWay ? end : nil
    }

    /// How many bytes of `out` end with a large text's final dot; the owner says by `textWasSent` that they have left.
    /// Nil where there is none.
    mutating func takeLargeText() -> Int? {
        defer { largeText = nil }
        return largeText
    }

    mutating func textWasSent() { isTextUnderWay = false }

    /// Bytes of the text that the server has to take before it can reply: the wait begins while they are on their way.
    var bytesUnderWay: Int {
        guard expects == .final, let finishing else { return 0 }
        return run.group.messages[finishing].body.count
    }
}

// MARK: - The end of a connection

extension SMTPDialogue {
    /// Ends the conversation because of a reply: the service closes (421), or the reply makes no sense here.
    mutating func fail(_ code: Int, _ text: borrowing Span<UInt8>, advice: String = "") {
        let line = SMTPReplyText.oneLine(text)
        end(SMTPFailure(action: action(code, line), stage: stage, code: code, text: line, advice: advice))
    }

    /// What the end of a conversation means for all messages behind it: a class of one message's own is none of it.
    private func action(_ code: Int, _ line: String) -> ResponseAction {
        guard code == 421 else { return .reconnect }
        let said = settings.responses.classify(.smtp, code: code, stage: stage, text: line)
        return said == .pauseMailing || said == .reconnect && hasServed ? said : .slowDown
    }

    /// Ends the conversation without a reply as the cause: lost, timed out, garbage.
    mutating func fail(action: ResponseAction, text: String, advice: String = "") {
        end(SMTPFailure(action: action, stage: stage, text: text, advice: advice))
    }

    /// Ends the conversation. The run keeps the responses that it has; a message that was sent to its final dot but not
    /// acknowledged is answered, for it may have arrived; one of which less was sent goes back to the run.
    mutating func end(_ cause: SMTPFailure) {
        guard failure == nil, expects != .closed else { return }
        if isOpen, !isRefused { run.next = current }
        if let finishing, run.responses[finishing] == nil {
            if isTextUnderWay {
                run.next = finishing
            } else {
                run.responses[finishing] = ProviderResponse(missed: cause.missed, stage: .body, text: cause.text)
            }
        }
        finishing = nil
        failure = cause
        expects = .closed
    }
}
