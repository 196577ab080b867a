import NIOCore
import Testing

@testable import Model
@testable import Transport

/// How long a connection waits for its server, with the time in the test's hands.
@Suite struct SMTPDeadlinesTests {
    private let start = NIODeadline.now()

    private func provider(timeout: Duration? = nil) -> Provider {
        var provider = Provider(name: "test", scheme: .smtp, host: "127.0.0.1", port: 25)
        provider.connectTimeout = .seconds(10)
        provider.timeout = timeout
        provider.finalTimeout = .seconds(600)
        return provider
    }

    private func receive(_ text: String, _ dialogue: inout SMTPDialogue) {
        var out = ByteBuffer()
        dialogue.receive(Array(text.utf8).span, into: &out)
    }

    private func greeted() -> SMTPDialogue {
        var dialogue = SMTPDialogue(.plain, isEncrypted: false)
        receive("220 ready\r\n250-test\r\n250 PIPELINING\r\n", &dialogue)
        return dialogue
    }

    @Test func aLateGreetingIsReportedOnceAndGetsTheTimeOfAnyReply() {
        let dialogue = SMTPDialogue(.plain, isEncrypted: false)
        var deadlines = SMTPDeadlines(provider(), isHandshaking: false)
        #expect(deadlines.next(for: dialogue, now: start) == start + .seconds(10))
        let late = start + .seconds(10)
        #expect(deadlines.passed(dialogue, now: late) == .lateGreeting(limit: .seconds(300), until: late + .seconds(290)))
        #expect(deadlines.passed(dialogue, now: late + .seconds(290)) == .giveUp(after: .seconds(300)))
    }

    @Test func aShortTimeoutBoundsTheGreetingToo() {
        let dialogue = SMTPDialogue(.plain, isEncrypted: false)
        var deadlines = SMTPDeadlines(provider(timeout: .seconds(5)), isHandshaking: false)
        #expect(deadlines.next(for: dialogue, now: start) == start + .seconds(5))
        #expect(deadlines.passed(dialogue, now: start + .seconds(5)) == .giveUp(after: .seconds(5)))
    }

    @Test func aHandshakeHasTheTimeOfAConnect() {
        let dialogue = SMTPDialogue(.plain, isEncrypted: true)
        var deadlines = SMTPDeadlines(provider(), isHandshaking: true)
        #expect(deadlines.next(for: dialogue, now: start) == start + .seconds(10))
        #expect(deadlines.passed(dialogue, now: start + .seconds(10)) == .giveUp(after: .seconds(10)))
    }

    @Test func aConnectionWithoutWorkKeepsItsDeadlineAndIsRetired() {
        let dialogue = greeted()
        var deadlines = SMTPDeadlines(provider(), isHandshaking: false)
        #expect(deadlines.next(for: dialogue, now: start) == nil)
        #expect(deadlines.passed(dialogue, now: start) == .retire)
    }

    @Test(arguments: [false, true]) func aFinalDotIsLateLongBeforeItIsGivenUp(mayDetach: Bool) {
        var dialogue = greeted()
        var group = MessageGroup.numbered(1)
        if mayDetach { group.detach = { _, _ in } }
        var out = ByteBuffer()
        dialogue.begin(SMTPGroupDelivery(group) { true }, into: &out)
        receive("250 ok\r\n250 ok\r\n354 go on\r\n", &dialogue)
        var deadlines = SMTPDeadlines(provider(), isHandshaking: false)
        let end = start + .seconds(600)
        let late = TimeAmount.nanoseconds(SlowResponses.lateAfter)
        #expect(deadlines.next(for: dialogue, now: start) == (mayDetach ? start + late : end))
        if mayDetach {
            let now = start + late
            #expect(deadlines.passed(dialogue, now: now) == .detach(until: end, lookAgain: now + late))
            // The next look is never behind the end.
            #expect(deadlines.passed(dialogue, now: end - .seconds(1)) == .detach(until: end, lookAgain: end))
        }
        #expect(deadlines.passed(dialogue, now: end) == .giveUp(after: .seconds(600)))
    }
}
