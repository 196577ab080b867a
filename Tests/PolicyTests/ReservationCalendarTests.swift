import Model
import Policy
import Testing

/// The arithmetic of reservations against a reference that knows nothing of calendars: it counts starts in windows.
@Suite struct ReservationCalendarTests {
    static let horizon = 200_000.0

    /// By how many the busiest of all windows [t, t + w) is above `w / interval + burst`.
    static func excess(_ starts: [Double], _ limit: ReservationCalendar.Limit) -> Double {
        let starts = starts.sorted()
        var most = -Double.infinity
        for first in starts.indices {
            for last in first..<min(starts.count, first + 400) {
                let window = starts[last] - starts[first]
                most = max(most, Double(last - first + 1) - window / limit.interval - Double(limit.burst))
            }
        }
        return most
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func noWindowOfOneScopeIsOverItsLimit(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let limit = ReservationCalendar.Limit(
            interval: [81.004, 2_000, 40_000, 58_881.25, 8_571_428.57].randomElement(using: &random) ?? 1,
            burst: [1, 1, 2, 7].randomElement(using: &random) ?? 1)
        var now = 1.76e15
        var calendars = [ReservationCalendar(limit, now: now, horizon: Self.horizon)]
        var starts: [Double] = []
        for _ in 0..<120 {
            now += Double.random(in: 0...limit.interval * 8, using: &random).rounded()
            let grant = ReservationCalendar.reserve(
                Int.random(in: 1...9, using: &random), in: &calendars, limits: [limit],
                within: ReservationCalendar.Window(
                    now: now, horizon: Self.horizon, after: Bool.random(using: &random) ? 0 : limit.interval * 1.5,
                    spacing: Bool.random(using: &random) ? 0 : limit.interval * Double.random(in: 0...4, using: &random)))
            #expect(grant.moments.allSatisfy { (0..<Self.horizon).contains($0) })
            starts += grant.moments.map { now + $0 }
        }
        // A quarter of a microsecond is what a double tells apart in this century.
        #expect(Self.excess(starts, limit) < 0.01)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func noScopeOfSeveralIsOverItsLimitByAWholeMessage(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let provider = ReservationCalendar.Limit(interval: Double.random(in: 500...3_000, using: &random), burst: 1)
        let mailings = (0..<3).map { _ in
            ReservationCalendar.Limit(
                interval: Double.random(in: 1_000...40_000, using: &random), burst: Int.random(in: 1...3, using: &random))
        }
        var now = 1.76e15
        var shared = ReservationCalendar(provider, now: now, horizon: Self.horizon)
        var own = mailings.map { ReservationCalendar($0, now: now, horizon: Self.horizon) }
        var starts = [[Double]](repeating: [], count: 3)
        for _ in 0..<300 {
            now += Double.random(in: 0...8_000, using: &random).rounded()
            let which = Int.random(in: 0..<3, using: &random)
            var calendars = [shared, own[which]]
            let grant = ReservationCalendar.reserve(
                Int.random(in: 1...12, using: &random), in: &calendars, limits: [provider, mailings[which]],
                within: ReservationCalendar.Window(now: now, horizon: Self.horizon, spacing: Bool.random(using: &random) ? 0 : 5_000))
            (shared, own[which]) = (calendars[0], calendars[1])
            starts[which] += grant.moments.map { now + $0 }
        }
        #expect(Self.excess(starts.flatMap { $0 }, provider) < 1)
        for which in 0..<3 { #expect(Self.excess(starts[which], mailings[which]) < 1) }
    }

    /// Workers that always want more, and ask whenever they may.
    private func rates(_ provider: Double?, _ mailings: [Double], seconds: Double = 1.5) -> [Double] {
        var random = SeededGenerator(seed: 7)
        let limits = mailings.map { ReservationCalendar.Limit(interval: 1e6 / $0, burst: 1) }
        let wide = provider.map { ReservationCalendar.Limit(interval: 1e6 / $0, burst: 1) }
        var now = 1.76e15
        let begin = now + 1_000_000
        var shared = wide.map { ReservationCalendar($0, now: now, horizon: Self.horizon) }
        var own = limits.map { ReservationCalendar($0, now: now, horizon: Self.horizon) }
        var counts = [Double](repeating: 0, count: mailings.count)
        while now < begin + seconds * 1e6 {
            for which in mailings.indices.shuffled(using: &random) {
                var calendars = (shared.map { [$0] } ?? []) + [own[which]]
                let grant = ReservationCalendar.reserve(
                    max(1, Int(mailings[which] / 20)), in: &calendars, limits: (wide.map { [$0] } ?? []) + [limits[which]],
                    within: ReservationCalendar.Window(now: now, horizon: Self.horizon))
                if shared != nil { shared = calendars[0] }
                own[which] = calendars[calendars.count - 1]
                counts[which] += Double(grant.moments.count { (begin..<begin + seconds * 1e6).contains(now + $0) })
            }
            now += Double.random(in: 5_000...20_000, using: &random).rounded()
        }
        return counts.map { $0 / seconds }
    }

    @Test func aRateIsUsed() {
        for rate in [25, 500, 1019.0 / 60, 12_345] { #expect(rates(nil, [rate])[0] > 0.985 * rate) }
    }

    @Test func whatANarrowScopeLeavesOthersUse() {
        // Looking no further ahead than the other, the narrow one gets a part of what it might have.
        let both = rates(500, [120, 1_000])
        #expect(both[0] > 0.5 * 120)
        #expect(both[0] + both[1] > 0.98 * 500)
        #expect(rates(10_000, [7_000])[0] > 0.98 * 7_000)
        #expect(rates(500, [300, 300]).reduce(0, +) > 0.98 * 500)
    }

    @Test func aRestGivesTheBurstAndNoMore() {
        let limit = ReservationCalendar.Limit(interval: 1_000, burst: 5)
        var calendars = [ReservationCalendar(limit, now: 0, horizon: 0)]
        let grant = ReservationCalendar.reserve(
            8, in: &calendars, limits: [limit], within: ReservationCalendar.Window(now: 1e9, horizon: 1e6))
        #expect(grant.moments == [0, 0, 0, 0, 0, 1_000, 2_000, 3_000])
        #expect(grant.next == 4_000)
    }

    @Test func nothingStartsBeforeAPauseIsOver() {
        let limit = ReservationCalendar.Limit(interval: 1_000, burst: 1)
        var calendars = [ReservationCalendar(limit, now: 0, horizon: Self.horizon)]
        let early = ReservationCalendar.reserve(
            5, in: &calendars, limits: [limit], within: ReservationCalendar.Window(now: 1e9, horizon: Self.horizon, pausedUntil: 1e9 + 5e6))
        #expect(early.moments.isEmpty)
        #expect(early.next == 5e6)
        let late = ReservationCalendar.reserve(
            2, in: &calendars, limits: [limit],
            within: ReservationCalendar.Window(now: 1e9 + 4.9e6, horizon: Self.horizon, pausedUntil: 1e9 + 5e6))
        #expect(late.moments == [100_000, 101_000])
    }

    @Test func aChangedLimitHoldsFromTheLastStartOn() {
        let slow = ReservationCalendar.Limit(interval: 8_000_000, burst: 1)
        let quick = ReservationCalendar.Limit(interval: 10_000, burst: 1)
        var calendars = [ReservationCalendar(slow, now: 0, horizon: 0)]
        #expect(
            ReservationCalendar.reserve(1, in: &calendars, limits: [slow], within: ReservationCalendar.Window(now: 0, horizon: 2e6)).moments
                == [0])
        #expect(
            ReservationCalendar.reserve(1, in: &calendars, limits: [slow], within: ReservationCalendar.Window(now: 1_000, horizon: 2e6))
                .moments.isEmpty)
        #expect(
            ReservationCalendar.reserve(2, in: &calendars, limits: [quick], within: ReservationCalendar.Window(now: 2_000, horizon: 2e6))
                .moments == [8_000, 18_000])
    }

