import Model
import Testing

@testable import Policy

/// From whatever state a circuit breaker has come to, a provider that answers closes it in bounded time.
@Suite struct CircuitBreakerStateTests {
    private static let second: Int64 = 1_000_000_000
    private static let probeTime = 20 * second

    /// Whoever is admitted from now on is answered.
    /// - Returns: the time until it is closed; nil when that is never.
    private func recovery(_ breaker: CircuitBreaker, at start: Int64) -> Int64? {
        var breaker = breaker
        var now = start
        for _ in 0..<20 {
            guard breaker.isOpen else { return now - start }
            switch breaker.admit(at: now) {
            case .go: return nil
            case .probe(let ticket): breaker.note(.success, probe: ticket, at: now, jitter: 1)
            case .wait(let until):
                guard until > now else { return nil }
                now = until
            }
        }
        return nil
    }

    @Test func fromEveryStateAProviderThatRespondsClosesIt() {
        var visited = 0
        for seed in 0..<2_500 as Range<UInt64> {
            var random = SeededGenerator(seed: seed)
            var breaker = CircuitBreaker(probeTime: Self.probeTime)
            var now: Int64 = 0
            var tickets: [Int] = []
            for step in 0..<80 {
                now += [0, 1, Self.second / 3, Self.second, 9 * Self.second, 30 * Self.second].randomElement(using: &random) ?? 0
                // Outcomes of probes, of messages that were sent before, late ones and such as never were.
                let ticket: Int? = [tickets.last, tickets.randomElement(using: &random), nil, 99].randomElement(using: &random) ?? nil
                switch Int.random(in: 0..<10, using: &random) {
                case 0..<4: if case .probe(let new) = breaker.admit(at: now) { tickets.append(new) }
                case 4..<8: breaker.note(.failure, probe: ticket, at: now, jitter: Double.random(in: -1...2, using: &random))
                case 8: breaker.note(.none, probe: ticket, at: now, jitter: 0)
                default: if step % 9 == 0 { breaker.note(.success, probe: ticket, at: now, jitter: 0) }
                }
                visited += 1
                // Each ticket is given once.
                if Set(tickets).count != tickets.count { Issue.record("seed \(seed): a ticket is given twice") }
                guard let time = recovery(breaker, at: now) else {
                    Issue.record("seed \(seed), step \(step): open for ever, \(breaker.state)")
                    return
                }
                if time > max(Self.probeTime, CircuitBreaker.longestWait) { Issue.record("seed \(seed), step \(step): \(time) ns") }
                // Whoever is told to wait is told until when, and that is not far.
                if let probe = breaker.nextProbe, probe - now > max(Self.probeTime, CircuitBreaker.longestWait) {
                    Issue.record("seed \(seed), step \(step): the next probe is in \(probe - now) ns")
                }
            }
        }
        #expect(visited == 200_000)
    }
}
