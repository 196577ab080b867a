import NIOCore
import Policy
import Synchronization
import Testing

@testable import Model
@testable import Transport

@Suite struct SMTPDialogueTests {
    static let all = ["PIPELINING", "SIZE 10240000", "8BITMIME", "SMTPUTF8"]

    func opened(_ offers: [String], _ behaviours: [SMTPScriptedServer.Behaviour] = []) -> SMTPConversation {
        var conversation = SMTPConversation(SMTPScriptedServer(offers: offers, behaviours: behaviours))
        conversation.open()
        return conversation
    }

    func run(_ group: MessageGroup) -> SMTPGroupDelivery { SMTPGroupDelivery(group) { true } }

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

    static let garbage: [String: String] = [
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
        run.giveUp(SMTPFailure(action: .reconnect, stage: .connect, text: "lost"), isStarted: false)
        #expect(run.responses.map { $0?.action } == [.reconnect, nil, nil])
    }

    @Test func aFailureNamesTheStageOfTheMessageItMetOnly() {
        var run = run(.numbered(3))
        run.next = 1
        var envelope = run
        envelope.giveUp(SMTPFailure(action: .reconnect, stage: .rcpt, text: "lost"), isStarted: true)
        #expect(envelope.responses.map { $0?.stage } == [nil, .rcpt, .connect])
        run.giveUp(SMTPFailure(action: .reconnect, stage: .body, text: "lost"), isStarted: true)
        #expect(run.responses.map { $0?.stage } == [nil, .connect, .connect])
    }
}
