import Testing

@testable import Planning

/// What the ledger and the log tell of a problem with Redis, with the time in the test's hands.
@Suite struct DispatchProblemTests {
    private let start = ContinuousClock.now

    @Test func aProblemIsReportedOnceItHasLasted() {
        var problem = DispatchProblem()
        #expect(problem.toReport(at: start) == nil)
        problem.note("no connection", at: start)
        #expect(problem.toReport(at: start + .milliseconds(999)) == nil)
        // Another text is the same problem.
        problem.note("it is full", at: start + .milliseconds(500))
        #expect(problem.toReport(at: start + .seconds(1)) == "it is full")
        problem.wasReported("it is full")
        #expect(problem.reported == "it is full")
        problem.note(nil, at: start + .seconds(2))
        #expect(problem.toReport(at: start + .seconds(2)) == nil)
        // A new one has to last by itself.
        problem.note("no connection", at: start + .seconds(3))
        #expect(problem.toReport(at: start + .seconds(3)) == nil)
        #expect(problem.toReport(at: start + .seconds(4)) == "no connection")
    }

    @Test func theLogTellsOfItNowAndThen() {
        var problem = DispatchProblem()
        #expect(problem.isTimeToSay(at: start) == true)
        #expect(problem.isTimeToSay(at: start + .milliseconds(9_999)) == false)
        #expect(problem.isTimeToSay(at: start + .seconds(10)) == true)
        #expect(problem.isTimeToSay(at: start + .seconds(11)) == false)
    }
}
