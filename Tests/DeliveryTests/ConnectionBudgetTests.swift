import Testing

@testable import Delivery

@Suite struct ConnectionBudgetTests {
    @Test func providersShareWhatThereIs() {
        let budget = ConnectionBudget(100)
        #expect(budget.grant(20) == 20)
        // Most of what is left, and something for the next.
        #expect(budget.grant(1_500) == 70)
        #expect(budget.grant(20) == 9)
        #expect(budget.grant(20) == 1)
        #expect(budget.grant(20) == 1)
    }

    @Test func whereThereIsEnoughEachGetsWhatItWants() {
        let budget = ConnectionBudget(.max)
        #expect(budget.grant(10_000) == 10_000 && budget.grant(10_000) == 10_000)
    }
}
