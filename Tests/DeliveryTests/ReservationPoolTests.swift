import Logging
import Model
import NIOCore
import NIOPosix
import Policy
import Synchronization
import TestServers
import Testing

@testable import Broker
@testable import Delivery

/// Pools of several workers on a real Redis. What is judged are the moments that messages are given, and not when a busy machine lets
/// them go.
@Suite(.timeLimit(.minutes(5)))
struct ReservationPoolTests {
    private final class Moments: Sendable {
        /// Of CLOCK_MONOTONIC, in nanoseconds.
        let given = Mutex<[Int64]>([])
        let started = Atomic<Int>(0)
    }

    private let server: RedisServer
    private let broker: Broker

    init() async throws {
        server = try await RedisServer()
        broker = Broker(
            endpoint: RedisEndpoint(place: .unix(path: server.socket)), prefix: "test", partitions: 1, name: "test",
            group: .singletonMultiThreadedEventLoopGroup, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func pool() async -> ReservationPool {
        let time = SharedTime()
        // Often, for a busy machine answers late, and the clocks agree only as well as the fastest reply tells.
        for _ in 0..<25 { await time.learn(from: broker) }
        return ReservationPool(domain: nil, throttle: Throttle(broker), time: time, meters: ThrottleMeters(), changes: Broadcast())
    }

    private func scope(_ text: String) throws -> Throttle.ScopeLimit {
        let limit = ReservationCalendar.Limit(try RateLimit(text))
        return Throttle.ScopeLimit(.provider("p"), interval: limit.interval, burst: limit.burst)
    }

    /// Starts messages until so many have started in all, as a worker does with four connections.
    private func work(_ pool: ReservationPool, _ moments: Moments, until count: Int) async {
        func isDone() -> Bool { moments.started.load(ordering: .relaxed) >= count }
        pool.expect(count)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    while let (ticket, size) = await pool.admit(10, capacity: Capacity(time: 0, connections: 4), mayStart: { !isDone() }) {
                        var left = size
                        message: for _ in 0..<size where !isDone() {
                            switch pool.next(ticket) {
                            case .none: break message
                            case .now: break
                            case .at(let moment):
                                try? await Task.sleep(for: .nanoseconds(moment - Clock.monotonic()))
                                guard pool.use(moment) else { continue message }
                                moments.given.withLock { $0.append(moment) }
                            }
                            moments.started.add(1, ordering: .relaxed)
                            left -= 1
                        }
                        _ = ticket.end()
                        // Those whose moments were missed want others.
                        pool.expect(left)
                    }
                }
            }
        }
    }

    @Test func workersThatShareALimitGetNoTwoMomentsTooClose() async throws {
        let moments = Moments()
        let pools = [await pool(), await pool(), await pool()]
        let limit = try scope("200/s")
        await withTaskGroup(of: Void.self) { group in
            for pool in pools {
                pool.update([limit], intervals: [:])
                group.addTask { await work(pool, moments, until: 120) }
            }
        }
        let given = moments.given.withLock { $0.sorted() }
        #expect(given.count > 20)
        // The pools' clocks agree to some microseconds on an idle machine, and to a millisecond or two on a busy one.
        let closest = zip(given.dropFirst(), given).map { $0 - $1 }.min() ?? 0
        #expect(closest >= 5_000_000 - 2_000_000, "\(closest) ns apart")
    }

    /// A Redis that answers after a fifth of a second: a group asks it before it starts, and is in time for its moments all the same.
    /// Without that no moment was ever met.
    @Test func momentsAreMetHoweverFarRedisIs() async throws {
        let relay = try await SlowRelay(to: server.socket, delay: .milliseconds(100))
        let far = Broker(
            endpoint: RedisEndpoint(place: .tcp(host: "127.0.0.1", port: relay.port)), prefix: "test", partitions: 1, name: "test",
            group: .singletonMultiThreadedEventLoopGroup, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let time = SharedTime()
        await time.learn(from: far)
        let pool = ReservationPool(domain: nil, throttle: Throttle(far), time: time, meters: ThrottleMeters(), changes: Broadcast())
        pool.update([try scope("10/s")], intervals: [:])
        pool.expect(40)
        var started = 0
        while started < 10, let (ticket, size) = await pool.admit(4, capacity: Capacity(time: 0, connections: 4), mayStart: { true }) {
            _ = try await far.time()
            var left = size
            message: for _ in 0..<size {
                switch pool.next(ticket) {
                case .none: break message
                case .now: break
                case .at(let moment):
                    try await Task.sleep(for: .nanoseconds(max(0, moment - Clock.monotonic())))
                    guard pool.use(moment) else { continue message }
                }
                started += 1
                left -= 1
            }
            _ = ticket.end()
            pool.expect(left)
        }
        #expect(started >= 10)
        await far.close()
        try await relay.close()
    }

    /// Each group starts one message, whose response never comes.
    @Test func groupsThatWaitForSlowResponsesHoldNobodyElse() async throws {
        let pool = await pool()
        pool.update([try scope("100/s")], intervals: [:])
        pool.expect(1_000)
        let end = ContinuousClock.now + .seconds(60)
        var stuck: [ReservationTicket] = []
        while stuck.count < 8 {
            let capacity = Capacity(time: 1_000_000, connections: 20)
            let (ticket, _) = try #require(await pool.admit(10, capacity: capacity) { ContinuousClock.now < end })
            if case .none = pool.next(ticket) { ticket.end() } else { stuck.append(ticket) }
        }
        for ticket in stuck { ticket.end() }
    }

    @Test func aLimitThatIsLiftedHoldsNobody() async throws {
        let pool = await pool()
        pool.update([try scope("6/min")], intervals: [:])
        #expect(pool.isActive && abs(pool.share.interval - 10) < 0.1)
        pool.expect(10)
        let first = try #require(await pool.admit(10, capacity: Capacity(time: 0, connections: 4)) { true })
        #expect(first.count == 1)
        async let waiting = pool.admit(10, capacity: Capacity(time: 0, connections: 4)) { true }
        pool.update([], intervals: [:])
        #expect(try #require(await waiting).count == 10)
        #expect(!pool.isActive)
    }

    @Test func whoMayNotBeginAnyMoreDoesNotWait() async throws {
        let pool = await pool()
        pool.update([try scope("6/min")], intervals: [:])
        pool.expect(2)
        #expect(await pool.admit(1, capacity: Capacity(time: 0, connections: 1)) { true } != nil)
        let looks = Atomic<Int>(0)
        #expect(await pool.admit(1, capacity: Capacity(time: 0, connections: 1)) { looks.add(1, ordering: .relaxed).newValue < 4 } == nil)
    }
}
