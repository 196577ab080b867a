import Model
import Testing

@testable import Policy

@Suite struct OutcomeRuleTests {
    private let hour: Int64 = 3_600_000

    private func rule(attempts: Int = 5, expires: Int64, _ rules: RetryRules = .http) -> OutcomeRule {
        OutcomeRule(attempts: attempts, expires: expires, retries: rules)
    }

    private func response(_ action: ResponseAction, _ code: Int = 0, _ stage: DeliveryStage = .mail) -> ProviderResponse {
        ProviderResponse(action: action, stage: stage, code: code, text: "as it was said")
    }

    private func one(
        _ rule: OutcomeRule, _ response: ProviderResponse, spent: Int, now: Int64 = 0, outage: Bool = false,
        _ generator: inout SeededGenerator
    ) -> RecipientResult {
        rule.result(of: attempt(response, spent: spent, now: now, outage: outage), using: &generator)
    }

    private func attempt(
        _ response: ProviderResponse, index: Int = 0, spent: Int = 0, now: Int64 = 0, outage: Bool = false, doubt: RefusalDoubt? = nil
    ) -> OutcomeRule.Attempt {
        var attempt = OutcomeRule.Attempt(index: index, response: response, spent: spent, at: now)
        attempt.isOutage = outage
        attempt.doubt = doubt
        return attempt
    }

    /// Whole lives of messages with responses at random.
    @Test func everyLifeEndsWithinItsAttemptsAndItsTimeWithTheLastResponseKept() {
        var generator = SeededGenerator(seed: 11)
        var ends: [RecipientState: Int] = [:]
        for life in 0..<3000 {
            let attempts = Int.random(in: 1...8, using: &generator)
            let rule = rule(
                attempts: attempts, expires: Int64.random(in: 1...48, using: &generator) * hour,
                life % 2 == 0 ? .smtp : .http)
            // Not always the same mix, or hardly a life would end in some of the ways.
            let actions = (0..<3).map { _ in ResponseAction.allCases.filter { $0 != .count }.randomElement(using: &generator) ?? .retry }
            var now: Int64 = 0
            var spent = 0
            var result: RecipientResult
            var steps = 0
            repeat {
                var given = response(
                    actions.randomElement(using: &generator) ?? .retry,
                    [0, 450, 503].randomElement(using: &generator) ?? 0)
                given.retryAfter = Bool.random(using: &generator) ? Double.random(in: 0...7200, using: &generator) : nil
                result = one(
                    rule, given, spent: spent, now: now, outage: Int.random(in: 0..<4, using: &generator) == 0,
                    &generator)
                #expect(result.response == given && result.at == now)
                #expect(result.attempts == spent || result.attempts == spent + 1)
                #expect(result.attempts <= attempts)
                switch result.state {
                case .deferred:
                    #expect(given.action.isRetryable && result.due > now && result.due < rule.expires)
                    #expect(result.due >= now + Int64(given.retryAfter ?? 0) * 1000)
                case .expired: #expect(given.action.isRetryable && result.due == 0)
                case .failed:
                    #expect(result.due == 0)
                    #expect(given.action == .fail || result.attempts == attempts)
                default: #expect(result.state == .sent && given.action == .accept)
                }
                spent = result.attempts
                now = result.due
                steps += 1
            } while result.state == .deferred && steps < 1_000_000
            #expect(result.state.isTerminal)
            ends[result.state, default: 0] += 1
        }
        #expect(Set(ends.keys) == [.sent, .failed, .expired])
    }

    @Test(arguments: [ResponseAction.slowDown, .slowDownDomain, .pauseMailing])
    func whatIsNoRecipientsFaultSpendsNoAttempt(_ action: ResponseAction) {
        var generator = SeededGenerator(seed: 12)
        let result = one(rule(attempts: 1, expires: hour), response(action, 421), spent: 0, &generator)
        #expect(result.state == .deferred && result.attempts == 0)
    }

    @Test func anOutageSpendsNoAttemptOnTheProvidersOwnFaults() {
        var generator = SeededGenerator(seed: 13)
        let rule = rule(attempts: 3, expires: hour)
        var failed = response(.retry, 503, .response)
        failed.hasProviderFailed = true
        for fault in [response(.reconnect, 0, .data), failed] {
            let spared = one(rule, fault, spent: 2, outage: true, &generator)
            #expect(spared.state == .deferred && spared.attempts == 2 && spared.due > 0)
            #expect(one(rule, fault, spent: 2, &generator).state == .failed)
        }
        // Refusals of a message, also the full mailbox that SMTP's final response may tell of, are its own.
        for own in [
            response(.retry, 450, .rcpt), response(.retry, 451, .response), response(.retry, 552, .response),
        ] {
            #expect(one(rule, own, spent: 2, outage: true, &generator).state == .failed)
        }
    }

    @Test func aWaitBeyondTheLifetimeEndsItAtOnceAndKeepsTheResponse() {
        var generator = SeededGenerator(seed: 14)
        var given = response(.slowDown, 429, .response)
        given.retryAfter = 86_400
        let result = one(rule(expires: hour), given, spent: 1, &generator)
        #expect(result.state == .expired && result.response == given && result.attempts == 1)
    }

