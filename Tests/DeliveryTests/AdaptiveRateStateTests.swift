import Logging
import Model
import NIOPosix
import Policy
import TestServers
import Testing

@testable import Broker
@testable import Delivery

/// What a worker counts of scopes that ask to be slowed down.
@Suite(.timeLimit(.minutes(5)))
struct AdaptiveRateStateTests {
    private static let second: Int64 = 1_000_000_000
    private let scope = LimitScope.provider("p")
    private let domain = LimitScope.domain("d")

    /// The responses of a group, of which some ask to slow down.
    static func outcome(answered: Int, throttled: Int = 0, domainThrottled: Int = 0, pause: Double? = nil) -> GroupOutcome {
        var outcome = GroupOutcome()
        for number in 0..<answered {
            let action: ResponseAction =
                number < throttled ? .slowDown : number < throttled + domainThrottled ? .slowDownDomain : .accept
            var response = ProviderResponse(action: action, stage: .response, code: 0, text: "")
            if action == .slowDown { response.retryAfter = pause }
            outcome.count(response, isRetry: false)
        }
        return outcome
    }

    static func snapshot(pause: Double = 0, interval: Double? = nil, state: String = AdaptiveRate().encoded) -> AdaptiveRateStore.Snapshot {
        AdaptiveRateStore.Snapshot(now: 1_000, until: pause > 0 ? 1_000 + Int64(pause * 1e6) : 0, interval: interval, state: state)
    }

    @Test func nothingIsCountedBeforeTheFirstRequestToSlowDown() {
        var state = AdaptiveRateState()
        #expect(state.note(Self.outcome(answered: 5), provider: scope, domain: domain, at: 0) == nil)
        #expect(state.watched.isEmpty && state.unreported([scope, domain]).isEmpty)
        _ = state.note(Self.outcome(answered: 5, throttled: 2), provider: scope, domain: domain, at: 0)
        _ = state.note(Self.outcome(answered: 5), provider: scope, domain: domain, at: 0)
        #expect(state.watched == [scope] && state.unreported([scope, domain]) == [scope])
        #expect(state.takeSeen(of: scope) == .init(answered: 10, throttled: 2))
        #expect(state.takeSeen(of: scope) == nil)
        // A domain has its own count.
        _ = state.note(Self.outcome(answered: 4, domainThrottled: 3), provider: scope, domain: domain, at: 0)
        #expect(state.takeSeen(of: domain) == .init(answered: 4, throttled: 3))
    }

    @Test func aPauseThatIsLongerThanTheKnownOneStopsTheScope() {
        var state = AdaptiveRateState()
        func asks(_ pause: Double, at now: Int64) -> LimitScope? {
            state.note(Self.outcome(answered: 1, throttled: 1, pause: pause), provider: scope, domain: nil, at: now)
        }
        #expect(asks(30, at: 0) == scope)
        _ = state.take(Self.snapshot(pause: 30), of: scope, at: 0)
        #expect(asks(30, at: 0) == nil)
        #expect(asks(30, at: 10 * Self.second) == scope)
        #expect(state.takeSeen(of: scope)?.pause == 30)
    }

    @Test func aPauseThatRedisLostIsReportedAgain() {
        var state = AdaptiveRateState()
        _ = state.take(Self.snapshot(pause: 30), of: scope, at: 0)
        _ = state.take(Self.snapshot(state: ""), of: scope, at: 10 * Self.second)
        #expect(state.takeSeen(of: scope)?.pause == 20)
        // One that has ended is not.
        _ = state.take(Self.snapshot(pause: 30), of: scope, at: 0)
        _ = state.take(Self.snapshot(state: ""), of: scope, at: 30 * Self.second)
        #expect(state.takeSeen(of: scope) == nil)
    }

    @Test func whatIsNotUsedAnyMoreIsForgotten() {
        var state = AdaptiveRateState()
        _ = state.take(Self.snapshot(pause: 30, interval: 5), of: scope, at: 0)
        _ = state.take(Self.snapshot(), of: domain, at: 0)
        let first = state.settle([scope, domain])
        #expect(first.held == [scope: .init(interval: 5, until: 30 * Self.second)] && first.forgotten.isEmpty)
        let second = state.settle([domain])
        #expect(second.held.isEmpty && second.forgotten == [scope] && state.watched.isEmpty)
    }

