import Logging
import Metrics
import Model
import Policy
import Synchronization

/// Stops a worker's attempts to a provider that is down, and reports that; the shell of `CircuitBreaker`. There is one for each provider.
final class ProviderCircuitBreaker: Sendable {
    /// What a message may do after its wait.
    enum Passage: Sendable, Equatable {
        case go
        /// One message probes the provider; its outcome is noted with the ticket.
        case probe(Int)
    }

    /// Seconds that a probe may take before another is sent.
    private static let probeTime = Duration.seconds(30)

    let name: String
    private let changes: Broadcast
    /// Notified when it opens or closes, so that somebody looks at `nextProbe`.
    private let signal: WakeSignal
    private let health: @Sendable (_ of: String, _ problem: String?) -> Void
    private let clocks: Clocks
    private let logger: Logger
    private let open = Atomic<Bool>(false)
    private let hasFailed = Atomic<Bool>(false)
    /// There were failures lately: successes are counted as well.
    private let isWatching = Atomic<Bool>(false)
    /// When the last success came, in nanoseconds of CLOCK_MONOTONIC; 0 for none. It is known also where successes are not counted.
    private let lastSuccess = Atomic<Int64>(0)
    private let breaker: Mutex<CircuitBreaker>
    private let line = Mutex(RepeatedLine())
    /// The log has said that it is open.
    private let isReported = Atomic<Bool>(false)
    private let gauge: Gauge

    /// - Parameters:
    ///   - changes: wakes the messages that wait for it.
    ///   - signal: wakes whoever takes batches for it.
    init(
        _ provider: Provider, changes: Broadcast, signal: WakeSignal, health: @escaping @Sendable (String, String?) -> Void, clocks: Clocks,
        logger: Logger
    ) {
        name = provider.name
        self.signal = signal
        self.changes = changes
        self.health = health
        self.clocks = clocks
        self.logger = logger
        // A provider may be slow with one recipient only: then another one probes.
        breaker = Mutex(CircuitBreaker(probeTime: max(Self.probeTime, provider.connectTimeout * 2).nanoseconds))
        gauge = Gauge(label: "flotilla_provider_breaker_open", dimensions: [("provider", provider.name)])
        gauge.record(0)
    }

    var isOpen: Bool { open.load(ordering: .relaxed) }

    /// When the next message may probe the provider; nil while it is closed.
    var nextProbe: ContinuousClock.Instant? {
        guard isOpen, let probe = breaker.withLock({ $0.nextProbe }) else { return nil }
        return clocks.now + .nanoseconds(max(0, probe - clocks.monotonic))
    }

    /// Its last response was a failure, or no response came.
    var hasTrouble: Bool { hasFailed.load(ordering: .relaxed) }

    /// Waits until a message to the provider may start.
    /// - Parameter isFresh: nothing was tried with the recipient before. Others probe later, so that nobody gets a message again and again.
    /// - Returns: nil when `mayStart` says no.
    func pass(isFresh: Bool = true, mayStart: () -> Bool) async -> Passage? {
        while true {
            let version = changes.version
            guard mayStart(), !Task.isCancelled else { return nil }
            let now = clocks.monotonic
            switch breaker.withLock({ $0.admit(at: now, isFresh: isFresh) }) {
            case .go: return .go
            case .probe(let ticket): return .probe(ticket)
            case .wait(let until): await changes.wait(after: version, atMost: .nanoseconds(until - now))
            }
        }
    }

    /// Notes the outcome of messages.
    /// - Parameters:
    ///   - problem: what went wrong.
    ///   - since: when the messages were started, in nanoseconds of CLOCK_MONOTONIC.
    func note(_ evidence: CircuitBreaker.Evidence, problem: ProviderResponse?, since: Int64, probe: Int? = nil) {
        let now = clocks.monotonic
        let answered = evidence.successes > 0 ? now : lastSuccess.load(ordering: .relaxed)
        if evidence.successes > 0 { lastSuccess.store(now, ordering: .relaxed) }
        // The usual case: no failure now, and none lately.
        guard evidence.failures > 0 || probe != nil || isWatching.load(ordering: .relaxed) else { return }
        let jitter = Double.random(in: 0...1)
        let change = breaker.withLock { breaker -> Change in
            let before = breaker
            breaker.noteSuccess(at: answered)
            breaker.note(evidence, since: since, probe: probe, at: now, jitter: jitter)
            return show(before, breaker)
        }
        wake(change)
        if change.after.isOpen {
            let what = problem.map { "\($0.code == 0 ? "" : "\($0.code) ")\($0.text)" } ?? "no response"
            health("provider \(name)", "\(change.after.text(at: now)): \(what)")
            guard !change.before.isOpen else { return }
            gauge.record(1)
            let count = line.withLock { $0.add(at: now) }
            isReported.store(count != nil, ordering: .relaxed)
            logger.log(
                level: count == nil ? .debug : .warning,
                """
                provider \(name) is unavailable (\(what)); its messages wait, and one at a time probes it\(RepeatedLine.text(count ?? 1))
                """, metadata: ["provider": "\(name)", "stage": "\(problem?.stage.rawValue ?? "")"])
        } else if change.before.isOpen {
            gauge.record(0)
            health("provider \(name)", nil)
            logger.log(
                level: isReported.load(ordering: .relaxed) ? .notice : .debug, "provider \(name) is available again",
                metadata: ["provider": "\(name)"])
        }
    }

    /// A message that was to probe is not sent.
    func release(_ probe: Int?) { note(.none, problem: nil, since: 0, probe: probe) }

    private struct Change {
        var before: CircuitBreaker
        var after: CircuitBreaker
    }

    /// Publishes a change to readers that do not take the lock. It is called inside the lock, so that readers see the last change.
    private func show(_ before: CircuitBreaker, _ after: CircuitBreaker) -> Change {
        hasFailed.store(after.failures > 0, ordering: .relaxed)
        isWatching.store(after.isWatching, ordering: .relaxed)
        open.store(after.isOpen, ordering: .relaxed)
        return Change(before: before, after: after)
    }

    private func wake(_ change: Change) {
        guard change.before != change.after, change.before.isOpen || change.after.isOpen else { return }
        changes.notify()
        signal.notify()
    }

    /// No mailing needs it any more.
    func forget() {
        guard isWatching.load(ordering: .relaxed) else { return }
        let change = breaker.withLock { breaker in
            let before = breaker
            breaker.reset()
            return show(before, breaker)
        }
        wake(change)
        gauge.record(0)
        health("provider \(name)", nil)
    }
}
