import Model
import Testing

@testable import Delivery

/// Which retries a worker waits for by itself, and what it would tell of them at any time.
@Suite struct AgainTests {
    private let begin: Int64 = 1_000_000

    private func deferred(_ index: Int, due: Int64, attempts: Int = 1) -> RecipientResult {
        RecipientResult(
            index: index, state: .deferred, attempts: attempts, at: begin, due: begin + due,
            response: ProviderResponse(kind: .temporary, stage: .response, code: 450, text: "later \(attempts)"))
    }

    @Test func onlyWhatIsDueSoonIsKeptAndNoGroupForLong() {
        let again = LocalRetryQueue(now: begin)
        #expect(again.takes(deferred(0, due: 2_000), now: begin))
        #expect(!again.takes(deferred(0, due: 2_001), now: begin))
        // Its group is three seconds old: two seconds more would be too long.
        #expect(again.takes(deferred(0, due: 4_000), now: begin + 3_000))
        #expect(!again.takes(deferred(0, due: 4_001), now: begin + 3_000))
        #expect(!again.takes(RecipientResult(index: 0, state: .failed, attempts: 1, at: begin), now: begin))
    }

    @Test func nobodyIsLeftUntoldWhereverWorkEnds() {
        var again = LocalRetryQueue(now: begin)
        again.add([deferred(3, due: 100), deferred(5, due: 200)])
        #expect(again.unsettled.map(\.index) == [3, 5])
        #expect(again.take() == [OpenRecipient(index: 3, attempts: 1), OpenRecipient(index: 5, attempts: 1)])
        #expect(again.isEmpty && Set(again.unsettled.map(\.index)) == [3, 5])
        again.settle([3])
        #expect(again.unsettled.map(\.index) == [5])
        again.settle([5])
        again.add([deferred(5, due: 300, attempts: 2)])
        #expect(again.unsettled.map(\.attempts) == [2] && again.responses[5]?.text == "later 2" && again.responses[3]?.text == "later 1")
    }

    @Test func aStopEndsTheWait() async {
        var again = LocalRetryQueue(now: begin)
        again.add([deferred(0, due: 3_600_000)])
        #expect(await !again.wait(now: begin) { true })
        #expect(await again.wait(now: begin + 3_600_000) { false })
    }
}
