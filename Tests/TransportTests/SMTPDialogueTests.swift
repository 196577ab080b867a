import NIOCore
import Policy
import Synchronization
import Testing

@testable import Model
@testable import Transport

@Suite struct SMTPDialogueTests {
    static let all = ["PIPELINING", "SIZE 10240000", "8BITMIME", "SMTPUTF8"]

    private func opened(_ offers: [String], _ behaviours: [SMTPScriptedServer.Behaviour] = []) -> SMTPConversation {
        var conversation = SMTPConversation(SMTPScriptedServer(offers: offers, behaviours: behaviours))
        conversation.open()
        return conversation
    }

    private func run(_ group: MessageGroup) -> SMTPGroupDelivery { SMTPGroupDelivery(group) { true } }

    @Test(arguments: [all, []])
    func aGroupIsDeliveredAndAnsweredInOrder(_ offers: [String]) {
        var conversation = opened(offers)
        let run = conversation.send(run(.numbered(5)))
        #expect(conversation.server.breaches == [])
        #expect(conversation.server.taken.map(\.recipient) == (0..<5).map { "user\($0)@example.com" })
        #expect(conversation.server.taken[3].text == "Subject: 3\n\n.dot\nbye 3")
        #expect(run.responses.compactMap(\.?.action) == Array(repeating: .accept, count: 5))
        #expect(run.responses[4]?.messageID == "ID5X5")
        #expect(run.responses[4]?.stage == .response)
        #expect(run.responses[4]?.code == 250)
        #expect(run.responses[4]?.text == "2.0.0 Ok: queued as ID5X5")
        #expect(conversation.dialogue.signals == .finished.union(.ready))
    }

