#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension AdaptiveRate {
    /// For people, why the rate is what it is, in one sentence; empty where there is nothing to say.
    package var text: String {
        let percent = "\(Int((max(share, noise) * 100).rounded())) % of the responses"
        if let rate {
            let left = timeToPlateau + cbrt((max(full / plateau, 1) - 1) / Self.cubic) - age
            return "slowed to \(Self.text(rate)): \(percent) at \(Self.text(rateBefore)) asked us to; "
                + "back at \(Self.text(full)) in \(TimeSpan.text(seconds: max(left, 1))) unless more do"
        }
        return noise > 0 ? "not slowed: \(percent) ask us to, whatever the rate" : ""
    }

    private static func text(_ rate: Double) -> String {
        let (value, unit) = rate >= 1 ? (rate, "s") : (rate * 60, "min")
        return "\(value >= 10 ? value.rounded() : (value * 10).rounded() / 10)".replacing(".0", with: "") + "/\(unit)"
    }

    /// The form in which workers share it: numbers with spaces between them.
    package var encoded: String {
        let values = [
            rate ?? 0, full, bottom, plateau, age, share, rateBefore, noise, noiseAge, noiseTime, Double(wellTimes),
            isProven ? 1 : 0, isShut ? 1 : 0, evidence.answered, evidence.throttled, evidence.started, evidence.seconds,
            evidence.paused, taken, takenSeconds, average,
        ]
        return (values + Reference.values(reference) + Reference.values(origin)).map { "\($0)" }.joined(separator: " ")
    }

    /// Reads the form in which workers share it; a text that is none, of another version perhaps, is a fresh start.
    package init(encoded: String) {
        self.init()
        let values = encoded.split(separator: " ").compactMap { Double($0) }
        guard values.count == 33, values.allSatisfy({ 0 <= $0 && $0 <= 1e12 }), values[7] < 1 else { return }
        if values[0] > 0 {
            // All of these are above 0 while it is slowed.
            guard values[1...3].allSatisfy({ $0 > 0 }) else { return }
            rate = values[0]
        }
        (full, bottom, plateau, age) = (values[1], values[2], values[3], values[4])
        (share, rateBefore) = (values[5], values[6])
        (noise, noiseAge, noiseTime) = (values[7], values[8], values[9])
        (wellTimes, isProven, isShut) = (Int(values[10]), values[11] > 0, values[12] > 0)
        evidence = Evidence(
            answered: values[13], throttled: values[14], started: values[15], seconds: values[16], paused: values[17])
        (taken, takenSeconds, average) = (values[18], values[19], values[20])
        reference = Reference(Array(values[21..<27]))
        origin = Reference(Array(values[27..<33]))
    }
}

extension AdaptiveRate.Reference {
    fileprivate static func values(_ known: Self?) -> [Double] {
        guard let known else { return [0, 0, 0, 0, 0, 0] }
        return [known.answered, known.throttled, known.rate, known.restore, known.seconds, known.isSuspected ? 1 : 0]
    }

    /// Nil without responses.
    fileprivate init?(_ values: [Double]) {
        guard values[0] > 0 else { return nil }
        self.init(
            answered: values[0], throttled: values[1], rate: values[2], restore: values[3], seconds: values[4],
            isSuspected: values[5] > 0)
    }
}
