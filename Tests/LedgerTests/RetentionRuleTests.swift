import Ledger
import Model
import Testing

@Suite struct RetentionRuleTests {
    private func facts(
        _ state: MailingState = .sent, ended: Int64? = 99, _ change: (inout RetentionRule.Facts) -> Void = { _ in }
    ) -> RetentionRule.Facts {
        var facts = RetentionRule.Facts(state: state, ended: ended)
        change(&facts)
        return facts
    }

    @Test func onlyWhatHasEndedLongAgoMayGo() {
        let rule = RetentionRule(cutoff: 100)
        for state in MailingState.allCases {
            #expect(rule.obstacle(facts(state)) == (state.isTerminal ? nil : .inWork))
            #expect(rule.obstacle(facts(state) { $0.dispatched = 1 }) == .inWork)
        }
        #expect(rule.obstacle(facts(ended: 100)) == .young && rule.obstacle(facts(ended: nil)) == .young)
        #expect(rule.obstacle(facts { $0.uncertain = 2 }) == .uncertain(2))
        #expect(rule.obstacle(facts { $0.readers = 1 }) == .needed)
        // The rest of a stopped mailing is still being stopped; that of one whose file was unusable stays planned for ever.
        #expect(rule.obstacle(facts(.stopped) { $0.open = 1 }) == .inWork)
        #expect(rule.obstacle(facts(.failed) { $0.open = 1 }) == nil)
    }

    @Test func anyAgeIsPossible() {
        #expect(RetentionRule(keeping: .seconds(10), now: 15_000).cutoff == 5_000)
        #expect(RetentionRule(keeping: .seconds(Int64.max), now: 0).cutoff < 0)
        #expect(RetentionRule(keeping: .seconds(-1), now: 7).cutoff == 7)
    }

    @Test func aSlowDiskGetsSmallerPartsAtOnceAndAFastOneLargerOnesByAndBy() {
        var budget = PruneBudget()
        for _ in 0..<20 { budget.take(budget.part) }
        #expect(budget.part == .milliseconds(40))
        budget.take(.milliseconds(400))
        #expect(budget.part == .milliseconds(4))
        for _ in 0..<20 { budget.take(.seconds(5)) }
        #expect(budget.part == .milliseconds(1))
        budget.take(.zero)
        #expect(budget.part > .milliseconds(1))
        // A commit that takes half of it leaves the other half for the rows.
        for _ in 0..<50 { budget.take(budget.part + .milliseconds(20)) }
        #expect(budget.part + .milliseconds(20) < .milliseconds(45))
        #expect(budget.pause >= .milliseconds(50))
    }
}