    @Test func withPipeliningTheNextEnvelopeGoesOutBehindTheFinalDot() {
        var conversation = opened(Self.all)
        var out = ByteBuffer()
        conversation.dialogue.begin(run(.numbered(2)), into: &out)
        #expect(
            String(buffer: out)
                == "MAIL FROM:<news@example.com> SIZE=28\r\nRCPT TO:<user0@example.com>\r\nDATA\r\n")
        out.clear()
        conversation.dialogue.receive(Array("250 a\r\n250 b\r\n354 c\r\n".utf8).span, into: &out)
        #expect(
            String(buffer: out)
                == "Subject: 0\r\n\r\n..dot\r\nbye 0\r\n.\r\n"
                + "MAIL FROM:<news@example.com> SIZE=28\r\nRCPT TO:<user1@example.com>\r\nDATA\r\n")
    }

    @Test(arguments: [all, []])
    func eachRefusalHitsItsMessageOnly(_ offers: [String]) {
        let behaviours: [SMTPScriptedServer.Behaviour] = [
            .refuseMail, .accept, .accept, .refuseRecipient, .refuseRecipientButAsk, .refuseData, .refuseText, .accept,
        ]
        var conversation = opened(offers, behaviours)
        let run = conversation.send(run(.numbered(8)))
        #expect(conversation.server.breaches == [])
        #expect(
            run.responses.compactMap(\.?.action) == [
                .retry, .accept, .accept, .fail, .fail, .slowDown, .fail, .accept,
            ])
        #expect(
            run.responses.compactMap(\.?.stage) == [
                .mail, .response, .response, .rcpt, .rcpt, .data, .response, .response,
            ])
        #expect(conversation.server.taken.map(\.recipient) == [1, 2, 7].map { "user\($0)@example.com" })
        #expect(run.responses[3]?.text == "5.1.1 no such user")
        // The next run on the connection starts clean, too.
        let next = conversation.send(self.run(.numbered(1, from: 8)))
        #expect(next.responses[0]?.action == .accept)
        #expect(conversation.server.breaches == [])
    }

    @Test(arguments: [all, []])
    func nothingMoreBeginsAfterNo(_ offers: [String]) {
        var conversation = opened(offers)
        let asked = Mutex(0)
        let run = conversation.send(
            SMTPGroupDelivery(.numbered(5)) {
                asked.withLock { asked in
                    asked += 1
                    return asked <= 2
                }
            })
        #expect(run.responses.map { $0?.action } == [.accept, .accept, nil, nil, nil])
        #expect(run.isStopped && run.next == 2)
        #expect(conversation.server.taken.count == 2)
        #expect(asked.withLock { $0 } == 3)
    }

    @Test func whatWasSentButNotAcknowledgedIsUncertainAndTheRestIsLeft() {
        var conversation = opened(Self.all, [.accept, .dropAtText])
        let run = conversation.send(run(.numbered(4)))
        #expect(run.responses.map { $0?.action } == [.accept, .reconnect, nil, nil])
        #expect(run.responses[1]?.stage == .body)
        #expect(run.next == 2)
        #expect(conversation.dialogue.failure?.action == .reconnect)
    }

    @Test func a421ToTheFinalDotIsThatMessagesAnswer() {
        var conversation = opened(Self.all, [.closeAtText])
        let run = conversation.send(run(.numbered(2)))
        #expect(run.responses.map { $0?.action } == [.slowDown, nil])
        #expect(run.responses[0]?.code == 421 && run.responses[0]?.stage == .response)
        #expect(run.next == 1)
    }

    @Test(arguments: [SMTPScriptedServer.Behaviour.closeAtRecipient, .closeAtData])
    func a421OfTheRecipientsDomainIsThatMessagesAnswerAndTheRestGoesOn(_ behaviour: SMTPScriptedServer.Behaviour) {
        let server = SMTPScriptedServer(offers: Self.all, behaviours: [.accept, behaviour])
        var conversation = SMTPConversation(server)
        conversation.server.closing = "4.7.28 Gmail has detected an unusual rate of unsolicited mail"
        conversation.open()
        let run = conversation.send(run(.numbered(4)))
        #expect(run.responses.map { $0?.action } == [.accept, .slowDownDomain, nil, nil])
        #expect(run.next == 2 && run.isFruitful)
        #expect(conversation.dialogue.failure?.action == .slowDown)
    }

    @Test(arguments: [SMTPScriptedServer.Behaviour.closeAtMail, .closeAtRecipient, .closeAtData])
    func a421OfTheProviderIsTheAnswerOfTheMessageThatMetIt(_ behaviour: SMTPScriptedServer.Behaviour) {
        var conversation = opened(Self.all, [behaviour])
        let run = conversation.send(run(.numbered(2)))
        #expect(run.responses.map { $0?.action } == [.slowDown, nil])
        #expect(run.next == 1 && !run.isFruitful)
        #expect(conversation.dialogue.failure?.action == .slowDown)
    }

    /// Bytes of a server in, and what is written then.
    private func replies(_ text: String, to conversation: inout SMTPConversation) -> String {
        var out = ByteBuffer()
        conversation.dialogue.receive(Array(text.utf8).span, into: &out)
        return String(buffer: out)
    }

    @Test(arguments: ["250 a\r\n250 b\r\n", "", "250 a\r\n250 b\r\n354 c\r\n"])
    func aLimitOfTheSessionEndsTheConnectionAndNotTheMessage(_ before: String) {
        var conversation = opened(Self.all)
        var out = ByteBuffer()
        conversation.dialogue.begin(run(.numbered(3)), into: &out)
        // The first message is served.
        _ = replies("250 a\r\n250 b\r\n354 c\r\n250 2.0.0 Ok\r\n", to: &conversation)
        let goodbye = replies(before + "452 4.4.5 Too many messages per session\r\n", to: &conversation)
        #expect(goodbye.hasSuffix("QUIT\r\n"))
        let run = conversation.dialogue.takeRun()
        #expect(run.responses.map { $0?.action } == [.accept, nil, nil] && run.next == 1)
        #expect(conversation.dialogue.failure?.isPolite == true && conversation.dialogue.failure?.action == .reconnect)
    }

    @Test func aLimitOfTheSessionOnAFreshConnectionIsTheMessagesAnswer() {
        var conversation = opened(Self.all)
        var out = ByteBuffer()
        conversation.dialogue.begin(run(.numbered(2)), into: &out)
        _ = replies("452 4.4.5 Too many messages per session\r\n503 no\r\n503 no\r\n", to: &conversation)
        #expect(conversation.dialogue.failure == nil)
        #expect(conversation.dialogue.run.responses[0]?.action == .slowDown)
        // It is about us, and so is what the next message is answered: no other connection is asked for.
        #expect(conversation.dialogue.run.responses[0]?.subject == .everybody && !conversation.dialogue.run.isFruitful)
        _ = replies("250 reset\r\n452 4.4.5 Too many messages per session\r\n503 no\r\n503 no\r\n", to: &conversation)
        #expect(conversation.dialogue.failure == nil)
        #expect(conversation.dialogue.run.responses[1]?.subject == .everybody)
    }

    /// It names no recipient, and the sender was taken before: the server has had enough of the session, whatever it says.
    @Test(arguments: [
        "503 5.5.1 too many MAIL commands, open a new connection", "550 5.5.1 Too many mails per SMTP-session",
        "550 5.7.0 Max messages per SMTP connection reached", "452 Session limit of messages reached",
        "450 4.3.2 Try again on a new connection", "554 5.7.0 Too many messages sent in session", "550 no", "450 4.7.1 sender: too fast",
        "530 5.7.0 Authentication required", "552 5.3.4 too big", "421 4.7.0 relay access denied",
    ]) func aRefusedMAILBehindAnAcceptedMessageEndsTheSession(_ reply: String) {
        var conversation = opened(Self.all)
        var out = ByteBuffer()
        conversation.dialogue.begin(run(.numbered(3)), into: &out)
        _ = replies("250 a\r\n250 b\r\n354 c\r\n250 2.0.0 Ok\r\n", to: &conversation)
        let goodbye = replies(reply + "\r\n", to: &conversation)
        #expect(goodbye.hasSuffix("QUIT\r\n") != reply.hasPrefix("421"))
        let run = conversation.dialogue.takeRun()
        #expect(run.responses.map { $0?.action } == [.accept, nil, nil] && run.next == 1)
        #expect(conversation.dialogue.failure?.action == .reconnect)
    }

    /// The rules decide about the first message of a connection.
    @Test func aRefusedMAILOfAFirstMessageIsItsAnswer() {
        var conversation = opened(Self.all)
        var out = ByteBuffer()
        conversation.dialogue.begin(run(.numbered(2)), into: &out)
        _ = replies("550 5.7.1 no\r\n503 no\r\n503 no\r\n", to: &conversation)
        #expect(conversation.dialogue.run.responses[0]?.action == .pauseMailing && conversation.dialogue.failure == nil)
    }

    @Test func ourOwnAddressInARefusalIsNotTheRecipients() {
        var conversation = opened(Self.all)
        var out = ByteBuffer()
        let run = run(.numbered(2))
        conversation.dialogue.begin(run, into: &out)
        _ = replies("250 a\r\n550 5.1.1 <\(run.group.sender)>: User unknown\r\n503 no\r\n", to: &conversation)
        _ = replies("250 reset\r\n250 a\r\n550 5.1.1 <\(run.group.messages[1].recipient)>: User unknown\r\n503 no\r\n", to: &conversation)
        #expect(conversation.dialogue.run.responses.map { $0?.subject } == [.unclear, .recipient])
    }

    @Test func tooManyErrorsEndTheConnectionAndNotTheMessage() {
        var conversation = opened(Self.all)
        var out = ByteBuffer()
        conversation.dialogue.begin(run(.numbered(3)), into: &out)
        _ = replies(
            "250 a\r\n550 5.1.1 User unknown\r\n554 no\r\n250 reset\r\n250 a\r\n421 4.7.0 Error: too many errors\r\n", to: &conversation)
        let run = conversation.dialogue.takeRun()
        #expect(run.responses.map { $0?.action } == [.fail, nil, nil] && run.next == 1)
        #expect(conversation.dialogue.failure?.action == .reconnect)
    }

    @Test func a421ToAMailOnAConnectionThatHasServedSaysNothingOfTheMessage() {
        var conversation = opened(Self.all, [.accept, .closeAtMail])
        let run = conversation.send(run(.numbered(3)))
        #expect(run.responses.map { $0?.action } == [.accept, nil, nil])
        #expect(run.next == 1 && run.isFruitful)
    }

    @Test func anOperatorsRuleDecidesAboutAReply() {
        var settings = SMTPDialogue.Settings.plain
        let rule = ResponseRule(
            .smtp, ResponseRule.Condition(codes: 400...599, texts: [TextPattern("no such*user")].compactMap { $0 }), .unknownUser,
            action: .fail,
            "known", origin: "answers.yaml:1"
        )
        settings.responses = ResponseTable(own: [rule])
        var conversation = SMTPConversation(
            SMTPScriptedServer(offers: Self.all, behaviours: [.refuseRecipient, .refuseMail]), settings: settings)
        conversation.open()
        #expect(conversation.send(run(.numbered(2))).responses.map { $0?.action } == [.fail, .retry])
    }

    @Test func anAddressBeyondASCIIIsRefusedWithoutSMTPUTF8AndSentWithIt() {
        var group = MessageGroup.numbered(2)
        group.messages[0].recipient = "jürgen@example.com"
        var without = opened(["PIPELINING"])
        let refused = without.send(run(group))
        #expect(refused.responses.compactMap(\.?.action) == [.fail, .accept])
        #expect(refused.responses[0]?.text.contains("SMTPUTF8") == true)
        // The address is good: the next mailing may reach it through another server.
        #expect(refused.responses[0]?.reason.consequence.suppresses == false)
        var with = opened(Self.all)
        #expect(with.send(run(group)).responses.compactMap(\.?.action) == [.accept, .accept])
        #expect(with.server.commands.contains { $0.hasPrefix("MAIL") && $0.hasSuffix(" SMTPUTF8") })
        #expect(with.server.taken[0].recipient == "jürgen@example.com")
    }

    /// Some servers behind a name understand more than others: the message goes on until a connection can carry it.
    @Test(arguments: [[], ["PIPELINING"]])
    func whatOneConnectionCannotCarryAnotherMay(_ offers: [String]) {
        var group = MessageGroup.numbered(3)
        group.messages[1].recipient = "jürgen@example.com"
        var sought = run(group)
        sought.utf8Elsewhere = .unknown
        var first = opened(offers)
        var left = first.send(sought)
        #expect(first.server.breaches == [])
        #expect(left.responses.map { $0?.action } == [.accept, nil, nil] && left.next == 1 && left.connectionsLeft == 1)
        #expect(first.dialogue.failure?.offersTooLittle == true && first.dialogue.failure?.isPolite == true)
        var second = opened(offers + ["SMTPUTF8"])
        left = second.send(left)
        #expect(left.responses.map { $0?.action } == [.accept, .accept, .accept])
        #expect(second.server.taken.map(\.recipient) == ["jürgen@example.com", "user2@example.com"])
    }

    @Test func theSearchForAConnectionEnds() {
        var group = MessageGroup.numbered(2)
        group.messages[0].recipient = "jürgen@example.com"
        for (elsewhere, action) in [(SMTPOffers.Elsewhere.unknown, ResponseAction.fail), (.offered, .retry), (.never, .fail)] {
            var left = run(group)
            left.utf8Elsewhere = elsewhere
            var connections = 0
            repeat {
                connections += 1
                var conversation = opened(["PIPELINING"])
                left = conversation.send(left)
            } while !left.isOver && connections < 100
            #expect(connections == (elsewhere == .never ? 1 : SMTPOffers.connectionsToAsk + 1))
            #expect(left.responses.map { $0?.action } == [action, .accept])
        }
    }

    @Test func aSenderBeyondASCIILooksForAConnectionToo() {
        var group = MessageGroup.numbered(1)
        group.sender = "jürgen@example.com"
        var sought = run(group)
        sought.utf8Elsewhere = .offered
        var first = opened(["PIPELINING"])
        let left = first.send(sought)
        #expect(left.responses.map { $0?.action } == [nil] && first.dialogue.failure?.offersTooLittle == true)
        var second = opened(Self.all)
        #expect(second.send(left).responses.map { $0?.action } == [.accept])
        var third = opened([])
        var out = ByteBuffer()
        third.dialogue.begin(sought, into: &out)
        #expect(String(buffer: out) == "QUIT\r\n")
    }

    @Test func severalConnectionsTellWhatAProviderOffers() {
        var offers = SMTPOffers()
        for _ in 0..<SMTPOffers.connectionsToAsk {
            #expect(offers.utf8 == .unknown)
            offers.note(SMTPCapabilities())
        }
        #expect(offers.utf8 == .never)
        var more = SMTPCapabilities()
        more.smtpUTF8 = true
        offers.note(more)
        #expect(offers.utf8 == .offered)
    }

    @Test func eightBitTextIsDeclaredAndOtherTextIsNot() {
        var conversation = opened(Self.all)
        _ = conversation.send(
            run(.numbered(2) { $0 == 0 ? "grüße, with a text that is long enough\r\n" : "plain\r\n" }))
        let mails = conversation.server.commands.filter { $0.hasPrefix("MAIL") }
        #expect(mails.map { $0.hasSuffix(" BODY=8BITMIME") } == [true, false])
    }

    /// A name may stand for several servers: what one offers says nothing of the other.
    @Test func textsAreComposedForTheConnectionThatCarriesThem() {
        var group = MessageGroup.numbered(3) { "grüße \($0), with eight bits\r\n" }
        group.messages[2].recipient = "jürgen@example.com"
        group.extensions = MailExtensions(eightBitMIME: true, smtpUTF8: true)
        group.recompose = { server in
            let texts = (0..<3).map { number in
                server.eightBitMIME ? "grüße \(number), with eight bits\r\n" : "gr=C3=BC=C3=9Fe \(number), with seven\r\n"
            }
            var end = 0
            let bodies = texts.map { text in
                defer { end += text.utf8.count }
                return end..<end + text.utf8.count
            }
            return MessageGroup.Texts(bytes: Array(texts.joined().utf8), bodies: bodies)
        }
        // The second connection goes on where the first broke off.
        var first = opened(Self.all, [.accept, .dropAtMail])
        let left = first.send(run(group))
        #expect(first.server.taken.map(\.text) == ["grüße 0, with eight bits"] && left.next == 1)
        var second = opened(["PIPELINING"])
        let done = second.send(left)
        #expect(second.server.taken.map(\.text) == ["gr=C3=BC=C3=9Fe 1, with seven"])
        #expect(!second.server.commands.contains { $0.contains("8BITMIME") || $0.contains("SMTPUTF8") })
        #expect(done.responses.compactMap(\.?.action) == [.accept, .accept, .fail])
        #expect(done.responses[2]?.text.contains("SMTPUTF8") == true)
    }

    @Test func aMessageAboveTheServersLimitIsNotOffered() {
        var conversation = opened(["SIZE 10", "PIPELINING"])
        let run = conversation.send(run(.numbered(2) { $0 == 0 ? "longer than ten bytes\r\n" : "short\r\n" }))
        #expect(run.responses.compactMap(\.?.action) == [.fail, .accept])
        #expect(conversation.server.taken.count == 1)
    }

    @Test(arguments: [
        "a@example.com\r\nRCPT TO:<b@example.com", "a@example.com> NOTIFY=NEVER", "", "a\0@example.com",
        "\"a@example.com",
    ])
    func anAddressNeverEndsItsCommand(_ address: String) {
        var group = MessageGroup.numbered(2)
        group.messages[0].recipient = address
        var conversation = opened(Self.all)
        let run = conversation.send(run(group))
        #expect(run.responses.compactMap(\.?.action) == [.fail, .accept])
        #expect(conversation.server.commands.filter { $0.hasPrefix("RCPT") } == ["RCPT TO:<user1@example.com>"])
        group.sender = address.isEmpty ? "\r\n" : address
        #expect(conversation.send(self.run(group)).responses.compactMap(\.?.action) == [.pauseMailing, .pauseMailing])
    }

    @Test func aQuotedLocalPartMayHoldBrackets() {
        var group = MessageGroup.numbered(1)
        group.messages[0].recipient = "\"a>\\\" b\"@example.com"
        var conversation = opened(Self.all)
        #expect(conversation.send(run(group)).responses[0]?.action == .accept)
    }

    @Test func aTextWithoutALastLineEndGetsOneAndAnEmptyOneIsALoneDot() {
        var conversation = opened(Self.all)
        let run = conversation.send(run(.numbered(2) { $0 == 0 ? "no end" : "" }))
        #expect(run.responses.compactMap(\.?.action) == [.accept, .accept])
        #expect(conversation.server.taken.map(\.text) == ["no end", ""])
        #expect(conversation.server.breaches == [])
    }

    private static let garbage: [String: String] = [
        "no code": "hello\r\n", "a short code": "25 short\r\n", "a strange mark": "250_no\r\n", "nothing": "\r\n",
        "a code beyond all": "999 far\r\n", "a line without end": String(repeating: "2", count: 5_000),
        "a reply without end": String(repeating: "250-x\r\n", count: 10_000), "a consent too early": "354 early\r\n",
        "zeros": "\0\0\0\0\n",
    ]

    @Test(arguments: garbage.keys.sorted())
    func garbageEndsTheConnectionAndKeepsTheMessages(_ name: String) {
        let garbage = Self.garbage[name] ?? ""
        var conversation = opened(Self.all)
        var out = ByteBuffer()
        conversation.dialogue.begin(run(.numbered(2)), into: &out)
        conversation.dialogue.receive(Array(garbage.utf8).span, into: &out)
        #expect(conversation.dialogue.failure?.action == .reconnect)
        let run = conversation.dialogue.takeRun()
        #expect(run.next == 0 && run.responses == [nil, nil])
    }

    @Test func answersAreCleanLines() {
        var conversation = opened(Self.all)
        var out = ByteBuffer()
        conversation.dialogue.begin(run(.numbered(1)), into: &out)
        let long = String(repeating: "ü", count: 400)
        conversation.dialogue.receive(
            Array("550-5.7.1 first\u{1b}[31m\r\n550 5.7.1 \(long)\r\n503 a\r\n503 b\r\n".utf8).span, into: &out)
        let response = conversation.dialogue.takeRun().responses[0]
        #expect(response?.text.hasPrefix("5.7.1 first [31m üü") == true)
        #expect((498...500).contains(response?.text.utf8.count ?? 0))
    }

    @Test func aPauseStaysAPauseWhenTheConnectionFailsThen() {
        var conversation = opened(Self.all, [.dropAtText])
        let asked = Mutex(0)
        var run = conversation.send(
            SMTPGroupDelivery(.numbered(3)) {
                asked.withLock { asked in
                    asked += 1
                    return asked <= 1
                }
            })
        run.giveUp(SMTPFailure(action: .reconnect, stage: .connect, text: "lost"), isBegun: false)
        #expect(run.responses.map { $0?.action } == [.reconnect, nil, nil])
    }

    @Test func aFailureNamesTheStageOfTheMessageItMetOnly() {
        var run = run(.numbered(3))
        run.next = 1
        var envelope = run
        envelope.giveUp(SMTPFailure(action: .reconnect, stage: .rcpt, text: "lost"), isBegun: true)
        #expect(envelope.responses.map { $0?.stage } == [nil, .rcpt, .connect])
        run.giveUp(SMTPFailure(action: .reconnect, stage: .body, text: "lost"), isBegun: true)
        #expect(run.responses.map { $0?.stage } == [nil, .connect, .connect])
    }
}
