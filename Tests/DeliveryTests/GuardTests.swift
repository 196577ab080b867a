import Logging
import Model
import Synchronization
import Testing

@testable import Delivery

/// What a worker does about a provider that is down, and how it sizes its groups.
@Suite struct GuardTests {
    private final class Health: Sendable {
        let said = Mutex<[String?]>([])
    }

    private final class Order: Sendable {
        let numbers = Mutex<[Int]>([])
    }

    private static let down = ProviderResponse(kind: .unreachable, stage: .connect, code: 0, text: "connection refused")

    private func make() -> (breaker: ProviderCircuitBreaker, health: Health) {
        let health = Health()
        let provider = Provider(name: "relay", scheme: .smtp, host: "127.0.0.1", port: 9)
        let breaker = ProviderCircuitBreaker(
            provider, health: { _, problem in health.said.withLock { $0.append(problem) } },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        return (breaker, health)
    }

    private func fail(_ breaker: ProviderCircuitBreaker, probe: Int? = nil) {
        breaker.note(isFruitful: false, failures: 1, problem: Self.down, probe: probe)
    }

    @Test func failuresInARowHoldBackAllButOneThatTries() async throws {
        let (breaker, health) = make()
        for _ in 0..<9 { fail(breaker) }
        #expect(!breaker.isOpen && health.said.withLock(\.isEmpty))
        fail(breaker)
        #expect(breaker.isOpen)
        #expect(health.said.withLock { $0.last??.contains("connection refused") } == true)
        let passage = await breaker.pass { true }
        guard case .probe(let ticket) = passage else { return #expect(passage == .probe(1)) }
        // The others wait while it is on its way; who may not begin any more does not wait.
        let looks = Atomic<Int>(0)
        #expect(await breaker.pass { looks.add(1, ordering: .relaxed).newValue < 3 } == nil)
        fail(breaker, probe: ticket)
        #expect(breaker.isOpen)
        breaker.note(isFruitful: true, failures: 0, problem: nil, probe: nil)
        #expect(!breaker.isOpen && health.said.withLock { $0.last } == .some(nil))
        #expect(await breaker.pass { true } == .go)
    }

    @Test func aProviderThatNobodyNeedsIsNoTrouble() {
        let (breaker, health) = make()
        for _ in 0..<10 { fail(breaker) }
        breaker.forget()
        #expect(!breaker.isOpen && health.said.withLock { $0.last } == .some(nil))
    }

    /// A response of the provider between failures: it is there.
    @Test func failuresThatAreNotInARowHoldBackNobody() {
        let (breaker, _) = make()
        for round in 0..<100 {
            fail(breaker)
            if round % 5 == 4 { breaker.note(isFruitful: true, failures: 0, problem: nil, probe: nil) }
        }
        #expect(!breaker.isOpen)
    }

    @Test func groupsGrowWithAFastProviderAndShrinkWithASlowOne() {
        let size = GroupSizer(least: 2, most: 50)
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
        let lanes = ConcurrencyLimiter(1)
        await lanes.acquire()
        let order = Order()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<5 {
                // It runs up to its wait before the next is made.
                group.addImmediateTask {
                    await lanes.acquire()
                    order.numbers.withLock { $0.append(number) }
                    lanes.release()
                }
            }
            lanes.release()
        }
        #expect(order.numbers.withLock { $0 } == [0, 1, 2, 3, 4])
    }
}
