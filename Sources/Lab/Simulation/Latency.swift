import Model

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// How long a provider takes over its response, in seconds.
package enum Latency: Sendable, Equatable {
    case fixed(Double)
    /// Any between the two, equally often.
    case even(ClosedRange<Double>)
    /// Log-normal, by two of its points: half of all take less than `p50`, 99 of 100 less than `p99`.
    case logNormal(p50: Double, p99: Double)

    package var mean: Double {
        switch self {
        case .fixed(let time): time
        case .even(let range): (range.lowerBound + range.upperBound) / 2
        case .logNormal(let p50, let p99): p50 * exp(Self.sigma(p50, p99) * Self.sigma(p50, p99) / 2)
        }
    }

    /// The 99th percentile of the standard normal distribution.
    private static let normal99 = 2.326_347_874_040_841

    private static func sigma(_ p50: Double, _ p99: Double) -> Double { log(max(p99, p50) / p50) / normal99 }

    func draw(using generator: inout SeededGenerator) -> Double {
        switch self {
        case .fixed(let time): return time
        case .even(let range): return .random(in: range, using: &generator)
        case .logNormal(let p50, let p99):
            return p50 * exp(Self.sigma(p50, p99) * generator.normal())
        }
    }
}
