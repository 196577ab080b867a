import NIOCore
import Policy
import Synchronization
import Testing
@testable import Model
@testable import Transport

/// Whom a refusal concerns: the message, the session, or everybody.
extension SMTPDialogueTests {
    @Test func a421ToTheFinalDotIsThatMessagesResponse() {
        var conversation = opened(Self.all, [.closeAtText])
        let run = conversation.send(run(.numbered(2)))
        #expect(run.responses.map { $0?.action } == [.slowDown, nil])
        #expect(run.responses[0]?.code == 421 && run.responses[0]?.stage == .response)
        #expect(run.next == 1)
    }

    @Test(arguments: [SMTPScriptedServer.Behaviour.closeAtRecipient, .closeAtData])
    func a421OfTheRecipientsDomainIsThatMessagesResponseAndTheRestGoesOn(_ behaviour: SMTPScriptedServer.Behaviour) {
        let server = SMTPScriptedServer(offers: Self.all, behaviours: [.accept, behaviour])
        var conversation = SMTPConversation(server)
        conversation.server.closing = "4.7.28 Gmail has detected an unusual rate of unsolicited mail"
        conversation.open()
        let run = conversation.send(run(.numbered(4)))
        #expect(run.responses.map { $0?.action } == [.accept, .slowDownDomain, nil, nil])
        #expect(run.next == 2 && run.isAnswered)
        #expect(conversation.dialogue.failure?.action == .slowDown)
    }

    @Test(arguments: [SMTPScriptedServer.Behaviour.closeAtMail, .closeAtRecipient, .closeAtData])
    func a421OfTheProviderIsTheResponseOfTheMessageThatMetIt(_ behaviour: SMTPScriptedServer.Behaviour) {
        var conversation = opened(Self.all, [behaviour])
        let run = conversation.send(run(.numbered(2)))
        #expect(run.responses.map { $0?.action } == [.slowDown, nil])
        #expect(run.next == 1 && !run.isAnswered)
        #expect(conversation.dialogue.failure?.action == .slowDown)
    }

    /// Bytes of a server in, and what is written then.
    func replies(_ text: String, to conversation: inout SMTPConversation) -> String {
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

    @Test func aLimitOfTheSessionOnAFreshConnectionIsTheMessagesResponse() {
        var conversation = opened(Self.all)
        var out = ByteBuffer()
        conversation.dialogue.begin(run(.numbered(2)), into: &out)
        _ = replies("452 4.4.5 Too many messages per session\r\n503 no\r\n503 no\r\n", to: &conversation)
        #expect(conversation.dialogue.failure == nil)
        #expect(conversation.dialogue.run.responses[0]?.action == .slowDown)
        // It is about us, and so is what the next message is answered: no other connection is asked for.
        #expect(conversation.dialogue.run.responses[0]?.subject == .everybody && !conversation.dialogue.run.isAnswered)
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
    @Test func aRefusedMAILOfAFirstMessageIsItsResponse() {
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
        #expect(run.next == 1 && run.isAnswered)
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
}
