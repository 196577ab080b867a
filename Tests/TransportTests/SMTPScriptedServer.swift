import NIOCore

@testable import Model
@testable import Transport

/// The server's side as a value: strict about the protocol, with a behaviour for each transaction in turn.
struct SMTPScriptedServer {
    enum Behaviour: Equatable {
        case accept
        case refuseMail, refuseRecipient, refuseData, refuseText
        /// Refuses the recipient, and asks for the text all the same.
        case refuseRecipientButAsk
        /// 421 and the end, at MAIL, RCPT, DATA or the final dot.
        case closeAtMail, closeAtRecipient, closeAtData, closeAtText
        /// The end without a word.
        case dropAtMail, dropAtRecipient, dropAtData, dropAtText, dropAfterTakingText
    }

    /// The lines of the reply to EHLO after the first.
    var offers: [String]
    /// The behaviour towards each MAIL in turn; `accept` after the last.
    var behaviours: [Behaviour] = []
    /// Replies have several lines now and then.
    var isWordy = false
    var greeting = "220 scripted ESMTP\r\n"
    /// What a 421 says.
    var closing = "4.3.2 closing"

    private(set) var isClosed = false
    /// Recipient and text (dots unstuffed) of each message that was taken.
    private(set) var taken: [(recipient: String, text: String)] = []
    /// Command lines as they came.
    private(set) var commands: [String] = []
    /// Breaches of the protocol by the client.
    private(set) var breaches: [String] = []

    private var input: [UInt8] = []
    private var mails = 0
    private var behaviour = Behaviour.accept
    private var hasSender = false
    private var recipient: String?
    private var text: [String]?

    init(offers: [String], behaviours: [Behaviour] = [], isWordy: Bool = false) {
        self.offers = offers
        self.behaviours = behaviours
        self.isWordy = isWordy
    }

    /// Takes what the client sent, and answers.
    mutating func receive(_ bytes: some Sequence<UInt8>) -> String {
        input.append(contentsOf: bytes)
        var replies = ""
        var repliesToCommands = 0
        while !isClosed, let end = input.firstIndex(of: UInt8(ascii: "\n")) {
            let line = String(decoding: input[..<end], as: UTF8.self)
            input.removeFirst(end + 1)
            guard line.hasSuffix("\r") else {
                breaches.append("a line without CR: \(line)")
                continue
            }
            let content = String(line.dropLast())
            if var lines = text {
                if content == "." {
                    text = nil
                    replies += finishText(lines)
                    repliesToCommands += 1
                } else {
                    lines.append(content.hasPrefix(".") ? String(content.dropFirst()) : content)
                    text = lines
                }
            } else {
                commands.append(content)
                replies += reply(to: content)
                repliesToCommands += 1
            }
        }
        if repliesToCommands > 1, !offers.contains("PIPELINING") { breaches.append("commands were pipelined") }
        return replies
    }

    private func say(_ code: Int, _ text: String) -> String {
        isWordy ? "\(code)-first of \(text)\r\n\(code)-\r\n\(code) \(text)\r\n" : "\(code) \(text)\r\n"
    }

    private mutating func close(_ reply: String = "") -> String {
        isClosed = true
        return reply
    }

    private mutating func reply(to command: String) -> String {
        let verb = command.prefix { $0 != " " }
        switch verb {
        case "EHLO":
            let lines = ["scripted"] + offers
            return lines.enumerated().map { "250\($0.offset + 1 == lines.count ? " " : "-")\($0.element)\r\n" }.joined()
        case "RSET":
            hasSender = false
            recipient = nil
            return say(250, "2.0.0 Ok")
        case "QUIT": return close(say(221, "2.0.0 Bye"))
        case "MAIL": return mail()
        case "RCPT": return recipient(command)
        case "DATA": return data()
        default: return say(500, "5.5.2 unknown command")
        }
    }

    private mutating func mail() -> String {
        guard !hasSender else {
            breaches.append("MAIL within a transaction")
            return say(503, "5.5.1 nested MAIL")
        }
        behaviour = mails < behaviours.count ? behaviours[mails] : .accept
        mails += 1
        switch behaviour {
        case .refuseMail: return say(451, "4.3.0 not now")
        case .closeAtMail: return close(say(421, closing))
        case .dropAtMail: return close()
        default:
            hasSender = true
            return say(250, "2.1.0 Ok")
        }
    }

