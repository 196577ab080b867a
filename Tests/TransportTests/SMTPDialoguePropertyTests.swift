import NIOCore
import Testing

@testable import Model
@testable import Transport

@Suite struct SMTPDialoguePropertyTests {
    private static let refusals: [SMTPScriptedServer.Behaviour] = [
        .accept, .accept, .accept, .refuseMail, .refuseRecipient, .refuseRecipientButAsk, .refuseData, .refuseText,
    ]
    private static let failures: [SMTPScriptedServer.Behaviour] =
        refusals + [
            .closeAtMail, .closeAtRecipient, .closeAtData, .closeAtText, .dropAtMail, .dropAtRecipient, .dropAtData,
            .dropAtText, .dropAfterTakingText,
        ]

    private func behaviours(
        _ kinds: [SMTPScriptedServer.Behaviour], _ generator: inout SeededGenerator
    ) -> [SMTPScriptedServer.Behaviour] {
        (0..<40).map { _ in kinds.randomElement(using: &generator) ?? .accept }
    }

    /// However the replies are cut, at each single place and in random pieces, the client says and answers the same.
    @Test(arguments: [UInt64](1...12))
    func theCutOfTheServersBytesChangesNothing(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let behaviours = behaviours(Self.refusals, &generator)
        let offers = seed % 2 == 0 ? SMTPDialogueTests.all : []
        func talk(_ piece: @escaping () -> Int) -> (sent: [UInt8], responses: [ProviderResponse?]) {
            var server = SMTPScriptedServer(offers: offers, behaviours: behaviours, isWordy: seed % 3 == 0)
            server.greeting = "220-hello\r\n220 scripted\r\n"
            var conversation = SMTPConversation(server, piece: piece)
            conversation.open()
            let responses = conversation.send(SMTPGroupDelivery(.numbered(6)) { true }).responses
            return (conversation.sent, responses)
        }
        let whole = talk { 1 << 16 }
        // A refused MAIL behind an accepted message ends the session, and the rest is another connection's.
        #expect(whole.responses[0] != nil)
        for place in 1...60 {
            let cut = talk { place }
            #expect(cut == whole, "in pieces of \(place) bytes")
        }
        for _ in 0..<20 {
            var pieces = SeededGenerator(seed: generator.next())
            let cut = talk { Int.random(in: 1...40, using: &pieces) }
            #expect(cut == whole)
        }
    }

    /// On servers that refuse and fail at random, over as many connections as it takes: each message is answered, what
    /// is answered as accepted was taken once, and what was taken without being acknowledged is answered as uncertain.
    @Test(arguments: [UInt64](1...300))
    func answersAgreeWithWhatTheServerTook(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let offers = Bool.random(using: &generator) ? SMTPDialogueTests.all : []
        let count = Int.random(in: 1...12, using: &generator)
        var run = SMTPGroupDelivery(.numbered(count)) { true }
        var taken: [String: Int] = [:]
        var connections = 0
        while !run.isOver, connections < 200 {
            connections += 1
            let server = SMTPScriptedServer(
                offers: offers, behaviours: behaviours(Self.failures, &generator),
                isWordy: Bool.random(using: &generator))
            var pieces = SeededGenerator(seed: generator.next())
            var conversation = SMTPConversation(server) { Int.random(in: 1...50, using: &pieces) }
            conversation.open()
            run = conversation.send(run)
            #expect(conversation.server.breaches == [])
            for message in conversation.server.taken { taken[message.recipient, default: 0] += 1 }
        }
        #expect(run.isOver)
        for (index, response) in run.responses.enumerated() {
            let times = taken["user\(index)@example.com"] ?? 0
            switch response?.action {
            case .accept: #expect(times == 1)
            case .reconnect: #expect(times <= 1 && response?.stage == .body)
            case nil: Issue.record("message \(index) has no answer")
            default: #expect(times == 0)
            }
        }
    }
}

/// Compares what was sent and answered.
private func == (left: (sent: [UInt8], responses: [ProviderResponse?]), right: (sent: [UInt8], responses: [ProviderResponse?])) -> Bool {
    left.sent == right.sent && left.responses == right.responses
}
