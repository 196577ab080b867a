import Model
import Policy
import Testing

@Suite struct StartRuleTests {
    private func rule(_ late: Mailing.MisfirePolicy) -> StartRule {
        StartRule(start: 1_000_000, misfirePolicy: late, maximumDelay: 60)
    }

    @Test func withoutAStartItBegins() {
        #expect(StartRule(start: nil, misfirePolicy: .hold, maximumDelay: 60).decide(now: .max) == .begin)
    }

    @Test(arguments: [Mailing.MisfirePolicy.hold, .send])
    func itWaitsForItsStartAndBeginsWithinTheDelay(_ late: Mailing.MisfirePolicy) {
        #expect(rule(late).decide(now: 0) == .wait(1_000_000))
        #expect(rule(late).decide(now: 999_999) == .wait(1))
        #expect(rule(late).decide(now: 1_000_000) == .begin)
        #expect(rule(late).decide(now: 1_060_000) == .begin)
    }

    @Test func whatIsTooLateIsHeldOrSentAsTheMailingSays() {
        #expect(rule(.hold).decide(now: 1_060_001) == .hold(by: 60_001))
        #expect(rule(.send).decide(now: 1_060_001) == .beginLate(by: 60_001))
    }

    @Test func aMailingThatSaysNothingIsHeldAfterAnHour() {
        let mailing = Mailing(name: "x", channel: .email, provider: "y")
        #expect(StartRule(mailing, start: 5) == StartRule(start: 5, misfirePolicy: .hold, maximumDelay: 3_600))
        var other = mailing
        other.late = .send
        other.maximumDelay = 10
        #expect(StartRule(other, start: 5) == StartRule(start: 5, misfirePolicy: .send, maximumDelay: 10))
    }
}