    @Test func aMessageThatMayHaveArrivedIsListedOrHeld() {
        var generator = SeededGenerator(seed: 15)
        let lost = ProviderResponse(missed: .connectionEnded, stage: .response, text: "gone")
        var results: [RecipientResult] = []
        var rule = rule(expires: hour)
        rule.append(attempt(lost, index: 3, now: 7), using: &generator, to: &results)
        #expect(results.map(\.state) == [.uncertain, .deferred] && results.map(\.attempts) == [0, 1])
        // Each may be a copy, so each spends an attempt, and the last one leaves the recipient to a person.
        results = []
        rule.append(attempt(lost, index: 3, spent: 3, now: 7, outage: true), using: &generator, to: &results)
        #expect(results.map(\.state) == [.uncertain, .deferred] && results[1].attempts == 4)
        results = []
        rule.append(attempt(lost, index: 3, spent: 4, now: 7, outage: true), using: &generator, to: &results)
        #expect(results.map(\.state) == [.uncertain] && results[0].due == 0)
        results = []
        rule.uncertain = .hold
        rule.append(attempt(lost, index: 3, now: 7, outage: true), using: &generator, to: &results)
        #expect(results.map(\.state) == [.uncertain] && results[0].due == 0)
    }

    private func unclear(_ reason: ResponseReason, _ action: ResponseAction, _ code: Int = 550) -> ProviderResponse {
        ProviderResponse(reason, action, about: .unclear, stage: .rcpt, code: code, text: "no")
    }

    @Test func beforeAnAcceptanceNobodyFailsForWhatMayBeEverybodys() {
        var generator = SeededGenerator(seed: 16)
        let rule = rule(attempts: 1, expires: 48 * hour)
        for refusal in [unclear(.unknown, .fail), unclear(.setUp, .pauseMailing), unclear(.unknown, .retry, 451)] {
            for spent in [0, 4] {
                let waits = rule.result(of: attempt(refusal, spent: spent, now: hour, doubt: .beforeAcceptance), using: &generator)
                #expect(waits.state == .deferred && waits.attempts == spent && waits.doubt == .beforeAcceptance)
            }
            let proven = rule.result(of: attempt(refusal), using: &generator)
            #expect(proven.state == .failed && proven.attempts == 1 && proven.doubt == nil)
        }
        let own = ProviderResponse(.unknownUser, .fail, about: .recipient, stage: .rcpt, code: 550, text: "5.1.1 no")
        let failed = rule.result(of: attempt(own, doubt: .beforeAcceptance), using: &generator)
        #expect(failed.state == .failed && failed.doubt == nil)
    }

    @Test func aRefusalWhileNobodyIsAcceptedIsRetriedSoon() {
        var generator = SeededGenerator(seed: 18)
        let rule = rule(attempts: 1, expires: 48 * hour)
        let waits = rule.result(of: attempt(unclear(.unknown, .fail), doubt: .sinceAcceptance), using: &generator)
        #expect(waits.state == .deferred && waits.attempts == 0 && waits.doubt == .sinceAcceptance)
        #expect((8_000...12_000).contains(waits.due))
        // What is ours to mend waits as long, and counts as that.
        let ours = rule.result(of: attempt(unclear(.setUp, .pauseMailing), doubt: .sinceAcceptance), using: &generator)
        #expect(ours.state == .deferred && ours.attempts == 0 && ours.doubt == .ofUs)
    }

    @Test func theWaitForAnAcceptanceGrowsWithTheMailingsAge() {
        var generator = SeededGenerator(seed: 17)
        var now: Int64 = 0
        var waits: [Int64] = []
        while now < 24 * hour {
            let result = rule(expires: 100 * hour).result(
                of: attempt(unclear(.unknown, .fail), now: now, doubt: .beforeAcceptance), using: &generator)
            waits.append(result.due - now)
            now = result.due
        }
        #expect((4_000...6_000).contains(waits[0]) && waits.allSatisfy { $0 <= 1_350_000 } && waits.count < 150)
    }

    @Test func aRefusalOfUsBehindAcceptancesIsTriedAgainUntilItsAttemptsAreSpent() {
        var generator = SeededGenerator(seed: 18)
        let rule = rule(attempts: 3, expires: 48 * hour)
        var spent = 0
        var held: [RefusalDoubt?] = []
        while true {
            let result = rule.result(of: attempt(unclear(.reputation, .pauseMailing), spent: spent), using: &generator)
            held.append(result.doubt)
            spent = result.attempts
            if result.state == .failed { break }
        }
        #expect(held == [.ofUs, .ofUs, nil] && spent == 3)
    }

    /// A session's limit that meets the first message of a connection speaks of us: it is waited for, and counted.
    @Test(arguments: [(452, true), (550, true), (452, false), (550, false)])
    func aLimitOfTheSessionOnAFreshConnectionCountsAsARefusal(_ code: Int, _ isProven: Bool) {
        var generator = SeededGenerator(seed: 4)
        var said = response(.slowDown, code)
        said.subject = .everybody
        let result = rule(expires: 99 * hour).result(
            of: attempt(said, spent: 1, doubt: isProven ? nil : .beforeAcceptance), using: &generator)
        #expect(result.state == .deferred && result.attempts == 1)
        #expect(result.doubt == (!isProven ? .beforeAcceptance : code == 550 ? .ofUs : nil))
    }
}
