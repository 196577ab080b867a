#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension AdaptiveRate {
    /// Responses over a time at one rate.
    struct Evidence: Sendable, Equatable {
        var answered = 0.0
        var throttled = 0.0
        var started = 0.0
        var seconds = 0.0
        var paused = 0.0

        mutating func add(_ seen: Observation) {
            answered += Double(seen.answered)
            throttled += Double(seen.throttled)
            started += Double(seen.started)
            seconds += seen.seconds
            paused += seen.paused
        }

        var share: Double { answered > 0 ? throttled / answered : 0 }

        /// Starts a second while it was not paused; 0 where that is not known.
        var startedRate: Double { seconds - paused > 0.1 ? started / (seconds - paused) : 0 }

        /// The share and its standard error (Agresti and Coull, "Approximate is better than exact for interval estimation of
        /// binomial proportions", 1998).
        private var estimate: (middle: Double, error: Double) {
            let middle = (throttled + 2) / (answered + 4)
            return (middle, sqrt(middle * (1 - middle) / (answered + 4)))
        }

        /// The share is below this.
        var highest: Double { estimate.middle + 3 * estimate.error }

        /// Too many were throttled for it to be chance, or the share that is known to be chance.
        /// - Parameter isExpected: a limit is known to be near, so that less is enough to believe it.
        func isSignificant(beyond noise: Double, isExpected: Bool) -> Bool {
            // Of a few responses only a majority is evidence.
            guard seconds >= 1, isExpected ? throttled >= 2 : throttled >= 4,
                answered >= 20 || answered >= 8 && throttled * 2 >= answered
            else { return false }
            // What is known to be chance is not known exactly.
            let allowed = noise + (AdaptiveRate.tolerated + 0.2 * noise) * (1 - noise)
            return estimate.middle - (isExpected ? 2 : 3) * estimate.error > allowed
        }

        /// So few are throttled that the next decrease can wait a little.
        var mayWait: Bool { share < 0.3 && (seconds < 10 || answered < 60) }

        /// There would have been enough to see more than `noise`, if there were more.
        func isEnough(beyond noise: Double) -> Bool {
            guard seconds >= 2, answered >= 30 else { return seconds >= 120 }
            return share <= noise + AdaptiveRate.tolerated || answered >= 300
        }
    }

    /// What a decrease did.
    enum DecreaseEffect: Sendable, Equatable {
        case helps, chance, unclear
        /// Much less is accepted than before: what was known is past.
        case overtaken
    }

    /// Responses at an earlier rate, for comparison.
    struct Reference: Sendable, Equatable {
        var answered: Double
        var throttled: Double
        var rate: Double
        /// The rate to return to; 0 for not slowed.
        var restore: Double
        /// How long ago that was.
        var seconds = 0.0
        /// A decrease did not help.
        var isSuspected = false

        /// Whether slowing down to `lower` helped. A provider that takes so many a second takes a greater share of fewer
        /// messages, in proportion; one that refuses by chance takes the same share.
        func effect(_ evidence: Evidence, at lower: Double) -> DecreaseEffect {
            guard answered > 0, evidence.answered > 0, lower < rate else { return .unclear }
            let before = 1 - throttled / answered
            // A provider that refuses nearly all gets no higher rate, whatever the reason.
            guard before >= 0.2 else { return .helps }
            let after = 1 - evidence.share
            let expected = min(1, before * rate / lower)
            let error = sqrt(before * (1 - before) * (1 / answered + 1 / evidence.answered))
            if after < 0.75 * before { return before - after > 3 * error ? .overtaken : .unclear }
            guard expected - before > max(2 * error, 0.01) else { return .unclear }
            return after >= (before + expected) / 2 ? .helps : .chance
        }

        func commonShare(with evidence: Evidence) -> Double {
            (throttled + evidence.throttled) / (answered + evidence.answered)
        }
    }
}
