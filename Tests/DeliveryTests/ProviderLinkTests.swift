import Logging
import Model
import Policy
import Synchronization
import Testing

@testable import Delivery

/// What a worker does about a provider that is down, and how it sizes its groups.
@Suite struct ProviderLinkTests {
    private final class Health: Sendable {
        let said = Mutex<[String?]>([])
    }

    private final class Order: Sendable {
        let numbers = Mutex<[Int]>([])
    }

    private static let down = ProviderResponse(action: .reconnect, stage: .connect, code: 0, text: "connection refused")
    private let changes = Broadcast()
    private let signal = WakeSignal()

    private func make() -> (breaker: ProviderCircuitBreaker, health: Health) {
        let health = Health()
        let provider = Provider(name: "relay", scheme: .smtp, host: "127.0.0.1", port: 9)
        let breaker = ProviderCircuitBreaker(
            provider, changes: changes, signal: signal, health: { _, problem in health.said.withLock { $0.append(problem) } },
            clocks: .system, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        return (breaker, health)
    }

    private func fail(_ breaker: ProviderCircuitBreaker, probe: Int? = nil) {
        breaker.note(.init(failures: 1), problem: Self.down, since: Clock.monotonic(), probe: probe)
    }

    /// All others have had their messages before the first of the slow ones fails; then these are tried again, and nobody else.
    @Test func recipientsWithWhomItIsSlowAreNoOutageThoughNobodyElseIsLeft() {
        let (breaker, _) = make()
        let begun = Clock.monotonic() - CircuitBreaker.lateFailure
        breaker.note(.init(successes: 1), problem: nil, since: begun)
        for _ in 0..<20 { breaker.note(.init(failures: 1), problem: Self.down, since: begun) }
        #expect(!breaker.isOpen)
        for _ in 0..<20 { fail(breaker) }
        #expect(breaker.isOpen)
    }

    @Test func failuresInARowHoldBackAllButOneThatTries() async throws {
        let (breaker, health) = make()
        for _ in 0..<9 { fail(breaker) }
        #expect(!breaker.isOpen && health.said.withLock(\.isEmpty) && breaker.nextProbe == nil)
        fail(breaker)
        #expect(breaker.isOpen && breaker.nextProbe != nil)
        #expect(health.said.withLock { $0.last??.contains("connection refused") } == true)
        let passage = await breaker.pass { true }
        guard case .probe(let ticket) = passage else { return #expect(passage == .probe(1)) }
        // Who may not begin any more does not wait.
        #expect(await breaker.pass { false } == nil)
        fail(breaker, probe: ticket)
        #expect(breaker.isOpen)
        // The others wait for an outcome while a probe is on its way, and one ends all their waits.
        async let others = [breaker.pass { true }, breaker.pass { true }]
        breaker.note(.init(successes: 1), problem: nil, since: Clock.monotonic())
        #expect(!breaker.isOpen && health.said.withLock { $0.last } == .some(nil))
        for passage in await others { #expect(passage == .go || passage == .probe(2)) }
        #expect(await breaker.pass { true } == .go)
    }

    @Test func whoeverTakesBatchesIsWokenWhenItOpensAndWhenItCloses() async {
        let (breaker, _) = make()
        for _ in 0..<10 { fail(breaker) }
        #expect(await signal.wait(atMost: .seconds(60)))
        breaker.note(.init(successes: 1), problem: nil, since: Clock.monotonic())
        #expect(await signal.wait(atMost: .seconds(60)))
    }

    @Test func aProviderThatNobodyNeedsIsNoTrouble() {
        let (breaker, health) = make()
        for _ in 0..<10 { fail(breaker) }
        #expect(breaker.hasTrouble)
        breaker.forget()
        #expect(!breaker.isOpen && !breaker.hasTrouble && health.said.withLock { $0.last } == .some(nil))
    }

    /// A response of the provider between failures: it is there.
    @Test func failuresThatAreNotInARowHoldBackNobody() {
        let (breaker, _) = make()
        for round in 0..<100 {
            fail(breaker)
            if round % 2 == 1 { breaker.note(.init(successes: 1), problem: nil, since: Clock.monotonic()) }
        }
        #expect(!breaker.isOpen)
    }

    @Test func groupsGrowWithAFastProviderAndShrinkWithASlowOne() {
        let size = GroupSizer(least: 2, most: 50, aim: .milliseconds(200))
        #expect(size.now == 8)
        for _ in 0..<5 { size.note(size.now, took: .milliseconds(5)) }
        #expect(size.now == 50)
        size.note(50, took: .seconds(2))
        #expect(size.now == 5)
        size.note(5, took: .seconds(20))
        #expect(size.now == 2)
        // One that is neither changes nothing.
        size.note(2, took: .milliseconds(150))
        #expect(size.now == 2)
    }

    @Test func placesAreGivenInTheOrderInWhichTheyWereAskedFor() async {
        let limiter = ConcurrencyLimiter(1)
        await limiter.acquire()
        let order = Order()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<5 {
                // It runs up to its wait before the next is made.
                group.addImmediateTask {
                    await limiter.acquire()
                    order.numbers.withLock { $0.append(number) }
                    limiter.release()
                }
            }
            limiter.release()
        }
        #expect(order.numbers.withLock { $0 } == [0, 1, 2, 3, 4])
    }
}
