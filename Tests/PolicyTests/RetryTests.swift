import Model
import Testing

@testable import Policy

@Suite struct RetryScheduleTests {
    @Test func doublesUpToItsCap() {
        let schedule = RetrySchedule(base: 60, cap: 4 * 3600)
        #expect(
            (1...10).map { schedule.ceiling(afterAttempt: $0) } == [
                60, 120, 240, 480, 960, 1920, 3840, 7680, 14_400, 14_400,
            ])
        #expect(schedule.ceiling(afterAttempt: 100) == 14_400)
        #expect(RetryRules.http.temporary.ceiling(afterAttempt: 50) == 600)
        #expect(RetryRules.smtp.temporary.ceiling(afterAttempt: 50) == 4 * 3600)
    }

    @Test(arguments: [
        RetryRules.http.temporary, RetryRules.smtp.temporary, RetryRules.smtp.unreachable, .rest(0.5...1.5),
    ])
    func spreadsEvenlyBetweenItsLeastWaitAndTheCeiling(_ schedule: RetrySchedule) {
        var generator = SeededGenerator(seed: 9)
        for attempt in [1, 3, 20] {
            let ceiling = schedule.ceiling(afterAttempt: attempt)
            let places = (0..<20_000).map { _ in
                (schedule.delay(afterAttempt: attempt, using: &generator) - schedule.least) / (ceiling - schedule.least)
            }
            #expect(places.allSatisfy { 0 <= $0 && $0 <= 1 })
            for tenth in 0..<10 {
                let share = Double(places.count { Int($0 * 10) == tenth }) / 20_000
                #expect(abs(share - 0.1) < 0.01)
            }
        }
    }

    @Test func theSameSeedGivesTheSameDelays() {
        var one = SeededGenerator(seed: 1)
        var two = SeededGenerator(seed: 1)
        for attempt in 1...20 {
            let schedule = RetryRules.smtp.temporary
            #expect(
                schedule.delay(afterAttempt: attempt, using: &one) == schedule.delay(afterAttempt: attempt, using: &two)
            )
        }
    }
}

@Suite struct RetryRulesTests {
    private func response(_ action: ResponseAction, _ retryAfter: Double? = nil) -> ProviderResponse {
        ProviderResponse(action: action, stage: .response, code: 0, text: "", retryAfter: retryAfter)
    }

    @Test func greyListingIsGivenItsMinutesAndHTTPItsSeconds() {
        var generator = SeededGenerator(seed: 4)
        for _ in 0..<1000 {
            #expect(300...900 ~= RetryRules.smtp.delay(after: response(.retry), attempt: 1, using: &generator))
            #expect(1...5 ~= RetryRules.http.delay(after: response(.retry), attempt: 1, using: &generator))
            #expect(0.5...1.5 ~= RetryRules.smtp.delay(after: response(.slowDown), attempt: 1, using: &generator))
        }
    }

    @Test(arguments: [ResponseAction.retry, .reconnect, .slowDown, .slowDownDomain, .pauseMailing])
    func neverComesBackBeforeItWasAskedToNorMuchLaterNorInStep(_ action: ResponseAction) {
        var generator = SeededGenerator(seed: 5)
        let rules = RetryRules(for: .sms)
        for asked in [1, 20, 300, 7200, 86_400] as [Double] {
            let delays = (0..<500).map { _ in rules.delay(after: response(action, asked), attempt: 1, using: &generator) }
            let latest = max(asked + min(max(asked / 10, 1), 60), action == .retry || action == .reconnect ? 5 : 0)
            #expect(delays.allSatisfy { asked <= $0 && $0 <= latest })
            #expect(Set(delays).count > 400)
        }
    }

    @Test func anAbsurdWaitIsNoTrouble() {
        var generator = SeededGenerator(seed: 6)
        for asked in [Double.infinity, 1e300, -1, .nan, 0] {
            let delay = RetryRules.smtp.delay(after: response(.slowDown, asked), attempt: 1, using: &generator)
            #expect(delay > 0 && delay <= RetryRules.longest + 60)
        }
    }

    @Test func anOperatorsScheduleCountsForWhatSpendsAttempts() {
        let own = RetrySchedule(base: 7, cap: 8)
        let rules = RetryRules(for: .email, override: own)
        #expect(rules.temporary == own && rules.unreachable == own && rules.throttled == RetryRules.smtp.throttled)
        #expect(RetryRules(for: .email) == .smtp && RetryRules(for: .webhook) == .http)
    }
}
