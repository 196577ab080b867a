#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// How fast a fleet may send in a scope whose provider asks to slow down: a controller with multiplicative decrease and slow
/// recovery (AIMD: Chiu and Jain, "Analysis of the increase and decrease algorithms for congestion avoidance", 1989), whose
/// recovery is CUBIC's (RFC 9438 section 4): slow near the rate that was too much, faster the longer nothing is heard.
///
/// Three things are added. A decrease goes to nine tenths of what the provider was measured to take, but to no less than half of the
/// rate. It needs evidence from several responses. Where slowing down does not change the share of throttled responses, that share is
/// chance: the rate goes back, and such a share is tolerated from then on (`noise`).
package struct AdaptiveRate: Sendable, Equatable {
    /// What happened in a scope since the judgement before.
    package struct Observation: Sendable, Equatable {
        package var answered: Int
        /// Of these, how many asked to slow down.
        package var throttled: Int
        package var started: Int
        /// Length of the time, and how much of it the scope was paused (Retry-After).
        package var seconds: Double
        package var paused: Double

        package init(answered: Int, throttled: Int, started: Int, seconds: Double, paused: Double = 0) {
            self.answered = max(0, answered)
            self.throttled = min(max(0, throttled), self.answered)
            self.started = max(0, started)
            self.seconds = seconds > 0 ? min(seconds, 1e6) : 0
            self.paused = paused > 0 ? min(paused, self.seconds) : 0
        }
    }

    /// Messages a second that may start; nil while the scope is not slowed.
    package internal(set) var rate: Double?
    /// The rate at which it is no longer slowed down: the limit, or what was measured where there is none.
    var full = 0.0
    /// The rate that the last decrease led to.
    var bottom = 0.0
    /// What the provider was believed to take then; recovery is slow around it.
    var plateau = 0.0
    /// Seconds since the last decrease.
    var age = AdaptiveRate.forgotten
    /// Throttled share at the last decrease and the rate before it, for people.
    var share = 0.0
    var rateBefore = 0.0
    /// The share of throttled responses that comes whatever the rate, and seconds since that was found.
    var noise = 0.0
    var noiseAge = 0.0
    /// How long that is believed, in seconds; it doubles each time that it is found again.
    var noiseTime = AdaptiveRate.shortestNoise
    /// How often in a row all was well since the last decrease.
    var wellTimes = 0
    /// All was well after a decrease, more than once: the provider has a limit, and a higher rate does not help.
    var isProven = false
    /// Nothing at all is accepted: the provider's window is used up.
    var isShut = false
    /// The evidence since the last decrease, or since the last time without throttled responses.
    var evidence = Evidence()
    /// Messages accepted and the seconds that took, with old ones fading.
    var taken = 0.0
    var takenSeconds = 0.0
    /// Accepted a second on average from one beginning of throttling to the next.
    var average = 0.0
    /// The responses at an earlier rate since throttling began; nil when all is well.
    var reference: Reference?
    /// How it went before the first decrease; nil once there is known to be a limit. Many small decreases, each of which seemed to
    /// help, show by it that they did not.
    var origin: Reference?

    /// Responses to messages that started before a decrease still come for so long: the change reaches workers within
    /// 250 ms, reservations lie 200 ms ahead (where starts are rare longer, and there responses are few), counts come every 500 ms, and the
    /// provider takes its time.
    static let reaction = 1.5
    static let decrease = 0.9
    /// At no time less of the rate than this.
    static let deepest = 0.5
    /// A smaller share of throttled responses is no reason to slow down.
    static let tolerated = 0.02
    /// Of the recovery: `rate = plateau * (1 + cubic * (age - k)^3)`. A tenth below the plateau it takes 15 s to come back to it,
    /// and from a fiftieth to the full rate 135 s; from as little as there may be, six minutes.
    static let cubic = 3e-5
    /// Seconds in which what was accepted fades to a third.
    static let memory = 60.0
    /// Seconds after which it is tested again whether a share is chance.
    static let shortestNoise = 10.0
    static let longestNoise = 300.0
    /// No rate is lower, in messages a second: responses must come to learn from.
    static let floor = 0.1
    static let forgotten = 1e6

    package init() {}

    /// There is nothing to remember.
    package var isAtRest: Bool { rate == nil && noise == 0 && age > 60 && evidence.throttled == 0 }

    /// Microseconds between two starts at least; nil while the scope is not slowed.
    package var interval: Double? { rate.map { 1e6 / $0 } }

    /// Notes observations.
    /// - Parameter limit: the scope's own rate, messages a second; nil where it has none.
    package mutating func judge(_ seen: Observation, limit: Double?) {
        guard seen.seconds > 0 else { return }
        // Where nothing is sent (the provider is down, nothing is to be sent) there is nothing to measure.
        let isIdle = seen.answered == 0 && seen.started == 0
        if !isIdle {
            let fading = exp(-seen.seconds / Self.memory)
            taken = taken * fading + Double(seen.answered - seen.throttled)
            takenSeconds = takenSeconds * fading + seen.seconds
        }
        // Responses from too soon after a decrease belong to the earlier rate.
        let isFresh = age >= Self.reaction
        age = min(age + seen.seconds, Self.forgotten)
        if noise > 0 {
            noiseAge += seen.seconds
            if noiseAge >= noiseTime { noise = 0 }
        }
        reference?.seconds += seen.seconds
        origin?.seconds += seen.seconds
        recover(limit)
        guard isFresh, !isIdle else { return }
        evidence.add(seen)
        if evidence.isSignificant(beyond: noise, isExpected: isProven) {
            guard let base = base(limit) else { return }
            let effect = reference?.effect(evidence, at: base)
            if effect == .unclear, evidence.mayWait { return }
            if effect == .chance, let known = reference, known.isSuspected {
                takeForChance(known)
            } else if let origin, base <= origin.rate / 4, origin.effect(evidence, at: base) == .chance {
                takeForChance(origin)
            } else {
                slowDown(from: base, effect, limit: limit)
            }
            evidence = Evidence()
        } else if evidence.isEnough(beyond: noise) {
            if evidence.highest < noise / 2 { noise = 0 }
            reference = nil
            evidence = Evidence()
            wellTimes += 1
            isProven = rate != nil && (isProven || wellTimes >= 2)
            if isProven { origin = nil }
            if isShut { reopen() }
        }
    }

    /// The rate that brought the evidence: the one that was allowed, or less where less was to be sent.
    private func base(_ limit: Double?) -> Double? {
        let measured = evidence.startedRate
        guard let allowed = [rate, limit].compactMap({ $0 }).min() else { return measured > 0 ? measured : nil }
        return measured > 0 && measured < 0.8 * allowed ? measured : allowed
    }

    /// - Parameter effect: on the decrease before; nil where all was well before.
    private mutating func slowDown(from base: Double, _ effect: DecreaseEffect?, limit: Double?) {
        if rate == nil { full = limit ?? max(base, Self.floor) }
        let isNew = effect == nil
        switch effect {
        case .helps, .overtaken, nil:
            if effect == .helps { noiseTime = Self.shortestNoise }
            reference = Reference(
                answered: evidence.answered, throttled: evidence.throttled, rate: base, restore: rate ?? 0)
            if rate == nil || effect == .overtaken { origin = reference }
        case .chance:
            // What a provider had saved up may look like it; it must be so twice.
            reference?.isSuspected = true
        case .unclear: break
        }
        if !isNew, evidence.throttled == evidence.answered {
            // When it opens again it will take what it took on average from window to window.
            isShut = true
            go(at: Self.deepest * base, below: average > 0 ? min(plateau, average) : plateau)
            return
        }
        isShut = false
        share = evidence.share
        rateBefore = base
        let excess = max(0, share - noise) / (1 - noise)
        // The share tells what a provider takes that counts by the second, the measured rate what one takes that has longer
        // windows: it refuses nothing for a while, then all.
        let measured = taken / takenSeconds / (1 - noise)
        let capacity = min(base, max(base * (1 - excess), measured))
        go(at: max(Self.decrease * capacity, Self.deepest * base), below: capacity)
        if isNew { average = measured }
        // From here on it is measured anew: the better times before would count for long.
        if effect != .chance, effect != .unclear {
            (taken, takenSeconds) = (evidence.answered - evidence.throttled, evidence.seconds)
        }
    }

    /// Goes back to the rate at which throttling began.
    private mutating func takeForChance(_ known: Reference) {
        noise = known.commonShare(with: evidence)
        noiseAge = 0
        isProven = false
        isShut = false
        // With few responses the test takes long, and has to be worth it.
        noiseTime = min(max(2 * noiseTime, 4 * known.seconds), Self.longestNoise)
        reference = nil
        origin = nil
        if known.restore > 0 {
            go(at: known.restore, below: known.restore)
        } else {
            rate = nil
        }
    }

    /// The provider accepts again: what it took before is near what it takes now.
    private mutating func reopen() {
        isShut = false
        if rate != nil { go(at: Self.decrease * plateau, below: plateau) }
    }

    private mutating func go(at new: Double, below capacity: Double) {
        bottom = min(max(new, Self.floor), full)
        plateau = max(capacity, Self.floor, full / 1000)
        rate = bottom
        age = 0
        wellTimes = 0
    }

    private mutating func recover(_ limit: Double?) {
        guard let slowed = rate else { return }
        full = limit ?? full
        let x = age - timeToPlateau
        let grown = max(slowed, plateau * (1 + Self.cubic * x * x * x))
        rate = grown >= full ? nil : grown
    }

    /// Seconds from the last decrease until the rate is back at the plateau.
    var timeToPlateau: Double { plateau > bottom ? cbrt((1 - bottom / plateau) / Self.cubic) : 0 }
}
