import Model
import Synchronization
import Testing

struct BackoffTests {
    /// Looks again only when it is woken, or when the time is up.
    @Test func itDoesNotPoll() async {
        let looks = Atomic<Int>(0)
        var backoff = Backoff()
        for waits in 1...4 {
            let goesOn = await backoff.wait(on: Broadcast()) {
                looks.add(1, ordering: .relaxed)
                return false
            }
            #expect(goesOn && looks.load(ordering: .relaxed) == 2 * waits)
        }
        #expect(backoff.count == 4)
    }

    @Test(.timeLimit(.minutes(1))) func aRequestToStopEndsTheLongestWait() async {
        let stop = StopRequest()
        var backoff = Backoff()
        for _ in 0..<2 { _ = await backoff.wait() }
        async let requested: Void = stop.request()
        var ended = false
        // The 20th wait would take five seconds, and all of them a minute and a half.
        for _ in 0..<20 where !ended { ended = await !backoff.wait(unless: stop) }
        await requested
        #expect(ended && stop.isStopping)
    }

    @Test func aRequestThatCameBeforeIsSeenAtOnce() async {
        let stop = StopRequest()
        stop.request()
        var backoff = Backoff()
        #expect(await !backoff.wait(unless: stop))
        await stop.wait(atMost: .seconds(3_600))
    }
}
