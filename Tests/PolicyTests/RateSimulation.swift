import Model

@testable import Policy

/// A provider with a limit that nobody told us of.
struct HiddenLimit {
    enum Kind: Sendable {
        /// That many in each stretch of that many seconds, counted from its beginning.
        case fixed(Double)
        /// That many in the last seconds of that number.
        case sliding(Double)
        /// What is not used is saved up for so many seconds.
        case bucket(Double)
        /// Refuses this share, whatever the rate.
        case chance(Double)
    }

    var kind: Kind
    /// Messages a second.
    var limit: Double
    private var window = 0.0
    private var count = 0.0
    private var log: [Double] = []
    private var oldest = 0
    private var tokens = 0.0
    private var last = 0.0
    private var generator: SeededGenerator

    init(_ kind: Kind, limit: Double, seed: UInt64) {
        self.kind = kind
        self.limit = limit
        generator = SeededGenerator(seed: seed)
    }

    mutating func accepts(at time: Double) -> Bool {
        switch kind {
        case .fixed(let length):
            if time >= window + length { (window, count) = ((time / length).rounded(.down) * length, 0) }
            count += 1
            return count <= limit * length
        case .sliding(let length):
            while oldest < log.count, log[oldest] <= time - length { oldest += 1 }
            guard Double(log.count - oldest) < limit * length else { return false }
            log.append(time)
            return true
        case .bucket(let length):
            tokens = min(max(1, limit * length), tokens + (time - last) * limit)
            last = time
            guard tokens >= 1 else { return false }
            tokens -= 1
            return true
        case .chance(let share): return Double.random(in: 0..<1, using: &generator) >= share
        }
    }
}

/// A fleet that sends as fast as it may to a provider, second by second. Answers take 200 ms, judgements come every 500 ms and
/// reach the workers after 400 ms.
struct RateSimulation {
    struct Second {
        var accepted = 0.0
        var throttled = 0.0
        var started: Double { accepted + throttled }
    }

    let rate: Double
    let isLimited: Bool
    var provider: HiddenLimit
    private(set) var adaptive = AdaptiveRate()
    private(set) var seconds: [Second] = []
    private var responses: [(at: Double, accepted: Bool)] = []
    private var arrived = 0
    private var coming: [(at: Double, rate: Double?)] = []
    private var slowed: Double?
    private var started = 0
    private var nextStart = 0.0
    private var nextJudgement = 0.5

    /// - Parameter isLimited: `rate` is the scope's limit; else it is only what the workers manage.
    init(rate: Double, isLimited: Bool = true, provider: HiddenLimit) {
        self.rate = rate
        self.isLimited = isLimited
        self.provider = provider
    }

    mutating func run(until end: Double) {
        while min(nextStart, nextJudgement) < end {
            let now: Double
            if nextStart <= nextJudgement {
                now = nextStart
                start(at: now)
                nextStart = now + 1 / min(rate, slowed ?? rate)
            } else {
                now = nextJudgement
                judge(at: now)
                nextJudgement += 0.5
            }
            while let change = coming.first, change.at <= now {
                slowed = change.rate
                coming.removeFirst()
                nextStart = max(now, min(nextStart, now + 1 / min(rate, slowed ?? rate)))
            }
        }
    }

    private mutating func start(at now: Double) {
        let isAccepted = provider.accepts(at: now + 0.1)
        while seconds.count <= Int(now) { seconds.append(Second()) }
        if isAccepted { seconds[Int(now)].accepted += 1 } else { seconds[Int(now)].throttled += 1 }
        responses.append((now + 0.2, isAccepted))
        started += 1
    }

    private mutating func judge(at now: Double) {
        var answered = 0
        var throttled = 0
        while arrived < responses.count, responses[arrived].at <= now {
            answered += 1
            if !responses[arrived].accepted { throttled += 1 }
            arrived += 1
        }
        // As workers share it.
        adaptive = AdaptiveRate(encoded: adaptive.encoded)
        adaptive.judge(
            AdaptiveRate.Observation(answered: answered, throttled: throttled, started: started, seconds: 0.5),
            limit: isLimited ? rate : nil)
        started = 0
        coming.append((now + 0.4, adaptive.rate))
    }

    func total(_ range: Range<Int>) -> Second {
        seconds[range].reduce(into: Second()) {
            $0.accepted += $1.accepted
            $0.throttled += $1.throttled
        }
    }
}
