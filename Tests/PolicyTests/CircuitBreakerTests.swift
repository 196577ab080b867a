import Model
import Testing

@testable import Policy

@Suite struct BreakerTests {
    private let second: Int64 = 1_000_000_000

    private func opened(at now: Int64) -> CircuitBreaker {
        var breaker = CircuitBreaker()
        for _ in 0..<CircuitBreaker.failuresToOpen { breaker.note(.failure, at: now, jitter: 1) }
        return breaker
    }

    @Test func opensAfterTenFailuresAtOnceOrThreeInTwoSeconds() {
        var fast = CircuitBreaker()
        for number in 1...10 {
            fast.note(.failure, at: Int64(number), jitter: 1)
            #expect(fast.isOpen == (number == 10))
        }
        var slow = CircuitBreaker()
        slow.note(.failure, at: 0, jitter: 1)
        slow.note(.failure, at: second, jitter: 1)
        #expect(slow.admit(at: second) == .go)
        slow.note(.failure, at: 2 * second, jitter: 1)
        #expect(slow.isOpen && slow.since == 2 * second)
    }

    @Test func aSuccessBetweenFailuresStartsTheCountAnew() {
        var breaker = CircuitBreaker()
        for number in 0..<1000 {
            breaker.note(number % 3 == 2 ? .success : .failure, at: Int64(number) * second, jitter: 1)
            #expect(breaker.admit(at: Int64(number) * second) == .go)
        }
    }

    /// A provider that is slow with a few recipients: most connections wait for these, and what comes back is failures for a while.
    @Test func aFewSlowRecipientsDoNotOpenIt() {
        var breaker = CircuitBreaker()
        // Messages begin all the time; one in fifty fails after a minute, the others succeed at once.
        for tick in 0..<20_000 {
            let now = Int64(tick) * second / 10
            breaker.note(.success, since: now, at: now, jitter: 1)
            if tick % 50 == 0 { breaker.note(.failure, since: now - 60 * second, at: now, jitter: 1) }
            #expect(!breaker.isOpen)
        }
        // They come together, between groups of others.
        for tick in 0..<1000 {
            let now = 3000 * second + Int64(tick) * second
            breaker.note(.init(successes: 30), since: now, at: now, jitter: 1)
            for _ in 0..<12 { breaker.note(.init(failures: 1), since: now - 60 * second, at: now, jitter: 1) }
            #expect(!breaker.isOpen)
        }
    }

