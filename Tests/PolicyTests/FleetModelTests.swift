import Model
import Policy
import Testing

/// What a limit promises of a whole fleet: workers with wrong clocks that wake up late, die and come, under one store.
@Suite struct FleetModelTests {
    static let limits = ["25/s", "500/s", "1019/min", "3000/s,burst=20", "7/min", "12345/s"]

    /// By how many the busiest window of at least `least` microseconds is above `rate * w + burst`, of the limit as it was written.
    private func excess(_ starts: [Double], _ limit: RateLimit, least: Double = 0) -> Double {
        let interval = Double(limit.period) / Double(limit.count)
        var most = -Double.infinity
        // The least of place - time / interval up to here, for the windows that are long enough: a window's excess is a difference of two.
        var first = 0
        var low = Double.infinity
        for (place, start) in starts.enumerated() {
            while first <= place, starts[first] <= start - least {
                low = min(low, Double(first) - starts[first] / interval)
                first += 1
            }
            most = max(most, Double(place) - start / interval - low + 1 - Double(limit.burst))
        }
        return most
    }

    private func check(_ starts: [Double], _ limit: RateLimit, scopes: Int = 1) {
        let interval = Double(limit.period) / Double(limit.count)
        let several = scopes > 1 ? 1.0 : 0
        // A slot is used a tolerance late at most, and a worker's idea of the store's time is behind by a quick round trip.
        let tolerance = max(1_500, interval * ReservationCalendar.Limit.margin) + 500
        #expect(excess(starts, limit) < tolerance / interval + several + 0.01, "\(limit)")
        #expect(excess(starts, limit, least: max(400_000, 1.1 * interval)) < several + 0.01, "\(limit)")
    }

    private func use(_ starts: [Double], _ limit: RateLimit, _ window: Range<Double>) -> Double {
        Double(starts.count { window.contains($0) }) * Double(limit.period) / Double(limit.count) / (window.upperBound - window.lowerBound)
    }

    @Test(arguments: limits, 0..<4 as Range<UInt64>)
    func wrongClocksAndLateWakeUpsMakeNoWindowTooFull(text: String, seed: UInt64) throws {
        let limit = try RateLimit(text)
        var fleet = FleetModel(seed: seed, limits: [limit], workers: [1, 2, 4, 8][Int(seed)])
        fleet.lateness = (0...2_000, 0...50_000)
        fleet.run(until: text == "7/min" ? 300e6 : text == "12345/s" ? 2e6 : 5e6)
        check(fleet.starts, limit)
    }

    @Test(arguments: limits, [1, 4])
    func whoIsInTimeUsesTheWholeRate(text: String, workers: Int) throws {
        let limit = try RateLimit(text)
        var fleet = FleetModel(seed: 9, limits: [limit], workers: workers)
        let seconds = text == "7/min" ? 600.0 : text == "12345/s" ? 2 : 10
        fleet.run(until: (seconds + 1) * 1e6)
        check(fleet.starts, limit)
        let used = use(fleet.starts, limit, 1e6..<(seconds + 1) * 1e6)
        // Of seventy moments in ten minutes one may lie just outside.
        #expect(used > (text == "7/min" ? 0.97 : 0.98) && used <= 1.001, "\(used)")
    }

    @Test(arguments: 0..<6 as Range<UInt64>)
    func workersThatComeAndDieKeepTheLimit(seed: UInt64) throws {
        let limit = try RateLimit(seed < 3 ? "500/s" : "2000/s,burst=10")
        var fleet = FleetModel(seed: seed, limits: [limit], workers: 4)
        fleet.plan(1.5e6, .die(0))
        fleet.plan(2e6, .join)
        fleet.plan(3.1e6, .die(2))
        fleet.plan(3.2e6, .die(1))
        fleet.run(until: 6e6)
        check(fleet.starts, limit)
        // What a dead worker held is lost, two tenths of a second of the rate at most; all after it is used.
        #expect(use(fleet.starts, limit, 3.5e6..<6e6) > 0.98)
        #expect(use(fleet.starts, limit, 1e6..<3.5e6) > 0.98 - 3 * 0.2 / 2.5)
    }

    @Test(arguments: 0..<6 as Range<UInt64>)
    func severalScopesAreKeptEach(seed: UInt64) throws {
        let limits = try ["600/s", "500/s", seed % 2 == 0 ? "120/s" : "1019/min"].map { try RateLimit($0) }
        var fleet = FleetModel(seed: seed, limits: limits, workers: 3)
        fleet.run(until: 8e6)
        for limit in limits { check(fleet.starts, limit, scopes: 3) }
        #expect(use(fleet.starts, limits[2], 1e6..<8e6) > 0.98)
    }

    @Test(arguments: 0..<6 as Range<UInt64>)
    func aChangedLimitHoldsForAllWithinASecond(seed: UInt64) throws {
        let limits = try (seed % 2 == 0 ? ["800/s", "200/s"] : ["200/s", "800/s"]).map { try RateLimit($0) }
        var fleet = FleetModel(seed: seed, limits: [limits[0]], workers: 4)
        fleet.plan(2e6, .change([limits[1]]))
        fleet.run(until: 6e6)
        check(fleet.starts.filter { $0 < 2e6 }, limits[0])
        check(fleet.starts.filter { $0 >= 3e6 }, limits[1])
        // Never more than the higher of the two, while some know and others do not.
        check(fleet.starts, limits[seed % 2 == 0 ? 0 : 1])
        #expect(use(fleet.starts, limits[1], 3e6..<6e6) > 0.98)
    }
}
