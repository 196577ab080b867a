import NIOCore
import Policy
import Synchronization
import Testing
@testable import Model
@testable import Transport

/// What a connection must offer for a message: SMTPUTF8 (RFC 6531) and 8BITMIME (RFC 6152).
extension SMTPDialogueTests {
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

    /// Some servers behind a name understand more than others: the message changes connections until one can take it.
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
        // The second connection continues where the first ended.
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
}