    /// The round of retries: only those are left with whom it is slow, and nobody is answered.
    @Test func slowRetriesDoNotOpenItAndQuickOnesDo() {
        var slow = CircuitBreaker()
        slow.note(.init(successes: 5880), since: 0, at: 20 * second, jitter: 1)
        for number in 0..<360 {
            let now = Int64(60 + number / 10) * second
            slow.note(.init(failures: 1, failedRetries: 1), since: now - 30 * second, at: now, jitter: 1)
            #expect(!slow.isOpen)
        }
        // A recipient who was never tried tells more, however long it took: nobody is answered any more.
        for number in 0..<10 {
            slow.note(.init(failures: 1), since: Int64(100 + number) * second, at: Int64(130 + number) * second, jitter: 1)
        }
        #expect(slow.isOpen)
        // Whoever cannot be connected to, or fails at once, is down for everybody.
        var quick = CircuitBreaker()
        for number in 0..<10 { quick.note(.init(failures: 1, failedRetries: 1), since: Int64(number), at: Int64(number) + 1, jitter: 1) }
        #expect(quick.isOpen)
        // A slow retry that probes leaves it open.
        guard case .probe(let ticket) = quick.admit(at: second * 2) else { return #expect(quick.isOpen == false) }
        quick.note(.init(failures: 1, failedRetries: 1), since: 2 * second, probe: ticket, at: 32 * second, jitter: 1)
        #expect(quick.isOpen)
    }

    @Test func itOpensByTheShareOfFailures() {
        var half = CircuitBreaker()
        for number in 0..<1000 { half.note(number % 2 == 0 ? .success : .failure, at: Int64(number), jitter: 1) }
        #expect(!half.isOpen)
        // One success in ten does not speak for a provider.
        var nine = CircuitBreaker()
        for number in 0..<40 where !nine.isOpen { nine.note(number % 10 == 5 ? .success : .failure, at: Int64(number), jitter: 1) }
        #expect(nine.isOpen)
        // It worked well until it went down.
        var fallen = CircuitBreaker()
        fallen.note(.init(successes: 5000), since: 0, at: 0, jitter: 1)
        var failures = 0
        while !fallen.isOpen, failures < 100 {
            failures += 1
            fallen.note(.failure, at: Int64(failures), jitter: 1)
        }
        #expect(failures == 16)
        // Of a large group the shares count.
        var mixed = CircuitBreaker()
        mixed.note(.init(successes: 60, failures: 40), since: 0, at: 1, jitter: 1)
        #expect(!mixed.isOpen)
    }

    @Test func whoeverMayHaveAMessageAlreadyProbesAfterTheOthers() {
        var breaker = opened(at: 0)
        #expect(breaker.admit(at: second, isFresh: false) == .wait(until: second + CircuitBreaker.staleWait))
        #expect(breaker.admit(at: second) == .probe(1))
        breaker.note(.failure, probe: 1, at: second, jitter: 1)
        // With nobody else it is its turn all the same.
        #expect(breaker.admit(at: 3 * second + CircuitBreaker.staleWait, isFresh: false) == .probe(2))
    }

    @Test func probesComeAfterOneSecondThenTwiceAsLongUpToTen() {
        var breaker = opened(at: 0)
        var now: Int64 = 0
        var waits: [Int64] = []
        for _ in 0..<8 {
            guard case .wait(let until) = breaker.admit(at: now) else { break }
            waits.append((until - now) / second)
            now = until
            guard case .probe(let ticket) = breaker.admit(at: now) else { break }
            breaker.note(.failure, probe: ticket, at: now, jitter: 1)
        }
        #expect(waits == [1, 2, 4, 8, 10, 10, 10, 10])
        #expect(breaker.text(at: now) == "open for 55 s after 18 failures, next probe in 10 s")
    }

    @Test func oneSuccessClosesItAndTheNextOutageBeginsWithAShortWait() {
        var breaker = opened(at: 0)
        guard case .probe(let ticket) = breaker.admit(at: second) else {
            Issue.record("no probe after a second")
            return
        }
        #expect(breaker.admit(at: second) == .wait(until: second + 90 * second))
        breaker.note(.success, probe: ticket, at: 2 * second, jitter: 1)
        #expect(!breaker.isOpen && breaker.since == nil && breaker.text(at: 3 * second) == "")
        #expect(breaker.admit(at: 2 * second) == .go)
        for _ in 0..<10 { breaker.note(.failure, at: 9 * second, jitter: 1) }
        #expect(breaker.admit(at: 9 * second) == .wait(until: 10 * second))
    }

    @Test func aProbeThatWasNotSentGivesItsPlaceToAnotherAtOnce() {
        var breaker = opened(at: 0)
        guard case .probe(let first) = breaker.admit(at: second) else { return }
        breaker.note(.none, probe: first, at: 2 * second, jitter: 1)
        #expect(breaker.admit(at: 2 * second) == .probe(first + 1))
        // The late word of the first says nothing of the second.
        breaker.note(.failure, probe: first, at: 3 * second, jitter: 1)
        #expect(breaker.admit(at: 3 * second) == .wait(until: 2 * second + 90 * second))
    }

    @Test func aProbeWhoseOutcomeNeverComesHoldsItOpenForItsTimeOnly() {
        var breaker = CircuitBreaker(probeTime: 5 * second)
        for _ in 0..<10 { breaker.note(.failure, at: 0, jitter: 1) }
        #expect(breaker.admit(at: second) == .probe(1))
        guard case .wait = breaker.admit(at: 6 * second - 1) else {
            Issue.record("a second probe beside the first")
            return
        }
        #expect(breaker.admit(at: 6 * second) == .probe(2))
    }

    /// A worker's schedule at random against a provider that is up and down by turns: who is admitted ends after a while, or
    /// never.
    @Test(arguments: 0..<200 as Range<UInt64>)
    func oneProbeAtATimeAndAProviderThatWorksAgainIsUsedAgain(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let probeTime = 20 * second
        var breaker = CircuitBreaker(probeTime: probeTime)
        /// Ticket (0 for none), and when it was admitted.
        var inFlight: [(ticket: Int, at: Int64)] = []
        var now: Int64 = 0
        var isUp = true
        var upSince: Int64 = 0
        for _ in 0..<3000 {
            now += Int64.random(in: 0...second / 2, using: &generator)
            if Int.random(in: 0..<150, using: &generator) == 0 {
                isUp.toggle()
                upSince = now
            }
            let wasOpen = breaker.isOpen
            switch breaker.admit(at: now) {
            case .go:
                #expect(!wasOpen)
                inFlight.append((0, now))
            case .probe(let ticket):
                #expect(wasOpen)
                #expect(
                    !inFlight.contains { $0.ticket > 0 && $0.at + probeTime > now && breaker.since ?? now <= $0.at })
                inFlight.append((ticket, now))
            case .wait(let until): #expect(wasOpen && until > now && until <= now + max(CircuitBreaker.longestWait, probeTime))
            }
            while !inFlight.isEmpty, inFlight.count > 8 || Bool.random(using: &generator) {
                let ended = inFlight.remove(at: Int.random(in: 0..<inFlight.count, using: &generator))
                let fate = Int.random(in: 0..<20, using: &generator)
                // The owners of some die, others are stopped before they sent.
                if fate == 0 { continue }
                breaker.note(
                    fate == 1 ? .none : isUp ? .success : .failure, probe: ended.ticket == 0 ? nil : ended.ticket,
                    at: now,
                    jitter: Double.random(in: 0...1, using: &generator))
            }
        }
        // From now on it works, and whoever is admitted says so.
        if !isUp { upSince = now }
        let limit = now + CircuitBreaker.longestWait + probeTime
        while breaker.isOpen, now <= limit {
            switch breaker.admit(at: now) {
            case .go: break
            case .probe(let ticket): breaker.note(.success, probe: ticket, at: now, jitter: 0)
            case .wait(let until): now = until
            }
        }
        #expect(!breaker.isOpen && upSince <= now)
    }
}
