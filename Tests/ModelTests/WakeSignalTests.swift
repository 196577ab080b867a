import Synchronization
import Testing

@testable import Model

private final class Count: Sendable {
    private let value = Atomic<Int>(0)
    var now: Int { value.load(ordering: .sequentiallyConsistent) }
    func add() { value.add(1, ordering: .sequentiallyConsistent) }
    func take() -> Int { value.exchange(0, ordering: .sequentiallyConsistent) }
}

/// Waiting for work and for changes. A wake-up that is lost would be found by a wait of minutes that ends in vain.
@Suite(.timeLimit(.minutes(5)))
struct WakeSignalTests {
    private static let forever = Duration.seconds(250)

    /// Lets others run a random number of times.
    private static func dawdle(_ random: inout SeededGenerator) async {
        for _ in 0..<Int.random(in: 0...4, using: &random) { await Task.yield() }
    }

    @Test func aNotificationBeforeAWaitEndsItAtOnceAndManyCountAsOne() async {
        let signal = WakeSignal()
        for _ in 0..<3 { signal.notify() }
        #expect(await signal.wait(atMost: nil))
        #expect(await !signal.wait(atMost: .milliseconds(1)))
        #expect(await !signal.wait(atMost: .zero))
        signal.notify()
        #expect(await signal.wait(atMost: .zero))
    }

    @Test func aWaitEndsWithItsTime() async {
        let signal = WakeSignal()
        let start = ContinuousClock.now
        #expect(await !signal.wait(atMost: .milliseconds(30)))
        #expect(ContinuousClock.now - start >= .milliseconds(30))
    }

    @Test func aWaitEndsWithItsTask() async {
        let signal = WakeSignal()
        for timeout in [nil, Self.forever] {
            let waiting = Task { await signal.wait(atMost: timeout) }
            for _ in 0..<5 { await Task.yield() }
            waiting.cancel()
            #expect(await !waiting.value)
        }
        // One that is cancelled before it waits.
        let cancelled = Task {
            while !Task.isCancelled { await Task.yield() }
            return await signal.wait(atMost: nil)
        }
        cancelled.cancel()
        #expect(await !cancelled.value)
    }

    @Test func noWorkIsLeftWhoeverComesFirst() async {
        for seed in 0..<300 as Range<UInt64> {
            let signal = WakeSignal()
            let work = Count()
            let waitsInVain = Count()
            await withTaskGroup(of: Void.self) { group in
                for producer in 0..<3 as Range<UInt64> {
                    group.addTask {
                        var random = SeededGenerator(seed: seed * 10 + producer)
                        for _ in 0..<5 {
                            await Self.dawdle(&random)
                            work.add()
                            signal.notify()
                        }
                    }
                }
                group.addTask {
                    var random = SeededGenerator(seed: seed * 10 + 9)
                    var done = 0
                    while done < 15 {
                        done += work.take()
                        await Self.dawdle(&random)
                        let timeout: Duration? = Bool.random(using: &random) ? nil : Self.forever
                        if done < 15, !(await signal.wait(atMost: timeout)) { return waitsInVain.add() }
                    }
                }
            }
            #expect(waitsInVain.now == 0, "seed \(seed)")
        }
    }

    /// Whether a wait ended by a notification, by its time or by its task: the notification is seen once, by it or by the next.
    @Test func aNotificationAtTheEndOfAWaitIsNotLost() async {
        for seed in 0..<600 as Range<UInt64> {
            let signal = WakeSignal()
            var random = SeededGenerator(seed: seed)
            let timeout: Duration? =
                [nil, .microseconds(Int.random(in: 1...300, using: &random)), Self.forever].randomElement(using: &random) ?? nil
            let waiting = Task { await signal.wait(atMost: timeout) }
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    var random = SeededGenerator(seed: seed + 1_000)
                    await Self.dawdle(&random)
                    signal.notify()
                }
                group.addTask {
                    var random = SeededGenerator(seed: seed + 2_000)
                    await Self.dawdle(&random)
                    waiting.cancel()
                }
            }
            let first = await waiting.value
            #expect(await signal.wait(atMost: .zero) == !first, "seed \(seed)")
        }
    }
}

/// Every task that waits for a change is woken by it.
@Suite(.timeLimit(.minutes(5)))
struct BroadcastTests {
    private static let long = Duration.seconds(250)

    @Test func aChangeBetweenTheLookAndTheWaitIsNotMissed() async {
        let changes = Broadcast()
        let version = changes.version
        changes.notify()
        #expect(await changes.wait(after: version))
        #expect(await changes.wait(after: version, atMost: Self.long))
        let start = ContinuousClock.now
        #expect(await changes.wait(after: changes.version, atMost: .milliseconds(20)))
        #expect(ContinuousClock.now >= start + .milliseconds(20))
    }

    @Test func everyWaiterIsWokenByOneNotification() async {
        let (changes, start) = (Broadcast(), ContinuousClock.now)
        let version = changes.version
        await withTaskGroup(of: Bool.self) { group in
            for number in 0..<20 {
                // It runs up to its wait before the next is made.
                group.addImmediateTask { await changes.wait(after: version, atMost: number % 2 == 0 ? nil : Self.long) }
            }
            changes.notify()
            for await isWoken in group { #expect(isWoken) }
        }
        #expect(ContinuousClock.now - start < Self.long)
    }

    @Test func aWaitEndsWithItsTask() async {
        let changes = Broadcast()
        for time in [nil, Self.long] {
            let waiting = Task { await changes.wait(after: changes.version, atMost: time) }
            for _ in 0..<5 { await Task.yield() }
            waiting.cancel()
            #expect(await !waiting.value)
        }
        let waiting = Task { await changes.wait(atMost: Self.long) { false } }
        waiting.cancel()
        #expect(await !waiting.value)
    }

    @Test func aWaitForACondition() async {
        let changes = Broadcast()
        let isSo = Count()
        #expect(await changes.wait(atMost: .milliseconds(20)) { false })
        #expect(await changes.wait(atMost: .seconds(-1)) { false })
        let waiting = Task { await changes.wait(atMost: Self.long) { isSo.now > 0 } }
        changes.notify()
        await Task.yield()
        isSo.add()
        changes.notify()
        #expect(await !waiting.value)
    }

    @Test func noChangeIsMissedWhoeverComesFirst() async {
        for seed in 0..<300 as Range<UInt64> {
            let (changes, start) = (Broadcast(), ContinuousClock.now)
            let count = Count()
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<3 as Range<UInt64> {
                    group.addTask {
                        var random = SeededGenerator(seed: seed * 10 + number)
                        for _ in 0..<5 {
                            for _ in 0..<Int.random(in: 0...3, using: &random) { await Task.yield() }
                            count.add()
                            changes.notify()
                        }
                    }
                    group.addTask {
                        var random = SeededGenerator(seed: seed * 10 + 5 + number)
                        while true {
                            let version = changes.version
                            for _ in 0..<Int.random(in: 0...3, using: &random) { await Task.yield() }
                            if count.now == 15 { return }
                            await changes.wait(after: version, atMost: Bool.random(using: &random) ? nil : Self.long)
                        }
                    }
                }
            }
            #expect(ContinuousClock.now - start < Self.long, "seed \(seed)")
        }
    }
}
