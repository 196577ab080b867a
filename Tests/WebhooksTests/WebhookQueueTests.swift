import Ledger
import Model
import TestServers
import Testing
import Text

@testable import Webhooks

@Suite struct WebhookQueueTests {
    private static let day: Int64 = 86_400_000
    private static let now: Int64 = 1_800_000_000_000

    private func subscription(parts: Int = 4) -> WebhookSubscription {
        WebhookSubscription(
            id: "wh_1", url: Secret("https://example.com/"), types: .all, parts: parts, secret: Secret("whsec_x"), now: Self.now)
    }

    private func parts(_ count: Int = 4, at sequence: Int64 = 1) -> [WebhookPart] {
        (0..<count).map { WebhookPart(number: $0, place: WebhookPlace(sequence)) }
    }

    private func message(_ sequence: Int64, _ item: Int = 0, recipient: Int) throws -> WebhookMessage {
        let id = try #require(MailingID("0123456789abc"))
        return WebhookMessage(
            place: WebhookPlace(sequence, item), event: WebhookEvent(.sent, batch: 0, index: recipient, at: Self.now), mailing: id,
            name: "Spring", number: 1, channel: "email")
    }

    /// One row an event, of these recipients.
    private func page(_ recipients: [Int], from sequence: Int64 = 1, pruned: Int64 = 0) throws -> WebhookPage {
        var page = WebhookPage(next: sequence + Int64(recipients.count), pruned: pruned)
        page.messages = try recipients.enumerated().map { try message(sequence + Int64($0), recipient: $1) }
        return page
    }

    @Test func readsOnceAndWaitsUntilItIsWoken() throws {
        var queue = WebhookQueue(subscription(), parts())
        #expect(queue.readFrom == 1)
        _ = queue.take(try page([1, 2, 3]), from: 1)
        #expect(queue.readFrom == nil)
        queue.woken()
        #expect(queue.readFrom == 4)
    }

    @Test func seesThatTheOutboxEndsBeforeWhatWasRead() throws {
        var queue = WebhookQueue(subscription(), parts())
        _ = queue.take(try page([1, 2, 3]), from: 1)
        #expect(try !queue.isBehind(page([], from: 4)))
        #expect(try queue.isBehind(page([], from: 3)))
    }

    @Test func aRecipientsEventsComeOneAfterTheOther() throws {
        var queue = WebhookQueue(subscription(), parts())
        _ = queue.take(try page([1, 1, 1]), from: 1)
        let first = queue.attempts(now: Self.now)
        #expect(first.map(\.message.place.sequence) == [1])
        #expect(queue.attempts(now: Self.now) == [])
        #expect(queue.done(first[0].part, .accepted, now: Self.now, jitter: 1) == .none)
        #expect(queue.attempts(now: Self.now).map(\.message.place.sequence) == [2])
    }

