import Testing

@testable import Delivery

@Suite struct ConnectionBudgetTests {
    @Test func providersShareWhatThereIs() {
        let budget = ConnectionBudget(100)
        // Four are the transport's own.
        #expect(budget.grant(20) == ConnectionBudget.Grant(connections: 20, late: 9))
        // Most of what is left, and something for the next.
        #expect(budget.grant(1_500) == ConnectionBudget.Grant(connections: 56, late: 0))
        #expect(budget.grant(20) == ConnectionBudget.Grant(connections: 3, late: 0))
        #expect(budget.grant(20) == ConnectionBudget.Grant(connections: 1, late: 0))
    }

    @Test func whereThereIsEnoughEachGetsWhatItWants() {
        let budget = ConnectionBudget(.max)
        #expect(budget.grant(10_000) == ConnectionBudget.Grant(connections: 10_000, late: 200))
        #expect(budget.grant(10) == ConnectionBudget.Grant(connections: 10, late: 40))
    }

    /// Whatever providers ask for, what they are given has a descriptor, but for the one connection that each needs.
    @Test(arguments: [8, 50, 200, 968]) func connectionsAndLateOnesFitTogether(descriptors: Int) {
        let budget = ConnectionBudget(descriptors)
        var given = 0
        for wanted in [20, 500, 1, 90, 10_000, 20, 20] {
            let grant = budget.grant(wanted)
            #expect((1...wanted).contains(grant.connections) && grant.late >= 0)
            if grant.connections > 1 || given + 5 <= descriptors { given += 4 + grant.connections + grant.late }
            #expect(given <= descriptors)
        }
    }
}