    @Test func sendsWithDifferentHorizonsShareAScope() {
        let provider = ReservationCalendar.Limit(interval: 2_000, burst: 1)
        let mailing = ReservationCalendar.Limit(interval: 8_000, burst: 1)
        var calendars = [ReservationCalendar(provider, now: 0, horizon: 0), ReservationCalendar(mailing, now: 0, horizon: 0)]
        let far = ReservationCalendar.reserve(
            25, in: &calendars, limits: [provider, mailing], within: ReservationCalendar.Window(now: 0, horizon: 200_000))
        #expect(far.moments.count == 25)
        var shared = [calendars[0]]
        let near = ReservationCalendar.reserve(
            100, in: &shared, limits: [provider], within: ReservationCalendar.Window(now: 0, horizon: 100_000))
        #expect(near.moments.count == 37)
        #expect(Self.excess(far.moments + near.moments, provider) < 1)
    }

    @Test func aClockThatGoesBackHoldsNothingUp() {
        let limit = ReservationCalendar.Limit(interval: 10_000, burst: 1)
        var calendars = [ReservationCalendar(limit, now: 1.76e15, horizon: 0)]
        _ = ReservationCalendar.reserve(
            20, in: &calendars, limits: [limit], within: ReservationCalendar.Window(now: 1.76e15, horizon: Self.horizon))
        let hour = 3_600e6
        let grant = ReservationCalendar.reserve(
            1, in: &calendars, limits: [limit], within: ReservationCalendar.Window(now: 1.76e15 - hour, horizon: Self.horizon))
        #expect(grant.next == Self.horizon)
    }

