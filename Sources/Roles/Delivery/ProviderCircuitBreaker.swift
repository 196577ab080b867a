import Logging
import Metrics
import Model
import Policy
import Synchronization

/// Keeps a worker's messages from a provider that is down, and says so. One for each provider.
final class ProviderCircuitBreaker: Sendable {
    /// What a message that waited may do.
    enum Passage: Sendable, Equatable {
        case go
        /// One message may try whether the provider is back; its outcome is noted with the ticket.
        case probe(Int)
    }

    let name: String
    private let health: @Sendable (_ of: String, _ problem: String?) -> Void
    private let logger: Logger
    private let open = Atomic<Bool>(false)
    private let hasFailed = Atomic<Bool>(false)
    private let breaker: Mutex<CircuitBreaker>
    private let gauge: Gauge

    init(_ provider: Provider, health: @escaping @Sendable (String, String?) -> Void, logger: Logger) {
        name = provider.name
        self.health = health
        self.logger = logger
        // Connecting, and all the steps of an SMTP transaction.
        breaker = Mutex(CircuitBreaker(probeTime: Int64((provider.connectTimeout + 2 * provider.timeout) * 1e9)))
        gauge = Gauge(label: "flotilla_provider_breaker_open", dimensions: [("provider", provider.name)])
        gauge.record(0)
    }

    var isOpen: Bool { open.load(ordering: .relaxed) }

    /// Its last response was a failure, or there was none.
    var hasTrouble: Bool { hasFailed.load(ordering: .relaxed) }

    /// Waits until the provider may be sent to.
    /// - Returns: nil when `mayBegin` says no.
    func pass(mayBegin: () -> Bool) async -> Passage? {
        while mayBegin() {
            let now = Clock.monotonic()
            switch breaker.withLock({ $0.admit(at: now) }) {
            case .go: return .go
            case .probe(let ticket): return .probe(ticket)
            case .wait(let until):
                do { try await Task.sleep(for: .nanoseconds(min(max(until - now, 1_000_000), 100_000_000))) } catch { return nil }
            }
        }
        return nil
    }

    /// Takes note of what came of messages.
    /// - Parameters:
    ///   - failures: responses that are the provider's own fault, and groups for which no connection could be had.
    ///   - problem: what went wrong.
    func note(isFruitful: Bool, failures: Int, problem: ProviderResponse?, probe: Int?) {
        // Most of the time nothing is wrong, and nothing has been.
        guard failures > 0 || probe != nil || hasFailed.load(ordering: .relaxed) else { return }
        let now = Clock.monotonic()
        let change = breaker.withLock { breaker -> (was: Bool, is: Bool, text: String) in
            let was = breaker.isOpen
            if isFruitful {
                breaker.note(.success, probe: probe, at: now, jitter: 0)
            } else if failures > 0 {
                for _ in 0..<min(failures, CircuitBreaker.failuresToOpen) {
                    breaker.note(.failure, probe: probe, at: now, jitter: .random(in: 0...1))
                }
            } else {
                breaker.note(.none, probe: probe, at: now, jitter: 0)
            }
            hasFailed.store(breaker.failures > 0, ordering: .relaxed)
            open.store(breaker.isOpen, ordering: .relaxed)
            return (was, breaker.isOpen, breaker.text(at: now))
        }
        if change.is {
            let what = problem.map { "\($0.code == 0 ? "" : "\($0.code) ")\($0.text)" } ?? "no answer"
            health("provider \(name)", "\(change.text): \(what)")
            guard !change.was else { return }
            gauge.record(1)
            logger.warning(
                "the circuit breaker of provider \(name) is open (\(what)); its messages wait, and one at a time probes it",
                metadata: ["provider": "\(name)", "stage": "\(problem?.stage.rawValue ?? "")"])
        } else if change.was {
            gauge.record(0)
            health("provider \(name)", nil)
            logger.notice("the circuit breaker of provider \(name) is closed", metadata: ["provider": "\(name)"])
        }
    }

    /// No mailing needs it any more.
    func forget() {
        guard hasFailed.load(ordering: .relaxed) else { return }
        breaker.withLock { $0.note(.success, at: Clock.monotonic(), jitter: 0) }
        hasFailed.store(false, ordering: .relaxed)
        open.store(false, ordering: .relaxed)
        gauge.record(0)
        health("provider \(name)", nil)
    }
}
