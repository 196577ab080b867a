#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension SeededGenerator {
    /// Of the standard normal distribution (Box and Muller, "A note on the generation of random normal deviates", 1958).
    package mutating func normal() -> Double {
        let length = Double.random(in: Double.leastNonzeroMagnitude...1, using: &self)
        return sqrt(-2 * log(length)) * cos(2 * Double.pi * Double.random(in: 0..<1, using: &self))
    }

    /// Of the log-normal distribution.
    /// - Parameters:
    ///   - median: of what is drawn.
    ///   - spread: the standard deviation of its logarithm: of 1, a twentieth is more than 5.2 times the median.
    package mutating func logNormal(median: Double, spread: Double) -> Double { median * exp(spread * normal()) }

    /// True with a probability.
    package mutating func chance(_ share: Double) -> Bool { Double.random(in: 0..<1, using: &self) < share }

    /// How many of `count` meet something that each meets with the probability `share`: drawn one by one where they are few, else
    /// by the normal distribution with the same mean and variance.
    package mutating func binomial(_ count: Int, _ share: Double) -> Int {
        guard share > 0, count > 0 else { return 0 }
        guard share < 1 else { return count }
        if count <= 64 { return (0..<count).count { _ in Double.random(in: 0..<1, using: &self) < share } }
        let mean = Double(count) * share
        let drawn = mean + normal() * sqrt(mean * (1 - share))
        return min(count, max(0, Int(drawn.rounded())))
    }
}
