import Model
import NIOPosix
import TestServers
import Testing

@testable import Broker

/// What workers share about a scope that is to slow down.
@Suite(.timeLimit(.minutes(5)))
struct AdaptiveRateStoreTests {
    let server: RedisServer
    let broker: Broker
    let board: AdaptiveRateStore
    private let scope = LimitScope.provider("relay")

    init() async throws {
        server = try await RedisServer(["--appendonly", "no"])
        broker = Broker(
            endpoint: RedisEndpoint(place: .unix(path: server.socket)), prefix: "test", partitions: 3, name: "test",
            group: .singletonMultiThreadedEventLoopGroup, logger: quiet)
        // It is so long that no stall of the machine makes it late for a judgement.
        board = AdaptiveRateStore(broker, interval: 60_000_000, backoff: 60_000_000)
    }

    private var key: String { broker.keys.adaptiveRate(scope) }

    /// Says that the last judgement was so long ago, in microseconds; negative for the future.
    private func age(_ microseconds: Int64) async throws {
        let now = try await board.snapshots(of: [scope])[0].now
        _ = try await broker.redis.send(["HSET", .text(key), "at", RedisArgument(now - microseconds)])
    }

    private func see(_ answered: Int = 0, _ throttled: Int = 0, _ started: Int = 0) async throws -> AdaptiveRateStore.Case? {
        try await board.observe(scope, answered: answered, throttled: throttled, started: started).case
    }

    @Test func oneJudgesWhatAllSawOnceItsTimeHasCome() async throws {
        #expect(try await see(10, 1, 12) == nil)
        #expect(try await see(5, 2, 6) == nil)
        try await age(70_000_000)
        let first = try #require(try await see(1, 0, 2))
        #expect([first.answered, first.throttled, first.started] == [16, 3, 20])
        #expect(70...600 ~= first.seconds && first.paused == 0 && first.state == "")
        // While it judges, and until the time has come again, nobody else does.
        try await age(70_000_000)
        #expect(try await see(7, 0, 7) == nil)
        #expect(try await board.steer(scope, first, state: "one", interval: 2500.5))
        let second = try #require(try await see())
        #expect(second.answered == 7 && second.state == "one")
        // A judgement is used once, also by its own judge.
        #expect(try await !board.steer(scope, first, state: "again", interval: nil))
        #expect(try await board.steer(scope, second, state: "two", interval: nil))
        #expect(try await !board.steer(scope, second, state: "twice", interval: 1))
        let snapshot = try await board.snapshots(of: [scope])[0]
        #expect(snapshot.state == "two" && snapshot.interval == nil)
    }

    @Test func manyAtOnceMakeOneJudgeAndLoseNothing() async throws {
        _ = try await see()
        try await age(70_000_000)
        let board = board
        let cases: [AdaptiveRateStore.Case] = try await withThrowingTaskGroup(of: AdaptiveRateStore.Case?.self) { group in
            for _ in 0..<50 {
                group.addTask { try await board.observe(.provider("relay"), answered: 3, throttled: 1, started: 4).case }
            }
            return try await group.reduce(into: [AdaptiveRateStore.Case]()) { if let judge = $1 { $0.append(judge) } }
        }
        #expect(cases.count == 1)
        let left = try await broker.redis.send(["HMGET", .text(key), "answered", "throttled", "started"]).array ?? []
        let judged = try #require(cases.first)
        #expect(
            left.compactMap(\.int)
                == [150 - judged.answered, 50 - judged.throttled, 200 - judged.started].map(Int64.init))
    }

    @Test func aJudgeThatDiedIsGivenUpAndItsLateWordDoesNotCount() async throws {
        _ = try await see()
        try await age(70_000_000)
        let dead = try #require(try await see(4, 4, 4))
        try await age(70_000_000)
        #expect(try await see(1) == nil)
        let now = try await board.snapshots(of: [scope])[0].now
        _ = try await broker.redis.send(["HSET", .text(key), "claim", RedisArgument(now)])
        let next = try #require(try await see(2))
        #expect(next.answered == 3)
        #expect(try await !board.steer(scope, dead, state: "late", interval: 9))
        #expect(try await board.steer(scope, next, state: "next", interval: 7))
        #expect(try await board.snapshots(of: [scope])[0].interval == 7)
    }

    @Test func aClockOfRedisThatWasSetBackStopsNothing() async throws {
        _ = try await see()
        try await age(-3_600_000_000)
        _ = try await broker.redis.send(["HSET", .text(key), "claim", "9000000000000000"])
        #expect(try await see() == nil)
        let at = try #require(try await broker.redis.send(["HGET", .text(key), "at"]).int)
        #expect(try await board.snapshots(of: [scope])[0].now >= at)
        try await age(70_000_000)
        #expect(try await see() != nil)
    }

    @Test func aPauseIsNeverShortenedAndADayAtMost() async throws {
        #expect(try await board.observe(scope, answered: 1, throttled: 1, started: 0, pause: 30).snapshot.pause == 30)
        let shorter = try await board.observe(scope, answered: 1, throttled: 1, started: 0, pause: 1).snapshot
        #expect(1...30 ~= shorter.pause)
        for nothing in [-5, 0, .nan] as [Double] {
            #expect(
                try await board.observe(scope, answered: 0, throttled: 0, started: 0, pause: nothing).snapshot.until
                    == shorter.until)
        }
        for absurd in [1e9, .infinity] as [Double] {
            #expect(
                try await board.observe(scope, answered: 0, throttled: 0, started: 0, pause: absurd).snapshot.pause
                    == 86_400)
        }
        // It outlives the pause.
        let left = try await broker.redis.send(["PTTL", .text(key)]).int ?? 0
        #expect(left > 86_400_000)
    }

    @Test func theJudgeIsToldHowLongItWasPaused() async throws {
        _ = try await board.observe(scope, answered: 0, throttled: 0, started: 0, pause: 60)
        let now = try await board.snapshots(of: [scope])[0].now
        // Judged 300 s ago, paused since 200 s ago.
        _ = try await broker.redis.send([
            "HSET", .text(key), "at", RedisArgument(now - 300_000_000), "from", RedisArgument(now - 200_000_000),
        ])
        let judged = try #require(try await see())
        #expect(abs(judged.seconds - judged.paused - 100) < 0.001)
        // A pause that was over before counts for nothing.
        #expect(try await board.steer(scope, judged, state: "", interval: nil))
        _ = try await broker.redis.send([
            "HSET", .text(key), "at", RedisArgument(now - 100_000_000), "from", RedisArgument(now - 300_000_000), "until",
            RedisArgument(now - 200_000_000),
        ])
        #expect(try #require(try await see()).paused == 0)
    }

    @Test func scopesStandForThemselvesAndAreForgottenInTheEnd() async throws {
        _ = try await board.observe(scope, answered: 1, throttled: 1, started: 1, pause: 10)
        let snapshots = try await board.snapshots(of: [.domain("nowhere.example"), scope])
        #expect(snapshots[0].until == 0 && snapshots[0].interval == nil && snapshots[0].pause == 0)
        #expect(snapshots[1].pause > 1)
        #expect(try await board.snapshots(of: []).isEmpty)
        let left = try await broker.redis.send(["PTTL", .text(key)]).int ?? 0
        #expect(600_000...610_001 ~= left)
    }

    @Test func aNewRedisStartsAfresh() async throws {
        _ = try await see(3, 3, 3)
        _ = try await broker.redis.send(["DEL", .text(key)])
        #expect(try await see(1) == nil)
        try await age(70_000_000)
        #expect(try #require(try await see()).answered == 1)
    }
}
