import Model
import Policy
import Testing

@Suite struct BlockingReasonTests {
    private func facts(_ change: (inout BlockingFacts) -> Void = { _ in }) -> BlockingReason {
        var facts = BlockingFacts(state: .sending, channel: .sms, provider: "p", open: 10, silence: 100, workers: 2)
        facts.dispatched = 1
        facts.next = 0
        change(&facts)
        return facts.blockingReason(stuckAfter: .seconds(60))
    }

    @Test func workThatNothingHoldsUpIsStuckAfterAWhile() {
        #expect(facts() == .stuck(100))
        #expect(facts { $0.silence = 59 } == .none)
        #expect(
            facts { $0.shares = [Heartbeat.Share(), Heartbeat.Share(waiting: 0, scope: .provider("p"), interval: 0.1)] } == .stuck(100))
    }

    @Test func whatHoldsItUpIsSaidInstead() {
        #expect(
            facts {
                $0.state = .paused
                $0.reason = "by hand"
            } == .paused("by hand"))
        #expect(facts { $0.held = 10 } == .undecided(10))
        #expect(
            facts {
                $0.dispatched = 0
                $0.next = 30
            } == .due(30))
        #expect(facts { $0.workers = 0 } == .noWorker(.sms))
        #expect(facts { ($0.workers, $0.redisProblem) = (0, "it evicts") } == .redis("it evicts"))
        #expect(facts { ($0.redisProblem, $0.hasPlanner) = ("it evicts", false) } == .noPlanner)
        #expect(facts { ($0.workers, $0.hasPlanner) = (0, false) } == .noPlanner)
        #expect(facts { ($0.state, $0.hasPlanner) = (.scheduled, false) } == .noPlanner)
        #expect(facts { ($0.state, $0.hasPlanner) = (.paused, false) } == .paused(""))
        #expect(
            facts { $0.shares = [Heartbeat.Share(waiting: 3, scope: .provider("p"), interval: 0.1, pause: 7)] } == .asked(.provider("p"), 7)
        )
        #expect(facts { $0.lag = 20 } == .lag(20))
        #expect(facts { $0.shares = [Heartbeat.Share(isDown: true)] } == .down("p"))
        #expect(facts { $0.open = 0 } == .none)
        #expect(facts { $0.state = .collecting } == .none)
    }

    /// The limit would allow more: it is not what holds the mailing back.
    @Test func aLimitIsNotNamedWhereMessagesWaitForConnections() {
        var share = Heartbeat.Share(waiting: 3, scope: .mailing("m"), interval: 0.0001)
        #expect(facts { ($0.silence, $0.shares) = (1, [share]) } == .limited(.mailing("m")))
        share.exhausted = "connections=2"
        #expect(facts { ($0.silence, $0.shares) = (1, [share]) } == .connections("p", setting: "connections=2"))
    }

    /// No worker has a batch of it, but some have those of others of its lane.
    @Test func aMailingBehindOthersIsBlockedByWhatBlocksTheProvider() {
        #expect(facts { $0.ahead = [Heartbeat.Share(), Heartbeat.Share(isDown: true)] } == .down("p"))
        let limited = Heartbeat.Share(waiting: 3, scope: .provider("p"), interval: 0.1, pause: 7)
        #expect(facts { $0.ahead = [limited] } == .asked(.provider("p"), 7))
        var busy = Heartbeat.Share(waiting: 3, scope: .channel(.sms), interval: 0.1)
        #expect(facts { $0.ahead = [busy] } == .limited(.channel(.sms)))
        busy.exhausted = "connections=2"
        #expect(facts { $0.ahead = [busy] } == .connections("p", setting: "connections=2"))
        // The others' own limits are none of it, and what workers report of it counts alone.
        #expect(facts { $0.ahead = [Heartbeat.Share(waiting: 3, scope: .mailing("m"), interval: 9)] } == .stuck(100))
        #expect(facts { ($0.shares, $0.ahead) = ([Heartbeat.Share()], [busy]) } == .stuck(100))
        #expect(facts { ($0.dispatched, $0.ahead) = (0, [busy]) } == .stuck(100))
    }

    @Test func aLimitIsWaitedForAsLongAsItTakes() {
        let rare = Heartbeat.Share(waiting: 3, scope: .domain("d"), interval: 60)
        let common = Heartbeat.Share(waiting: 300, scope: .provider("p"), interval: 0.01)
        #expect(facts { $0.shares = [common, rare] } == .limited(.domain("d")))
        #expect(
            facts {
                $0.silence = 241
                $0.shares = [common, rare]
            } == .stuck(241))
        #expect(
            facts {
                $0.silence = 61
                $0.shares = [common]
            } == .stuck(61))
        #expect(
            facts {
                $0.silence = 59
                $0.shares = [common]
            } == .limited(.provider("p")))
    }
}