    @Test func whateverHappensEachResponseIsReportedOnceAndNothingIsWatchedForEver() {
        for seed in 0..<1_000 as Range<UInt64> {
            if let problem = run(seed) { Issue.record("seed \(seed): \(problem)") }
        }
    }

    /// - Returns: what is wrong.
    private func run(_ seed: UInt64) -> String? {
        var random = SeededGenerator(seed: seed)
        var state = AdaptiveRateState()
        let scopes = [scope, .provider("q")]
        var now: Int64 = 0
        /// What each scope has had since it was watched, and what was reported of that.
        var had: [LimitScope: Int] = [:]
        var reported: [LimitScope: Int] = [:]
        func report(_ scope: LimitScope, fails: Bool) {
            guard let seen = state.takeSeen(of: scope) else { return }
            if fails { return state.count(seen, of: scope) }
            reported[scope, default: 0] += seen.answered
        }
        for _ in 0..<80 {
            now += Int64.random(in: 0...Self.second, using: &random)
            guard let scope = scopes.randomElement(using: &random) else { continue }
            switch Int.random(in: 0..<6, using: &random) {
            case 0, 1, 2:
                let answered = Int.random(in: 0...9, using: &random)
                let throttled = Bool.random(using: &random) ? Int.random(in: 0...answered, using: &random) : 0
                _ = state.note(Self.outcome(answered: answered, throttled: throttled), provider: scope, domain: nil, at: now)
                if state.watched.contains(scope) { had[scope, default: 0] += answered }
            case 3: report(scope, fails: Bool.random(using: &random))
            case 4:
                let pause = Bool.random(using: &random) ? Double.random(in: 0...20, using: &random) : 0
                _ = state.take(Self.snapshot(pause: pause), of: scope, at: now)
            default:
                for scope in state.unreported(Set(scopes)) { report(scope, fails: false) }
                for scope in scopes where reported[scope, default: 0] != had[scope, default: 0] {
                    return "\(scope) had \(had), and reported are \(reported)"
                }
                _ = state.settle(Set(scopes))
            }
        }
        // All is quiet, and the rates have recovered.
        for scope in scopes {
            report(scope, fails: false)
            _ = state.take(Self.snapshot(), of: scope, at: now + 100 * Self.second)
            report(scope, fails: false)
        }
        _ = state.settle(Set(scopes))
        return state.watched.isEmpty ? nil : "\(state.watched) are still watched"
    }

    // MARK: - The shell, on a real Redis

    @Test func aPauseIsKnownToTheFleetAndOutlivesALossOfRedis() async throws {
        let server = try await RedisServer()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let broker = Broker(
            endpoint: RedisEndpoint(place: .unix(path: server.socket)), prefix: "test", partitions: 2, name: "test",
            group: .singletonMultiThreadedEventLoopGroup, logger: logger)
        let limits = ActiveLimits(Limits(), clocks: .system, logger: logger)
        let store = AdaptiveRateStore(broker)
        let controllers = (0..<2).map { _ in AdaptiveRateController(store, limits: limits, time: SharedTime(), logger: logger) }
        #expect(controllers[0].note(Self.outcome(answered: 3, throttled: 1, pause: 3_000), provider: "p", domain: nil) == scope)
        try await controllers[0].tell(scope)
        for controller in controllers {
            let held = try await controller.exchange([scope])
            #expect(held[scope].map { $0.until > Clock.monotonic() } == true)
        }
        _ = try await broker.redis.send(["FLUSHALL"])
        // The first exchange finds the loss, and the next one reports the pause.
        for _ in 0..<2 { _ = try await controllers[0].exchange([scope]) }
        let snapshot = try #require(try await store.snapshots(of: [scope]).first)
        #expect(snapshot.pause > 2_000)
        await broker.close()
    }
}
