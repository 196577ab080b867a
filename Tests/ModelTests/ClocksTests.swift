import Model
import TestServers
import Testing

/// Clocks that a test moves, and what waits by them.
@Suite(.timeLimit(.minutes(1))) struct ClocksTests {
    private let manual = ManualClocks()

    @Test func allClocksMoveTogether() {
        let clocks = manual.clocks
        let before = (clocks.now, clocks.monotonic, clocks.milliseconds)
        manual.pass(.milliseconds(1_500))
        #expect(clocks.now - before.0 == .milliseconds(1_500))
        #expect(clocks.monotonic - before.1 == 1_500_000_000 && clocks.milliseconds - before.2 == 1_500)
        #expect(clocks.with { 7 }.milliseconds == 7 && clocks.with { 7 }.now == clocks.now)
    }

    @Test func aSleeperWakesWhenItsTimeHasCome() async throws {
        let clocks = manual.clocks
        async let slept: Void = clocks.sleep(until: clocks.now + .seconds(3_600))
        try await eventually("it sleeps") { manual.sleepers == 1 }
        #expect(manual.next == .seconds(3_600))
        manual.pass(.seconds(3_599))
        #expect(manual.sleepers == 1)
        manual.pass(.seconds(1))
        try await slept
        // Its time has come already.
        try await clocks.sleep(until: clocks.now)
    }

    @Test func aSleepEndsWithItsTask() async throws {
        let clocks = manual.clocks
        let sleeping = Task { try await clocks.sleep(until: clocks.now + .seconds(3_600)) }
        try await eventually("it sleeps") { manual.sleepers == 1 }
        sleeping.cancel()
        await #expect(throws: CancellationError.self) { try await sleeping.value }
        #expect(manual.sleepers == 0)
    }

    @Test func aBroadcastWaitsByItsClocks() async throws {
        let changes = Broadcast(clocks: manual.clocks)
        let child = Broadcast(notifiedBy: changes)
        for broadcast in [changes, child] {
            async let isOver = broadcast.wait(atMost: .seconds(900), unless: { false })
            try await eventually("it waits") { manual.sleepers == 1 }
            manual.pass(.seconds(900))
            #expect(await isOver)
        }
    }
}
