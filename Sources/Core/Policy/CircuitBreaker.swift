/// Keeps messages from a provider that is down: it opens when nothing but failures come back, then lets one probe through at a
/// time, after growing waits, and closes at the first success (the circuit breaker of Nygard, "Release It!", 2007). One a
/// provider in each worker. Times are nanoseconds of a clock that does not go back.
///
/// A failure is a response that is the provider's own fault (`ProviderResponse.isProviderFault`); any other response is a success, a
/// refusal too: whoever refuses is there.
package struct CircuitBreaker: Sendable, Equatable {
    /// Failures in a row that open it. A whole provider fails on all connections at once, so that ten are there in an instant;
    /// where one response in three is a failure by chance, ten in a row come once in 59,000 responses.
    package static let failuresToOpen = 10
    /// As many failures in a row open it where they took `slowSpan` together: at a few messages a minute it must not cost ten
    /// recipients an attempt to notice.
    package static let slowFailures = 3
    package static let slowSpan: Int64 = 2_000_000_000
    /// The wait before the first probe and the longest one; it doubles with each that fails.
    package static let firstWait: Int64 = 1_000_000_000
    package static let longestWait: Int64 = 10_000_000_000

    /// What came of a message.
    package enum Outcome: Sendable, Equatable {
        case success, failure
        /// Nothing was learnt: it was not sent.
        case none
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
        /// A probe is on its way, and given up at `until`.
        case halfOpen(until: Int64)
    }

    private(set) var state = State.closed
    /// Failures since the last success.
    package private(set) var failures = 0
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

    /// Whether a message may go now. Whoever is told to probe must send, or note `.none`.
    package mutating func admit(at now: Int64) -> Admission {
        switch state {
        case .closed: return .go
        case .open(let until) where now < until: return .wait(until: until)
        case .halfOpen(let until) where now < until: return .wait(until: until)
        case .open, .halfOpen:
            ticket += 1
            state = .halfOpen(until: now + probeTime)
            return .probe(ticket)
        }
    }

    /// Takes note of what came of a message.
    /// - Parameters:
    ///   - probe: the ticket, where it was a probe.
    ///   - jitter: 0...1, at random, so that the workers of a fleet do not probe in step: a wait is half of its length to all
    ///     of it.
    package mutating func note(_ outcome: Outcome, probe: Int? = nil, at now: Int64, jitter: Double) {
        switch outcome {
        case .success:
            self = CircuitBreaker(closedAfter: self)
        case .failure:
            if failures == 0 { firstFailure = now }
            failures += 1
            switch state {
            case .closed:
                guard
                    failures >= Self.failuresToOpen
                        || failures >= Self.slowFailures && now - firstFailure >= Self.slowSpan
                else { return }
                since = now
                state = .open(until: now + wait(jitter))
            case .halfOpen where probe == ticket:
                failedProbes += 1
                state = .open(until: now + wait(jitter))
            case .open, .halfOpen:
                // Sent before it opened, or given up: says nothing new.
                return
            }
        case .none:
            if case .halfOpen = state, probe == ticket { state = .open(until: now) }
        }
    }

    private init(closedAfter old: CircuitBreaker) {
        probeTime = old.probeTime
        // A ticket is never given twice.
        ticket = old.ticket
    }

    private func wait(_ jitter: Double) -> Int64 {
        let full = min(Self.longestWait, Self.firstWait << min(failedProbes, 10))
        return Int64(Double(full) * (0.5 + 0.5 * min(max(jitter, 0), 1)))
    }

    /// For people: `open for 3 min 20 s after 14 failures in a row, next probe in 8 s`; empty while it is closed.
    package func text(at now: Int64) -> String {
        guard let since else { return "" }
        let head = "open for \(Self.seconds(now - since)) after \(failures) failures in a row, "
        switch state {
        case .closed: return ""
        case .open(let until):
            return head + (until <= now ? "next probe now" : "next probe in \(Self.seconds(until - now))")
        case .halfOpen: return head + "a probe is on its way"
        }
    }

    private static func seconds(_ nanoseconds: Int64) -> String { TimeSpan.text(seconds: Double(nanoseconds) / 1e9) }
}