    @Test(arguments: 0..<10 as Range<UInt64>)
    func aSharedMomentIsNeverMetTooEarly(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        // This machine's clock is off by up to a day, and drifts.
        let offset = Double.random(in: -86_400e6...86_400e6, using: &random)
        let drift = Double.random(in: -0.0003...0.0003, using: &random)
        func local(_ shared: Double) -> Double { (shared * (1 + drift) + offset) * 1000 }
        var clock = SharedClock()
        var shared = 1_000_000.0
        var quickest = Double.infinity
        for _ in 0..<200 {
            shared += Double.random(in: 1_000...200_000, using: &random)
            let out = Double.random(in: 20...3_000, using: &random)
            let back = Double.random(in: 20...3_000, using: &random)
            clock.note(shared: shared, sent: Int64(local(shared - out)), received: Int64(local(shared + back)))
            quickest = min(quickest, back)
            let moment = shared + Double.random(in: 0...200_000, using: &random)
            let met = clock.local(moment, now: Int64(local(shared + back))).map { Double($0) - local(moment) } ?? -1
            #expect(met >= -200_000 * 0.0004 * 1000)
            #expect(met < 3_200_000)
        }
    }

    @Test func slotsAreUsedInTimeOrDropped() {
        var stock = ReservationStock(interval: 1_000)
        stock.add([10_000_000, 11_000_000, 30_000_000].map { ReservationStock.Reservation($0) })
        #expect(stock.take(9_000_000, reach: 500_000).start == .none)
        #expect(stock.take(9_600_000, reach: 500_000).start == .at(10_000_000))
        #expect(stock.take(11_000_000, reach: 0).start == .now)
        #expect(stock.dropLate(30_999_999) == 0)
        #expect(stock.dropLate(31_000_000) == 1)
        #expect(ReservationStock(interval: 60e6).tolerance == 300_000_000)
    }

    @Test func whatABurstAllowsIsNotDroppedAsLate() {
        // 30/s,burst=50 after a rest: fifty moments at once, of which one more ends every 33 ms.
        let limit = ReservationCalendar.Limit(interval: 33_333, burst: 50)
        var calendars = [ReservationCalendar(limit, now: 0, horizon: 0)]
        let grant = ReservationCalendar.reserve(
            50, in: &calendars, limits: [limit], within: ReservationCalendar.Window(now: 60e6, horizon: 200_000))
        #expect(grant.moments.allSatisfy { $0 == 0 })
        #expect(grant.latest == (0..<50).map { Double($0) * 33_333 })
        var stock = ReservationStock(interval: limit.interval)
        stock.add(zip(grant.moments, grant.latest).map { ReservationStock.Reservation(Int64($0) * 1000, latest: Int64($1 * 1000)) })
        // A tenth of a second later connections are there.
        #expect(stock.dropLate(100_000_000) == 4)
        #expect(stock.take(100_000_000, reach: 0).start == .now)
    }
}
