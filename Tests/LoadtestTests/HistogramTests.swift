import Testing

@testable import Loadtest

@Suite struct HistogramTests {
    /// Ten values up to 0.1, thirty up to 0.5, and one beyond 1.
    private var histogram: Histogram {
        var histogram = Histogram()
        for (bound, count) in [(0.1, 10.0), (0.5, 40), (1, 40), (.infinity, 41)] { histogram.add(count, upTo: bound) }
        return histogram
    }

    @Test func aQuantileLiesEvenlySpreadWithinItsBucket() {
        var even = Histogram()
        for (bound, count) in [(0.1, 10.0), (0.5, 40), (.infinity, 40)] { even.add(count, upTo: bound) }
        #expect(even.quantile(0.5).map { abs($0 - (0.1 + 0.4 * 10 / 30)) < 1e-9 } == true)
        #expect(even.quantile(0.25) == 0.1)
        #expect(even.quantile(1) == 0.5)
    }

    @Test func beyondTheLastBoundItIsThatBound() {
        #expect(histogram.quantile(0.999) == 1)
    }

    @Test func withoutValuesThereIsNone() {
        var empty = Histogram()
        #expect(empty.quantile(0.5) == nil)
        empty.add(0, upTo: .infinity)
        #expect(empty.quantile(0.5) == nil)
    }

    @Test func theDifferenceOfTwoStatesIsWhatCameBetween() {
        var later = histogram
        var more = Histogram()
        for (bound, count) in [(0.1, 0.0), (0.5, 0), (1, 4), (.infinity, 4)] { more.add(count, upTo: bound) }
        later += more
        #expect(later.since(histogram) == more)
        #expect(later.since(histogram).quantile(0.5) == 0.75)
    }
}
