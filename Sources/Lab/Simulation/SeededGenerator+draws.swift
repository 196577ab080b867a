import Model

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension SeededGenerator {
    /// Of the standard normal distribution (Box and Muller, "A note on the generation of random normal deviates", 1958).
    mutating func normal() -> Double {
        let length = Double.random(in: Double.leastNonzeroMagnitude...1, using: &self)
        return sqrt(-2 * log(length)) * cos(2 * Double.pi * Double.random(in: 0..<1, using: &self))
    }

    /// How many of `count` meet something that each meets with the probability `share`: drawn one by one where they are few, else
    /// by the normal distribution with the same mean and variance.
    mutating func binomial(_ count: Int, _ share: Double) -> Int {
        guard share > 0, count > 0 else { return 0 }
        guard share < 1 else { return count }
        if count <= 64 { return (0..<count).count { _ in Double.random(in: 0..<1, using: &self) < share } }
        let mean = Double(count) * share
        let drawn = mean + normal() * sqrt(mean * (1 - share))
        return min(count, max(0, Int(drawn.rounded())))
    }
}
