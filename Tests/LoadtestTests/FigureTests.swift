import Telemetry
import Testing

@testable import Loadtest

@Suite struct FigureTests {
    @Test(arguments: [
        (0, "0"), (7, "7"), (999, "999"), (1000, "1,000"), (-12_345, "-12,345"), (1_000_000, "1,000,000"),
        (Int.min, "-9,223,372,036,854,775,808"),
    ])
    func thousandsAreSetApart(number: Int, text: String) {
        #expect(grouped(number) == text)
    }

    @Test(arguments: [
        (0, "0"), (0.0456, "0.046"), (0.9996, "1"), (3.14159, "3.14"), (31.96, "32"), (31.94, "31.9"),
        (4321.6, "4,322"),
        (-0.0001, "0"), (-2.5, "-2.5"), (Double.nan, "n/a"), (.infinity, "n/a"),
    ])
    func figuresAreNoFinerThanThreePlaces(value: Double, text: String) {
        #expect(Figure.rounded(value) == text)
    }

    @Test(arguments: [
        (0.0000042, "s", "4.2 µs"), (0.35, "s", "350 ms"), (0, "s", "0 s"), (6.2, "s", "6.2 s"), (3600, "s", "60 min"),
        (71_000_000, "B", "71 MB"), (900, "B", "900 B"), (25_276_502_016, "B", "25.3 GB"),
        (480, "messages/s", "480 messages/s"),
        (12, "", "12"), (nil, "s", "n/a"),
    ])
    func aUnitIsScaledSoThatItsFigureIsEasilyRead(value: Double?, unit: String, text: String) {
        #expect(Figure.text(value, unit: unit) == text)
    }

    @Test(arguments: [
        (0.25, "0.25 s"), (41.5, "41.5 s"), (60, "1 min 00 s"), (2002, "33 min 22 s"), (3725, "1 h 02 min 05 s"),
        (100_080, "27 h 48 min 00 s"),
    ])
    func timeIsSaidAsPeopleSayIt(seconds: Double, text: String) {
        #expect(Figure.duration(seconds) == text)
    }
}
