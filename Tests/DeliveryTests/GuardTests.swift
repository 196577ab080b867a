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

    private static let down = Answer(kind: .unreachable, stage: .connect, code: 0, text: "connection refused")

    private func make() -> (guardian: ProviderGuard, health: Health) {
        let health = Health()
        let provider = Provider(name: "relay", scheme: .smtp, host: "127.0.0.1", port: 9)
        let guardian = ProviderGuard(
            provider, health: { _, problem in health.said.withLock { $0.append(problem) } },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        return (guardian, health)
    }

    private func fail(_ guardian: ProviderGuard, probe: Int? = nil) {
        guardian.note(isFruitful: false, failures: 1, problem: Self.down, probe: probe)
    }

    @Test func failuresInARowHoldBackAllButOneThatTries() async throws {
        let (guardian, health) = make()
        for _ in 0..<9 { fail(guardian) }
        #expect(!guardian.isOpen && health.said.withLock(\.isEmpty))
        fail(guardian)
        #expect(guardian.isOpen)
        #expect(health.said.withLock { $0.last??.contains("connection refused") } == true)
        let passage = await guardian.pass { true }
        guard case .probe(let ticket) = passage else { return #expect(passage == .probe(1)) }
        // The others wait while it is on its way; who may not begin any more does not wait.
        let looks = Atomic<Int>(0)
        #expect(await guardian.pass { looks.add(1, ordering: .relaxed).newValue < 3 } == nil)
        fail(guardian, probe: ticket)
        #expect(guardian.isOpen)
        guardian.note(isFruitful: true, failures: 0, problem: nil, probe: nil)
        #expect(!guardian.isOpen && health.said.withLock { $0.last } == .some(nil))
        #expect(await guardian.pass { true } == .go)
    }

    @Test func aProviderThatNobodyNeedsIsNoTrouble() {
        let (guardian, health) = make()
        for _ in 0..<10 { fail(guardian) }
        guardian.forget()
        #expect(!guardian.isOpen && health.said.withLock { $0.last } == .some(nil))
    }

    /// An answer of the provider between failures: it is there.
    @Test func failuresThatAreNotInARowHoldBackNobody() {
        let (guardian, _) = make()
        for round in 0..<100 {
            fail(guardian)
            if round % 5 == 4 { guardian.note(isFruitful: true, failures: 0, problem: nil, probe: nil) }
        }
        #expect(!guardian.isOpen)
    }

    @Test func groupsGrowWithAFastProviderAndShrinkWithASlowOne() {
        let size = GroupSize(least: 2, most: 50)
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
        let lanes = Lanes(1)
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
