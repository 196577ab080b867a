import Model
import NIOPosix
import Policy
import TestServers
import Testing

@testable import Broker

/// `reserve.lua` on a real Redis against the same arithmetic in Swift.
@Suite(.timeLimit(.minutes(5)))
struct ThrottleTests {
    let server: RedisServer
    let broker: Broker
    let throttle: Throttle
    let clock: TestClock
    static let horizon = Duration.milliseconds(200)

    init() async throws {
        server = try await RedisServer()
        broker = Broker(
            endpoint: RedisEndpoint(place: .unix(path: server.socket)), prefix: "test", partitions: 3, name: "test",
            group: .singletonMultiThreadedEventLoopGroup, logger: quiet)
        clock = TestClock(broker)
        throttle = Throttle(broker, reserve: TestClock.timed(Scripts.reserve), queue: TestClock.timed(Scripts.queue))
        try await clock.set(1_796_112_000_000_000)
    }

    private func scope(_ name: LimitScope, _ limit: ReservationCalendar.Limit) -> Throttle.ScopeLimit {
        Throttle.ScopeLimit(name, interval: limit.interval, burst: limit.burst)
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func theScriptGrantsWhatTheModelGrants(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let names: [LimitScope] = [.provider("p"), .channel(.email), .mailing("m"), .domain("d")]
        // The odd ones are dense: more free cells are left over than are kept.
        let intervals = seed % 2 == 0 ? [81.004, 333.333, 2_000, 40_000, 58_881.25] : [81.004, 240.5, 333.333]
        var limits = names.map { _ in
            ReservationCalendar.Limit(
                interval: intervals.randomElement(using: &random) ?? 1, burst: Int.random(in: 1...3, using: &random))
        }
        var calendars: [ReservationCalendar?] = names.map { _ in nil }
        var granted = 0
        var now: Int64 = 1_796_112_000_123_456
        for step in 0..<300 {
            if step == 150 { limits[0].interval *= 1.7 }
            // Mostly short steps, as workers ask; now and then a long rest, and once a clock that is set back.
            now += step == 220 ? -40_000_000 : [0, 150, 700, 3_000, 30_000, 2_500_000].randomElement(using: &random) ?? 0
            let which = names.indices.filter { _ in Double.random(in: 0..<1, using: &random) < 0.6 }
            guard !which.isEmpty else { continue }
            let count = Int.random(in: 1...(seed % 2 == 0 ? 40 : 400), using: &random)
            let after = Bool.random(using: &random) ? 0.0 : 1_700
            let spacing = Bool.random(using: &random) ? 0.0 : 900
            try await clock.set(now)
            let reserved = try await throttle.reserve(
                count, in: which.map { scope(names[$0], limits[$0]) }, horizon: Self.horizon,
                after: .microseconds(Int64(after)), spacing: .microseconds(Int64(spacing)))
            let horizon = 200_000.0
            var own = which.map { calendars[$0] ?? ReservationCalendar(limits[$0], now: Double(now), horizon: horizon) }
            let grant = ReservationCalendar.reserve(
                count, in: &own, limits: which.map { limits[$0] },
                within: ReservationCalendar.Window(now: Double(now), horizon: horizon, after: after, spacing: spacing))
            for (place, calendar) in zip(which, own) { calendars[place] = calendar }
            #expect(reserved.now == Double(now))
            #expect(reserved.moments == grant.moments.map { UInt32($0.rounded(.up)) }, "step \(step)")
            for ((moment, slack), latest) in zip(zip(reserved.moments, reserved.slack), grant.latest) {
                #expect(abs(Double(moment) + Double(slack) - max(latest, Double(moment))) <= 1, "step \(step)")
            }
            #expect(abs(reserved.next - grant.next) <= 0.5, "step \(step)")
            granted += reserved.moments.count
        }
        #expect(granted > 500)
    }

    @Test func aPaceHoldsBackEvenWhereThereIsNoLimit() async throws {
        let scope = Throttle.ScopeLimit(.provider("p"), interval: 0, burst: 1)
        try await clock.set(1_796_112_000_000_000)
        let free = try await throttle.reserve(3, in: [scope], horizon: Self.horizon)
        #expect(free.moments == [0, 0, 0])
        let until = free.now + 5e6
        _ = try await broker.redis.send([
            "HSET", .text(broker.keys.adaptiveRate(scope.scope)), "until", .text("\(Int(until))"), "interval", "1000",
        ])
        let paused = try await throttle.reserve(3, in: [scope], horizon: Self.horizon)
        #expect(paused.moments.isEmpty)
        // At the first cell from then on.
        #expect((0...1_000).contains(paused.now + paused.next - until))
        try await clock.set(1_796_112_004_900_000)
        let slow = try await throttle.reserve(3, in: [scope], horizon: Self.horizon)
        #expect(slow.moments.first.map { (100_000...101_000).contains($0) } == true)
        #expect(zip(slow.moments, slow.moments.dropFirst()).allSatisfy { $1 - $0 == 1_000 })
    }

    @Test func aLimitThatRedisForgotBeginsAfterAllThatWasHandedOut() async throws {
        let limit = scope(.mailing("x"), ReservationCalendar.Limit(interval: 1_000, burst: 1))
        _ = try await throttle.reserve(1, in: [limit], horizon: Self.horizon)
        let before = try await throttle.reserve(500, in: [limit], horizon: .milliseconds(400))
        _ = try await broker.redis.send(["DEL", .text(broker.keys.throttle(.mailing("x")))])
        let after = try await throttle.reserve(5, in: [limit], horizon: .milliseconds(400))
        #expect(after.moments.isEmpty)
        #expect(after.now + after.next >= before.now + Double(before.moments.last ?? 0))
    }

    /// Whoever comes later queues behind, whatever the time between.
    @Test func turnsFollowOneAnother() async throws {
        let first = try await throttle.turn(3, in: .domain("d"), interval: 20_000_000)
        #expect(first == 0)
        try await clock.set(1_796_112_001_500_000)
        let second = try await throttle.turn(2, in: .domain("d"), interval: 20_000_000)
        #expect(second == 58.5)
        let third = try await throttle.turn(1, in: .domain("d"), interval: 20_000_000)
        #expect(third == 98.5)
        #expect(try await throttle.turn(1, in: .domain("another"), interval: 20_000_000) == 0)
        let left = try await broker.redis.send(["PTTL", .text(broker.keys.queue(.domain("d")))]).int ?? 0
        #expect(left > 60_000 && left <= 120_001)
    }

    @Test func thousandsOfCellsStayCheap() async throws {
        let wide = scope(.provider("p"), ReservationCalendar.Limit(interval: 50, burst: 1))
        let narrow = scope(.mailing("m"), ReservationCalendar.Limit(interval: 170, burst: 1))
        for step in 0..<20 as Range<Int64> {
            try await clock.set(1_796_112_000_000_000 + step * 30_000)
            _ = try await throttle.reserve(600, in: [wide, narrow], horizon: Self.horizon)
            _ = try await throttle.reserve(600, in: [wide], horizon: Self.horizon)
        }
        let text = try await broker.redis.send(["GET", .text(broker.keys.throttle(.provider("p")))]).text ?? ""
        #expect(text.utf8.count < 12_000)
    }
}
