/// Stops attempts to a provider that is down: it opens when nearly all responses are failures, then allows one probe at a time, after
/// growing waits, and closes at the first success (Nygard, "Release It!", 2007). Each worker has one for each provider. Times are
/// nanoseconds of a monotonic clock.
///
/// It judges by the share of failures among the last responses: a few recipients with which a provider is slow do not open it.
///
/// A failure is a response that is the provider's own fault (`ProviderResponse.isProviderFault`); any other response is a success, also a
/// refusal: a provider that refuses is available.
package struct CircuitBreaker: Sendable, Equatable {
    /// Failures that open it where they are `shareToOpen` of the last `window` responses. A whole provider fails on all connections at
    /// once, so that ten are there in an instant.
    package static let failuresToOpen = 10
    package static let shareToOpen = 0.8
    package static let window = 20
    /// As many failures in a row open it where they took `slowSpan` together and no success came for `slowSilence`: at a few messages a
    /// minute it must not cost ten recipients an attempt to notice.
    package static let slowFailures = 3
    package static let slowSpan: Int64 = 2_000_000_000
    package static let slowSilence: Int64 = 10_000_000_000
    /// A failure that took longer says nothing of the provider where messages that were begun later have been answered, or where the
    /// recipient was tried before: a provider that is slow with somebody is so again.
    package static let lateFailure: Int64 = 5_000_000_000
    /// Responses older than the last one by more are forgotten.
    package static let memory: Int64 = 60_000_000_000
    /// How much longer a recipient whose message may have arrived before waits for its turn to probe: others go first.
    package static let staleWait: Int64 = 1_000_000_000
    /// The wait before the first probe and the longest one; it doubles with each that fails.
    package static let firstWait: Int64 = 1_000_000_000
    package static let longestWait: Int64 = 10_000_000_000

    /// The outcome of a message.
    package enum Outcome: Sendable, Equatable {
        case success, failure
        /// Nothing was learnt: it was not sent.
        case none
    }

    /// The outcomes of a group of messages.
    package struct Evidence: Sendable, Equatable {
        /// Responses that only a provider at work gives.
        package var successes = 0
        /// Responses that are the provider's own fault, and groups for which no connection could be had.
        package var failures = 0
        /// Failures of recipients that were tried before.
        package var failedRetries = 0

        package init(successes: Int = 0, failures: Int = 0, failedRetries: Int = 0) {
            self.successes = successes
            self.failures = failures
            self.failedRetries = failedRetries
        }

        package static let none = Evidence()
    }

    package enum Admission: Sendable, Equatable {
        case go
        /// Send this one, and hand its ticket to `note`.
        case probe(Int)
        /// Not now; ask again at that moment, or when an outcome was noted.
        case wait(until: Int64)
    }

    enum State: Sendable, Equatable {
        case closed
        case open(until: Int64)
        /// A probe is in flight, and given up at `until`.
        case halfOpen(until: Int64)
    }

    private(set) var state = State.closed
    /// Failures since the last success; while it is open, all that led to it.
    package private(set) var failures = 0
    /// The last responses, the latest in the lowest bit; set for a failure.
    private var recent: UInt32 = 0
    private var recentCount = 0
    private var lastOutcome: Int64 = 0
    private var lastSuccess: Int64?
    /// When it opened; nil while it is closed.
    package private(set) var since: Int64?
    private var firstFailure: Int64 = 0
    /// Probes that failed since it opened.
    private var failedProbes = 0
    /// The last probe's.
    private var ticket = 0
    /// How long a probe's outcome is waited for: its owner may have been stopped.
    private let probeTime: Int64

    /// - Parameter probeTime: longer than a provider may take over a response, connecting included.
    package init(probeTime: Int64 = 90_000_000_000) {
        self.probeTime = max(1, probeTime)
    }

    package var isOpen: Bool { state != .closed }

    /// When the next probe may go; nil while it is closed.
    package var nextProbe: Int64? {
        switch state {
        case .closed: nil
        case .open(let until), .halfOpen(let until): until
        }
    }

    /// A failure is among the last responses: successes count as well.
    package var isWatching: Bool { isOpen || recent != 0 }

    /// Whether a message may start now. The caller that gets a probe must send it, or note `.none`.
    /// - Parameter isFresh: nothing was tried with its recipient before.
    package mutating func admit(at now: Int64, isFresh: Bool = true) -> Admission {
        let delay = isFresh ? 0 : Self.staleWait
        switch state {
        case .closed: return .go
        case .open(let until) where now < until + delay: return .wait(until: until + delay)
        case .halfOpen(let until) where now < until + delay: return .wait(until: until + delay)
        case .open, .halfOpen:
            ticket += 1
            state = .halfOpen(until: now + probeTime)
            return .probe(ticket)
        }
    }

    /// Notes the time of the last success, where not every success is noted.
    /// - Parameter moment: 0 for never.
    package mutating func noteSuccess(at moment: Int64) {
        if moment > lastSuccess ?? 0 { lastSuccess = moment }
    }

    /// Notes the outcomes of a group of messages.
    /// - Parameters:
    ///   - since: when they were started.
    ///   - probe: the ticket, where it was a probe.
    package mutating func note(_ evidence: Evidence, since: Int64, probe: Int? = nil, at now: Int64, jitter: Double) {
        var failures = evidence.failures
        if state == .closed, now - since >= Self.lateFailure { failures -= min(failures, evidence.failedRetries) }
        let successes = evidence.successes
        guard successes + failures > 0 else { return note(.none, probe: probe, at: now, jitter: jitter) }
        // Of a large group its shares.
        let scale = min(1, Double(Self.window) / Double(successes + failures))
        for _ in 0..<Int((Double(successes) * scale).rounded(.up)) { note(.success, since: since, probe: probe, at: now, jitter: jitter) }
        for _ in 0..<Int((Double(failures) * scale).rounded()) { note(.failure, since: since, probe: probe, at: now, jitter: jitter) }
    }

    /// Notes the outcome of a message.
    /// - Parameters:
    ///   - since: when it was started; nil for a moment ago.
    ///   - probe: the ticket, where it was a probe.
    ///   - jitter: 0...1, at random, so that the workers of a fleet do not probe in step: a wait is half of its length to all
    ///     of it.
    package mutating func note(_ outcome: Outcome, since begun: Int64? = nil, probe: Int? = nil, at now: Int64, jitter: Double) {
        switch outcome {
        case .success:
            if isOpen { reset() }
            failures = 0
            lastSuccess = now
            remember(isFailure: false, at: now)
        case .failure:
            let begun = begun ?? now
            if state == .closed, now - begun >= Self.lateFailure, let lastSuccess, lastSuccess > begun { return }
            if failures == 0 { firstFailure = now }
            failures += 1
            remember(isFailure: true, at: now)
            switch state {
            case .closed:
                guard isDown(at: now) else { return }
                failures = max(failures, recent.nonzeroBitCount)
                since = now
                state = .open(until: now + wait(jitter))
            case .halfOpen where probe == ticket:
                failedProbes += 1
                state = .open(until: now + wait(jitter))
            case .open, .halfOpen:
                // Sent before the breaker opened, or given up: no news.
                return
            }
        case .none:
            if case .halfOpen = state, probe == ticket { state = .open(until: now) }
        }
    }

    private mutating func remember(isFailure: Bool, at now: Int64) {
        if now - lastOutcome > Self.memory { (recent, recentCount) = (0, 0) }
        lastOutcome = now
        recent = (recent << 1 | (isFailure ? 1 : 0)) & (1 << UInt32(Self.window) - 1)
        recentCount = min(recentCount + 1, Self.window)
    }

    private func isDown(at now: Int64) -> Bool {
        let failed = recent.nonzeroBitCount
        if failed >= Self.failuresToOpen, Double(failed) >= Self.shareToOpen * Double(recentCount) { return true }
        let isSilent = lastSuccess.map { now - $0 >= Self.slowSilence } ?? true
        return failures >= Self.slowFailures && now - firstFailure >= Self.slowSpan && isSilent
    }

    /// Closes the breaker, and forgets all outcomes.
    package mutating func reset() { self = CircuitBreaker(closedAfter: self) }

    private init(closedAfter old: CircuitBreaker) {
        probeTime = old.probeTime
        // A ticket is never given twice.
        ticket = old.ticket
    }

    private func wait(_ jitter: Double) -> Int64 {
        let full = min(Self.longestWait, Self.firstWait << min(failedProbes, 10))
        return Int64(Double(full) * (0.5 + 0.5 * min(max(jitter, 0), 1)))
    }

    /// For people: `open for 3 min 20 s after 14 failures, next probe in 8 s`; empty while it is closed.
    package func text(at now: Int64) -> String {
        guard let since else { return "" }
        let head = "open for \(Self.seconds(now - since)) after \(failures) failures, "
        switch state {
        case .closed: return ""
        case .open(let until):
            return head + (until <= now ? "next probe now" : "next probe in \(Self.seconds(until - now))")
        case .halfOpen: return head + "a probe is on its way"
        }
    }

    private static func seconds(_ nanoseconds: Int64) -> String { TimeSpan.text(seconds: Double(nanoseconds) / 1e9) }
}
