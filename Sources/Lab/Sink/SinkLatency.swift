#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// How long a response is held back: evenly spread between two bounds, or log-normally by two of its percentiles.
package struct SinkLatency: Sendable, Equatable {
    /// The shortest and the longest that is given, in nanoseconds.
    package let least: Int64
    package let most: Int64
    /// Of a log-normal one: the median in nanoseconds, and the standard deviation of its logarithm.
    private let normal: Normal?

    private struct Normal: Equatable {
        let median: Double
        let deviation: Double
    }

    /// How it is spread, in nanoseconds.
    package enum Shape: Sendable, Equatable {
        case even(Int64, Int64)
        case logNormal(p50: Double, p99: Double)
    }

    package var shape: Shape {
        guard let normal else { return .even(least, most) }
        return .logNormal(p50: normal.median, p99: normal.median * exp(normal.deviation * Self.deviationsOfP99))
    }

    package static let none = SinkLatency(least: 0, most: 0)

    /// How many standard deviations the 99th percentile of a normal distribution lies above its mean.
    private static let deviationsOfP99 = 2.326_347_874_040_841
    /// A log-normal distribution has no maximum: it is cut off at this many times its 99th percentile.
    private static let longestOfP99: Double = 10

    package init(least: Int64, most: Int64) {
        self.least = least
        self.most = max(least, most)
        normal = nil
    }

    /// A log-normal one, in nanoseconds: half of all responses take no longer than `p50`, 99 in 100 no longer than `p99`, and none
    /// more than ten times that.
    /// - Returns: nil unless 0 < p50 <= p99.
    package init?(p50: Int64, p99: Int64) {
        guard p50 > 0, p50 <= p99, p99 <= .max / Int64(Self.longestOfP99) else { return nil }
        least = 0
        most = p99 * Int64(Self.longestOfP99)
        normal = Normal(median: Double(p50), deviation: log(Double(p99) / Double(p50)) / Self.deviationsOfP99)
    }

    /// Reads `50ms`, `1.5s`, `50-500ms` or `50ms-2s`, or `p50:120ms,p99:900ms`; the units are us, ms, s and min.
    /// - Throws: `SinkError` for any other text.
    package init(parsing text: String) throws(SinkError) {
        if let points = Self.points(text) {
            guard let latency = SinkLatency(p50: points.p50, p99: points.p99) else {
                throw SinkError("'\(text)' is no latency: p50 has to be above 0, and p99 no less than p50")
            }
            self = latency
            return
        }
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard let last = parts.last, parts.count <= 2, let most = Self.nanoseconds(last),
            let least = parts.count == 1 ? most : Self.nanoseconds(parts[0], unit: Self.unit(of: last)), least <= most
        else {
            throw SinkError(
                "'\(text)' is no latency: write a time such as 50ms, a range such as 50-500ms, or p50:120ms,p99:900ms")
        }
        self.init(least: least, most: most)
    }

    /// Reads `p50:120ms,p99:900ms`; nil for any other text.
    private static func points(_ text: String) -> (p50: Int64, p99: Int64)? {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].hasPrefix("p50:"), parts[1].hasPrefix("p99:"),
            let p50 = nanoseconds(parts[0].dropFirst(4)), let p99 = nanoseconds(parts[1].dropFirst(4))
        else { return nil }
        return (p50, p99)
    }

    var isNone: Bool { most == 0 }
    /// Whether it is the same for all.
    var isFixed: Bool { least == most }

    /// The latency at two draws from 0 up to 1, in nanoseconds; an evenly spread one needs the first alone.
    func at(_ draw: Double, _ second: @autoclosure () -> Double) -> Int64 {
        guard let normal else { return least + Int64(Double(most - least) * draw) }
        // Box and Muller: A note on the generation of random normal deviates, 1958.
        let deviate = (-2 * log(1 - draw)).squareRoot() * cos(2 * .pi * second())
        return Int64(min(normal.median * exp(normal.deviation * deviate), Double(most)))
    }

    /// Reads a time with its unit, or with `unit` where it has none; nil when it is none, negative or above a day.
    package static func nanoseconds(_ text: Substring, unit: Substring? = nil) -> Int64? {
        let own = Self.unit(of: text)
        let factor: Double
        switch own.isEmpty ? unit ?? "" : own {
        case "us": factor = 1e3
        case "ms": factor = 1e6
        case "s": factor = 1e9
        case "min": factor = 60e9
        default: return nil
        }
        guard let number = Double(text.dropLast(own.count)), number >= 0, number * factor <= 86_400e9 else {
            return nil
        }
        return Int64(number * factor)
    }

    private static func unit(of text: Substring) -> Substring {
        text.drop { !$0.isLetter }
    }
}
