import Model
import Testing

@testable import Delivery

/// Which retries a worker waits for by itself.
@Suite struct LocalRetryRuleTests {
    private let begin: Int64 = 1_000_000

    private func deferred(due: Int64) -> RecipientResult {
        RecipientResult(index: 0, state: .deferred, attempts: 1, at: begin, due: begin + due)
    }

    @Test func onlyWhatIsDueSoonIsKeptAndNoGroupForLong() {
        let rule = LocalRetryRule(now: begin)
        #expect(rule.takes(deferred(due: 2_000), now: begin))
        #expect(!rule.takes(deferred(due: 2_001), now: begin))
        // Its group is three seconds old: two seconds more would be too long.
        #expect(rule.takes(deferred(due: 4_000), now: begin + 3_000))
        #expect(!rule.takes(deferred(due: 4_001), now: begin + 3_000))
        #expect(!rule.takes(RecipientResult(index: 0, state: .failed, attempts: 1, at: begin), now: begin))
    }
}
