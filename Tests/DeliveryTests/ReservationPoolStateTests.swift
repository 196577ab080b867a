import Model
import Policy
import TestServers
import Testing

@testable import Broker
@testable import Delivery

/// The reservations of a worker without Redis and without a clock.
@Suite struct ReservationPoolStateTests {
    /// Redis, which gives out a moment every 5 ms, and a worker's groups, in the order of a seeded generator.
    private struct Run {
        var random: SeededGenerator
        var pool = ReservationPoolState()
        var now: Int64 = 0
        /// The first moment that was not given out.
        var free: Int64 = 0
        var order: ReservationPoolState.Order?
        var groups: [(left: Int, hasEntered: Bool)] = []
        var claimed: [Int64] = []
        var given: Set<Int64> = []
        var started = 0

        init(seed: UInt64, messages: Int) throws {
            random = SeededGenerator(seed: seed)
            let limit = ReservationCalendar.Limit(try RateLimit("200/s"))
            _ = pool.take([Throttle.ScopeLimit(.provider("p"), interval: limit.interval, burst: limit.burst)], intervals: [:])
            pool.waiting = messages
        }

        mutating func step() {
            now += Int64.random(in: 0...2_000_000, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: admit()
            case 1: answer()
            case 2: start()
            default: use()
            }
        }

        private mutating func admit() {
            guard pool.waiting > 0, order == nil else { return }
            switch pool.admit(min(10, pool.waiting), capacity: Capacity(time: 1_000_000, connections: 4), lag: 100_000, now: now) {
            case .group(let count): groups.append((count, false))
            case .ask(let asked): order = asked
            case .wait: break
            }
        }

        private mutating func answer() {
            guard let asked = order else { return }
            order = nil
            guard Int.random(in: 0..<10, using: &random) > 0 else { return pool.answered(asked, [], next: nil, now: now) }
            var moments: [ReservationStock.Reservation] = []
            free = max(free, now + asked.after.nanoseconds)
            while moments.count < asked.count, free <= now + asked.horizon.nanoseconds {
                moments.append(.init(free))
                free += 5_000_000
            }
            pool.answered(asked, moments, next: Double(free - now) / 1000, now: now)
        }

        private mutating func start() {
            guard let place = groups.indices.randomElement(using: &random) else { return }
            let start = pool.next(now)
            if case .none = start {
                let group = groups.remove(at: place)
                pool.left(group.left, hasEntered: group.hasEntered)
                pool.waiting += group.left
                return
            }
            pool.starts(isFirst: !groups[place].hasEntered)
            groups[place].hasEntered = true
            groups[place].left -= 1
            if groups[place].left == 0 { groups.remove(at: place) }
            if case .at(let moment) = start {
                #expect(given.insert(moment).inserted, "a moment was given to two messages")
                claimed.append(moment)
            } else {
                started += 1
            }
        }

        private mutating func use() {
            guard let place = claimed.firstIndex(where: { $0 <= now }) else { return }
            if pool.use(claimed.remove(at: place), now: now) { started += 1 } else { pool.waiting += 1 }
        }
    }

    @Test(arguments: 0..<20 as Range<UInt64>) func noMomentIsGivenTwiceAndNobodyIsForgotten(seed: UInt64) throws {
        var run = try Run(seed: seed, messages: 200)
        for _ in 0..<200_000 where run.started < 200 {
            run.step()
            try #require(run.pool.waiting >= 0 && run.pool.promised >= 0 && run.pool.entering >= 0)
            let inGroups = run.groups.reduce(0) { $0 + $1.left }
            try #require(run.pool.promised == inGroups)
            try #require(run.pool.waiting + inGroups + run.claimed.count + run.started == 200)
        }
        #expect(run.started == 200)
    }
}