    private mutating func recipient(_ command: String) -> String {
        guard hasSender else { return say(503, "5.5.1 need MAIL") }
        switch behaviour {
        case .refuseRecipient, .refuseRecipientButAsk: return say(550, "5.1.1 no such user")
        case .closeAtRecipient: return close(say(421, closing))
        case .dropAtRecipient: return close()
        default:
            recipient = String(command.dropFirst("RCPT TO:<".count).prefix { $0 != ">" })
            return say(250, "2.1.5 Ok")
        }
    }

    private mutating func data() -> String {
        if behaviour == .refuseRecipientButAsk, hasSender {
            text = []
            return say(354, "go ahead")
        }
        guard hasSender else { return say(503, "5.5.1 need MAIL") }
        guard recipient != nil else { return say(554, "5.5.1 no valid recipients") }
        switch behaviour {
        case .refuseData: return say(451, "4.3.1 no room")
        case .closeAtData: return close(say(421, closing))
        case .dropAtData: return close()
        default:
            text = []
            return say(354, "go ahead")
        }
    }

    private mutating func finishText(_ lines: [String]) -> String {
        defer {
            hasSender = false
            recipient = nil
        }
        guard let recipient else {
            if !lines.isEmpty { breaches.append("text without a recipient") }
            return say(554, "5.5.1 no valid recipients")
        }
        switch behaviour {
        case .refuseText: return say(554, "5.6.0 spam")
        case .closeAtText: return close(say(421, closing))
        case .dropAtText: return close()
        case .dropAfterTakingText:
            taken.append((recipient, lines.joined(separator: "\n")))
            return close()
        default:
            taken.append((recipient, lines.joined(separator: "\n")))
            return say(250, "2.0.0 Ok: queued as ID\(taken.count)X\(mails)")
        }
    }
}

/// A dialogue and a server that talk to each other, in pieces of any size.
struct SMTPConversation: ~Copyable {
    var dialogue: SMTPDialogue
    var server: SMTPScriptedServer
    /// The size of the next piece of the server's bytes; from 1.
    var piece: () -> Int
    /// All that the client sent.
    private(set) var sent: [UInt8] = []

    init(
        _ server: SMTPScriptedServer, settings: SMTPDialogue.Settings = .plain, piece: @escaping () -> Int = { 1 << 16 }
    ) {
        dialogue = SMTPDialogue(settings, isEncrypted: false)
        self.server = server
        self.piece = piece
    }

    /// Continues until neither side has anything to say.
    mutating func go(_ begin: (inout SMTPDialogue, inout ByteBuffer) -> Void) {
        var out = ByteBuffer()
        begin(&dialogue, &out)
        repeat {
            let bytes = Array(out.readableBytesView)
            out.clear()
            sent += bytes
            var replies = Array(server.receive(bytes).utf8)[...]
            while !replies.isEmpty, dialogue.failure == nil {
                let part = Array(replies.prefix(max(1, piece())))
                replies = replies.dropFirst(part.count)
                dialogue.receive(part.span, into: &out)
            }
            if server.isClosed { dialogue.fail(action: .reconnect, text: "lost") }
        } while out.readableBytes > 0 && dialogue.failure == nil
    }

    mutating func open() {
        let greeting = Array(server.greeting.utf8)
        go { dialogue, out in dialogue.receive(greeting.span, into: &out) }
    }

    /// Sends a run as far as it goes.
    mutating func send(_ run: SMTPGroupDelivery) -> SMTPGroupDelivery {
        go { dialogue, out in dialogue.begin(run, into: &out) }
        return dialogue.takeRun()
    }
}

extension SMTPDialogue.Settings {
    static let plain = Self(
        hostname: "client.example.com", username: nil, password: nil, startTLS: .opportunistic, isLoopback: true)
}

extension MessageGroup {
    /// A group of messages to `user0@example.com` and so on, each with a text of its own; some lines begin with a dot.
    static func numbered(
        _ count: Int, from first: Int = 0, text: (Int) -> String = { "Subject: \($0)\r\n\r\n..dot\r\nbye \($0)\r\n" }
    )
        -> MessageGroup
    {
        var group = MessageGroup(sender: "news@example.com")
        for number in first..<first + count {
            let start = group.bytes.count
            group.bytes += Array(text(number).utf8)
            group.messages.append(
                .init(recipient: "user\(number)@example.com", body: start..<group.bytes.count, key: "k\(number)"))
        }
        return group
    }
}
