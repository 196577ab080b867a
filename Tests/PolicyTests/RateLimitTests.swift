import Model
import Policy
import Testing

@Suite struct RateLimitTests {
    @Test(
        arguments: [
            ("500/s", 500, 1_000_000, 1, "500/s"), ("6000/min,burst=50", 6000, 60_000_000, 50, "6000/min,burst=50"),
            (" 10 / hour , burst = 2 ", 10, 3_600_000_000, 2, "10/h,burst=2"), ("1/d", 1, 86_400_000_000, 1, "1/d"),
            ("30/m,burst=1", 30, 60_000_000, 1, "30/min"),
        ])
    func reads(_ text: String, _ count: Int64, _ period: Int64, _ burst: Int64, _ canonical: String) throws {
        let limit = try RateLimit(text)
        #expect(limit.count == count && limit.period == period && limit.burst == burst)
        #expect(limit.description == canonical)
        #expect(try RateLimit(canonical) == limit)
    }

    @Test(
        arguments: [
            "", "500", "/s", "500/", "0/s", "-5/s", "0.5/s", "5/fortnight", "5/s,", "5/s,burst", "5/s,burst=0",
            "5/s,burst=x",
            "5/s,burst=2,burst=3", "5/s,rate=2", "5/s/s", "1000001/s", "99999999999999999999/s", "+5/s", "5 0/s",
        ])
    func refusesWithTheRightForm(_ text: String) {
        #expect { try RateLimit(text) } throws: { error in
            "\(error)".hasPrefix("'\(text)' is no rate limit: ") && "\(error)".contains("500/s")
        }
    }

    @Test func readsBackWhatItWrites() throws {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<2_000 {
            let unit = RateLimit.Unit.allCases.randomElement(using: &generator) ?? .second
            let count = Int64.random(in: 1...1_000_000, using: &generator)
            let burst = Int64.random(in: 1...1_000_000, using: &generator)
            let limit = try RateLimit("\(count)/\(unit.rawValue),burst=\(burst)")
            #expect(try RateLimit(limit.description) == limit)
            #expect(limit.count == count && limit.burst == burst && limit.unit == unit)
        }
    }
}

@Suite struct TimeSpanTests {
    @Test(arguments: [
        ("24h", 86_400), ("90m", 5_400), ("2d", 172_800), ("1h30m", 5_400), ("45s", 45), ("1d2h3min4s", 93_784),
    ])
    func reads(_ text: String, _ seconds: Int) throws { #expect(try TimeSpan(text).seconds == seconds) }

    @Test(arguments: [
        "", "5", "h", "5 h", "0h", "-1h", "1h1h", "1m1h", "1w", "1.5h", "99999999999999999999h", "9999999999999999d",
    ])
    func refuses(_ text: String) { #expect(throws: TimeSpanError.self) { try TimeSpan(text) } }
}