    @Test func aMessageThatIsTriedAgainDelaysItsPartAlone() throws {
        var queue = WebhookQueue(subscription(parts: 2), parts(2))
        let other = try #require(
            (2..<50).first { number in
                (try? WebhookQueue.part(of: message(1, recipient: number), among: 2))
                    != (try? WebhookQueue.part(of: message(1, recipient: 1), among: 2))
            })
        _ = queue.take(try page([1, other, 1, other]), from: 1)
        let first = queue.attempts(now: Self.now)
        #expect(first.count == 2)
        for attempt in first {
            let outcome: WebhookOutcome =
                attempt.message.event.index == 1 ? .failed(words: "it was answered with 500", retryAfter: nil) : .accepted
            _ = queue.done(attempt.part, outcome, now: Self.now, jitter: 1)
        }
        #expect(queue.attempts(now: Self.now).map(\.message.place.sequence) == [4])
        #expect(queue.due(after: Self.now) == Self.now + 5000)
        #expect(queue.attempts(now: Self.now + 5000).map(\.message.place.sequence) == [1])
        #expect(queue.subscription.firstFailure == nil)
    }

    @Test func whatWasToldIsStoredAndARestartContinuesThere() throws {
        var queue = WebhookQueue(subscription(parts: 1), parts(1))
        _ = queue.take(try page([1, 2, 3]), from: 1)
        for _ in 0..<2 { _ = queue.done(try #require(queue.attempts(now: Self.now).first).part, .accepted, now: Self.now, jitter: 1) }
        let progress = try #require(queue.progress())
        #expect(progress.parts.map(\.place) == [WebhookPlace(2, 1)])
        #expect(queue.unstored == 2)
        queue.stored(progress)
        #expect(queue.progress() == nil && queue.unstored == 0)
        var again = WebhookQueue(subscription(parts: 1), progress.parts)
        #expect(again.readFrom == 2)
        _ = again.take(try page([2, 3], from: 2), from: 2)
        #expect(again.attempts(now: Self.now).map(\.message.place.sequence) == [3])
        // All told: nothing of these rows is needed any more.
        _ = again.done(0, .accepted, now: Self.now, jitter: 1)
        #expect(again.progress()?.parts.map(\.place) == [WebhookPlace(4)])
    }

    @Test func aReceiverThatTakesNothingForADayIsDisabled() throws {
        var queue = WebhookQueue(subscription(parts: 1), parts(1))
        _ = queue.take(try page([1]), from: 1)
        var (now, attempts) = (Self.now, 0)
        while true {
            let attempt = try #require(queue.attempts(now: now).first)
            attempts += 1
            let verdict = queue.done(attempt.part, .failed(words: "it was answered with 503", retryAfter: nil), now: now, jitter: 0.5)
            if case .disable(let why) = verdict {
                #expect(why.contains("for 1 d") && why.contains("503"))
                break
            }
            #expect(verdict == .none)
            now = try #require(queue.due(after: now))
        }
        #expect(now - Self.now >= Self.day && now - Self.now < Self.day + 10_800_000)
        #expect(10...20 ~= attempts)
    }

    @Test func aMessageThatIsRefusedForADayWhileOthersAreTakenIsGivenUp() throws {
        var queue = WebhookQueue(subscription(parts: 1), parts(1))
        _ = queue.take(try page([1, 2]), from: 1)
        let refusal = WebhookOutcome.failed(words: "it was answered with 400", retryAfter: nil)
        _ = queue.done(try #require(queue.attempts(now: Self.now).first).part, refusal, now: Self.now, jitter: 1)
        var other = queue.subscription
        other.firstFailure = nil
        // Another part's message was taken since.
        var part = WebhookPart(number: 0, place: WebhookPlace(1))
        (part.attempts, part.since) = (15, Self.now)
        queue = WebhookQueue(other, [part])
        _ = queue.take(try page([1, 2]), from: 1)
        let late = Self.now + Self.day
        #expect(queue.done(try #require(queue.attempts(now: late).first).part, refusal, now: late, jitter: 1) == .gaveUp)
        #expect(queue.attempts(now: late).map(\.message.place.sequence) == [2])
    }

    @Test func goneDisablesAtOnce() throws {
        var queue = WebhookQueue(subscription(parts: 1), parts(1))
        _ = queue.take(try page([1]), from: 1)
        _ = queue.attempts(now: Self.now)
        guard case .disable(let why) = queue.done(0, .gone, now: Self.now, jitter: 1) else { return #expect(Bool(false)) }
        #expect(why.contains("410"))
    }

    @Test func whatWasRemovedBeforeItWasToldIsNoticed() throws {
        var queue = WebhookQueue(subscription(parts: 2), parts(2, at: 3))
        #expect(queue.take(try page([1], from: 10, pruned: 9), from: 3) == 2)
        #expect(queue.take(try page([], from: 11, pruned: 9), from: 11) == 0)
    }

    @Test func retryAfterIsHonouredWithinItsBound() {
        #expect(WebhookBackoff.wait(after: 1, retryAfter: nil, jitter: 0) == 4000)
        #expect(WebhookBackoff.wait(after: 1, retryAfter: 60, jitter: 0) == 60_000)
        #expect(WebhookBackoff.wait(after: 1, retryAfter: 1e9, jitter: 0) == 10_800_000)
        #expect(WebhookBackoff.wait(after: 99, retryAfter: 1, jitter: 1) == 10_800_000)
        #expect(WebhookBackoff.wait(after: 1, retryAfter: -5, jitter: 7) == 5000)
    }

    /// Any receiver, any restart, any order of answers: nobody is left out, and a recipient's events come in their order.
    @Test(arguments: 0..<30) func nobodyIsLeftOut(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let events = (0..<600).map { _ in Int.random(in: 0..<25, using: &random) }
        let limits = WebhookQueue.Limits(waiting: Int.random(in: 1...40, using: &random))
        var stored = parts(3)
        var queue = WebhookQueue(subscription(parts: 3), stored, limits: limits)
        var told: [Int: [Int64]] = [:]
        var flying: [WebhookQueue.Attempt] = []
        var (now, written) = (Self.now, 0)
        for _ in 0..<200_000 {
            if written < events.count, Int.random(in: 0..<4, using: &random) == 0 {
                written = min(written + Int.random(in: 1...60, using: &random), events.count)
                queue.woken()
            }
            if let from = queue.readFrom {
                let end = min(Int(from) - 1 + Int.random(in: 1...50, using: &random), written)
                var page = try page(end >= Int(from) ? Array(events[(Int(from) - 1)..<end]) : [], from: from)
                page.isLast = end >= written
                #expect(queue.take(page, from: from) == 0)
            }
            flying += queue.attempts(now: now)
            if let place = flying.indices.randomElement(using: &random) {
                let attempt = flying.remove(at: place)
                let isTaken = Int.random(in: 0..<5, using: &random) > 0
                if isTaken { told[attempt.message.event.index, default: []].append(attempt.message.place.sequence) }
                _ = queue.done(
                    attempt.part, isTaken ? .accepted : .failed(words: "it was answered with 500", retryAfter: nil), now: now, jitter: 0.5)
            }
            if Int.random(in: 0..<7, using: &random) == 0, let progress = queue.progress() {
                for part in progress.parts { stored[part.number] = part }
                queue.stored(progress)
            }
            // The role was killed, or the time goes by.
            if Int.random(in: 0..<150, using: &random) == 0 {
                queue = WebhookQueue(queue.subscription, stored, limits: limits)
                flying = []
            }
            now += 1000
            if written == events.count, flying.isEmpty, queue.waiting == 0, queue.readFrom == nil { break }
        }
        for recipient in Set(events) {
            let expected = events.indices.filter { events[$0] == recipient }.map { Int64($0) + 1 }
            let seen = told[recipient, default: []]
            #expect(Set(seen) == Set(expected))
            // Of what is told again after a restart, the first time decides.
            var first: [Int64] = []
            for sequence in seen where !first.contains(sequence) { first.append(sequence) }
            #expect(first == expected)
        }
    }
}
