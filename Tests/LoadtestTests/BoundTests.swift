import Telemetry
import Testing

@testable import Loadtest

@Suite struct BoundTests {
    @Test(arguments: [
        (">= 480/s", Bound.Unit.rate, 480.0), ("<= 6000/min", .rate, 100), ("<=60us", .time, 0.000_06), ("< 250ms", .time, 0.25),
        ("<= 2s", .time, 2), ("5min", .time, 300), ("<= 1.5h", .time, 5_400), ("<= 200MB", .size, 200e6), ("64kB", .size, 64_000),
        ("0", .count, 0), ("<= 10", .count, 10), (">= 0.9", .share, 0.9), ("<= 10%", .share, 0.1),
    ])
    func aBoundIsReadWithItsUnit(_ text: String, _ unit: Bound.Unit, _ value: Double) throws {
        let bound = try #require(Bound(text, unit))
        #expect(abs(bound.value - value) < 1e-9 * max(1, value))
    }

    @Test(arguments: [
        ("480", Bound.Unit.rate), ("fast", .rate), ("<= 60", .time), ("<= us", .time), (">< 5s", .time), ("<= 5 apples", .size),
        ("1.5", .count), ("-1", .count), ("", .count), ("<= inf%", .share),
    ])
    func anythingElseIsNone(_ text: String, _ unit: Bound.Unit) {
        #expect(Bound(text, unit) == nil)
    }

    @Test func withoutASignItMeansExactlyThat() throws {
        let none = try #require(Bound("0", .count))
        #expect(none.isMet(by: 0) && !none.isMet(by: 1))
        let least = try #require(Bound(">= 480/s", .rate))
        #expect(least.isMet(by: 480) && !least.isMet(by: 479.9))
        let below = try #require(Bound("< 2s", .time))
        #expect(below.isMet(by: 1.9) && !below.isMet(by: 2))
    }

    @Test func figuresAreShownWithTheirUnits() {
        #expect(FigureText.time(0.000_031_24) == "31.2us")
        #expect(FigureText.time(0.034) == "34ms")
        #expect(FigureText.time(1.5) == "1.5s")
        #expect(FigureText.time(600) == "10min")
        #expect(FigureText.size(62_400_000) == "62.4MB")
        #expect(FigureText.rate(18_234.4) == "18,234/s")
        #expect(FigureText.rate(0.5) == "0.5/s")
        #expect(grouped(-1_234_567) == "-1,234,567")
        #expect(FigureText.clock(3_725) == "1:02:05" && FigureText.clock(65) == "01:05")
    }
}
