import Foundation
import Model
import Policy
import TestServers
import Testing
import Text

@testable import Ledger

/// The outbox of webhooks, on each engine.
@Suite struct WebhookConformanceTests {
    private let id = Example.id()
    private let now = Example.start
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func subscription(_ id: String = "wh_1", types: WebhookTypes = .all, parts: Int = 2) -> WebhookSubscription {
        WebhookSubscription(
            id: id, url: Secret("https://u:word@example.com/hook?key=word"), types: types, parts: parts,
            secret: Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), now: now)
    }

    private func page(_ ledger: any LedgerStore, _ id: String = "wh_1", from sequence: Int64 = 1) async throws -> WebhookPage {
        let found = try #require(try await ledger.activeWebhook(id))
        return try await ledger.webhookPage(found.subscription, from: sequence)
    }

    private func told(_ ledger: any LedgerStore, _ id: String = "wh_1") async throws -> [String] {
        try await page(ledger, id).messages.map { "\($0.event.type.name) \($0.event.batch).\($0.event.index)" }
    }

    @Test(arguments: Engine.all) func withoutASubscriptionNothingIsKept(engine: Engine) async throws {
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, id, batches: [2])
        _ = try await ledger.dispatchBatches([(id, 1)], now: now)
        _ = try await ledger.write(groups: [resultGroup([sent(0)])], events: [], now: now)
        try await ledger.addWebhook(subscription(), note: nil)
        #expect(try await told(ledger) == [])
        _ = try await ledger.setWebhook("wh_1", to: .disabled, why: "w", note: nil, now: now)
        _ = try await ledger.write(groups: [resultGroup(sequence: 1, [sent(1)])], events: [], now: now)
        #expect(try await ledger.activeWebhook("wh_1") == nil)
        _ = try await ledger.setWebhook("wh_1", to: .active, why: "", note: nil, now: now)
        #expect(try await told(ledger) == [])
    }

    @Test(arguments: Engine.all) func whatHappensIsToldWithItsFacts(engine: Engine) async throws {
        let ledger = try await engine.open(folder)
        try await ledger.addWebhook(subscription(), note: AuditNote(.addWebhook, actor: "ann"))
        var secret = subscription("wh_2", types: WebhookTypes([.failed]))
        secret.addresses = true
        try await ledger.addWebhook(secret, note: nil)
        try await Example.plan(ledger, id, batches: [5])
        _ = try await ledger.dispatchBatches([(id, 1)], now: now)
        var group = resultGroup([sent(0), failed(1), deferred(2, due: now + 9), uncertain(3), sent(4)])
        group.provider = "main"
        _ = try await ledger.write(groups: [group, group], events: [], now: now)
        // Written again: nothing moves, and nobody is told.
        _ = try await ledger.write(groups: [group], events: [], now: now)
        #expect(
            try await told(ledger) == [
                "mailing.sending 0.0", "recipient.sent 0.0", "recipient.failed 0.1", "recipient.uncertain 0.3", "recipient.sent 0.4",
            ])
        let all = try await page(ledger)
        let sent = all.messages[1]
        #expect(sent.recipient == "r0-0" && sent.address == "" && sent.name == "Spring" && sent.channel == "email")
        #expect(sent.event.provider == "main" && sent.event.messageID == "m0" && sent.event.attempt == 1 && sent.event.code == 250)
        let failure = try await page(ledger, "wh_2")
        #expect(failure.messages.map(\.recipient) == ["r0-1"] && failure.messages[0].address == "p0-1@example.com")
        #expect(failure.messages[0].event.reason == "unknown_user" && failure.messages[0].event.code == 550)
        #expect(failure.messages[0].place == WebhookPlace(all.messages[2].place.sequence, 1))
        let audit = try await ledger.audit(AuditFilter(object: .webhook("wh_1")), limit: 9)
        #expect(audit.count == 1 && !audit[0].after.contains("word") && !audit[0].after.contains("whsec"))
    }

    @Test(arguments: Engine.all) func personsDecisionsStopsAndVisitsAreTold(engine: Engine) async throws {
        let ledger = try await engine.open(folder)
        try await ledger.addWebhook(subscription(), note: nil)
        var mailing = Example.mailing(uncertain: .hold)
        mailing.tracking = MailingTracking()
        try await Example.plan(ledger, id, batches: [4], mailing: mailing)
        _ = try await ledger.dispatchBatches([(id, 1)], now: now)
        _ = try await ledger.write(groups: [resultGroup(closing: .released, groups: 1, [uncertain(0), sent(1)])], events: [], now: now)
        _ = try await ledger.decide(id, recipients: nil, as: .sent, note: nil, now: now)
        let number = try #require(try await ledger.number(of: id))
        var visit = TrackedEvent(.click, mailing: number, batch: 0, index: 1, link: 2, time: now)
        visit.agent = "a"
        let scan = TrackedEvent(.open, by: .head, mailing: number, batch: 0, index: 1, time: now + 1)
        let page = TrackedEvent(.unsubscribe, mailing: number, batch: 0, index: 1, time: now + 2)
        let rules = EventRules(version: "1") { visits, _ in visits.map { $0.method == .head ? .machine : .human } }
        let events = EventBatch(source: 1, sequence: 0, events: [visit, scan, page])
        for _ in 0..<2 { _ = try await ledger.write(events: [events], letters: [], rules, now: now) }
        _ = try await ledger.setState(id, to: .stopped, from: [.sending], reason: .person("bob", ""), note: nil, now: now)
        #expect(try await ledger.stopOpen(id, now: now) == 2)
        #expect(
            try await told(ledger) == [
                "mailing.sending 0.0", "recipient.uncertain 0.0", "recipient.sent 0.1", "recipient.sent 0.0", "recipient.clicked 0.1",
                "recipient.opened 0.1", "mailing.stopped 0.0", "recipient.stopped 0.2", "recipient.stopped 0.3",
            ])
        let told = try await self.page(ledger).messages.map(\.event)
        #expect(told[4].link == 2 && told[4].visitor == .human && told[5].visitor == .machine)
    }

    /// Told is who can be sent to again, and not who only asked for it: neither who never left, nor who is on the list for another reason.
    @Test(arguments: Engine.all) func onlyWhoSubscribesAgainWithEffectIsTold(engine: Engine) async throws {
        let ledger = try await engine.open(folder)
        try await ledger.addWebhook(subscription(types: WebhookTypes([.unsubscribed, .resubscribed])), note: nil)
        var mailing = Example.mailing()
        mailing.tracking = MailingTracking()
        try await Example.plan(ledger, id, batches: [4], mailing: mailing)
        _ = try await ledger.dispatchBatches([(id, 1)], now: now)
        _ = try await ledger.write(groups: [resultGroup(closing: .done, (0..<4).map { sent($0) })], events: [], now: now)
        let number = try #require(try await ledger.number(of: id))
        func write(_ sequence: UInt64, _ action: TrackedAction, _ indices: [Int], at time: Int64) async throws {
            let events = indices.map { TrackedEvent(action, by: .post, mailing: number, batch: 0, index: UInt32($0), time: time) }
            let batch = EventBatch(source: 1, sequence: sequence, events: events)
            let rules = EventRules(version: "1") { visits, _ in visits.map { _ in .human } }
            for _ in 0..<2 { _ = try await ledger.write(events: [batch], letters: [], rules, now: time) }
        }
        let complaint = Suppression(.init(.email, "p0-2@example.com"), reason: .complaint, source: "", at: now)
        _ = try await ledger.suppress([complaint], audit: nil, now: now)
        try await write(0, .unsubscribe, [0, 3], at: now + 1)
        // The last one unsubscribes later than it subscribes: visits of two trackers come in any order.
        try await write(2, .resubscribe, [0, 1, 2], at: now + 2)
        try await write(5, .resubscribe, [3], at: now)
        #expect(
            try await told(ledger) == ["recipient.unsubscribed 0.0", "recipient.unsubscribed 0.3", "recipient.resubscribed 0.0"])
        #expect(try await ledger.suppressionList().entries == 2)
    }

    @Test(arguments: Engine.all) func whatProvidersTellIsTold(engine: Engine) async throws {
        let ledger = try await engine.open(folder)
        try await ledger.addWebhook(subscription(types: try WebhookTypes(["recipient.*"])), note: nil)
        try await Example.plan(ledger, id, batches: [3])
        _ = try await ledger.dispatchBatches([(id, 1)], now: now)
        _ = try await ledger.write(groups: [resultGroup(closing: .done, [sent(0), sent(1), sent(2)])], events: [], now: now)
        func receipt(_ kind: ProviderReceipt.Kind, _ index: Int) -> ProviderReceipt {
            var receipt = ProviderReceipt(kind, word: "w")
            (receipt.webhook, receipt.provider, receipt.messageID) = ("hook", "main", "\(id).0.\(index)@example.com")
            (receipt.time, receipt.arrived) = (now, now)
            return receipt
        }
        let receipts = [receipt(.delivered, 0), receipt(.bounced, 1), receipt(.complained, 2)]
        for _ in 0..<2 { _ = try await ledger.write(receipts: receipts, letters: [], now: now) }
        let told = try await told(ledger).dropFirst(3)
        #expect(
            told.sorted() == ["recipient.bounced 0.1", "recipient.complained 0.2", "recipient.delivered 0.0", "recipient.failed 0.1"])
    }

    @Test(arguments: Engine.all) func progressIsFencedAndKept(engine: Engine) async throws {
        let ledger = try await engine.open(folder)
        try await ledger.addWebhook(subscription(), note: nil)
        let token = try #require(
            try await ledger.acquireLeadership(Leadership.webhooks, holder: "a", for: .seconds(60), isHolderGone: false))
        var found = try #require(try await ledger.activeWebhook("wh_1"))
        #expect(found.parts.map(\.place) == [WebhookPlace(1), WebhookPlace(1)])
        found.parts[1].place = WebhookPlace(1, 3)
        (found.parts[1].attempts, found.parts[1].since, found.parts[1].due) = (2, now, now + 5)
        found.subscription.firstFailure = now
        let progress = WebhookProgress(found.subscription, parts: [found.parts[1]])
        #expect(try await ledger.storeWebhook(progress, fencingToken: token + 1) == false)
        #expect(try await ledger.storeWebhook(progress, fencingToken: token))
        let stored = try #require(try await ledger.activeWebhook("wh_1"))
        #expect(stored.parts == found.parts && stored.subscription.firstFailure == now)
        #expect(try await ledger.webhookPage(stored.subscription, from: 1).isCurrent)
        // An older copy of the ledger may have taken its place: its outbox ends before.
        #expect(try await ledger.webhookPage(stored.subscription, from: 2).isCurrent == false)
        found.parts[1].place = WebhookPlace(2)
        let beyond = WebhookProgress(found.subscription, parts: found.parts)
        #expect(try await ledger.storeWebhook(beyond, fencingToken: token) == false)
        // Whoever changes the subscription has the role begin anew.
        func rotate(_ secret: String, endsOld: Bool = false) async throws -> SecretRotation {
            try await ledger.rotateWebhookSecret("wh_1", to: Secret(secret), oldUntil: now + 9, endsOld: endsOld, note: nil, now: now)
        }
        #expect(try await rotate("whsec_first") == .rotated)
        // A receiver that has the first one only would refuse everything.
        #expect(try await rotate("whsec_new") == .oldSigns(until: now + 9))
        #expect(try await rotate("whsec_new", endsOld: true) == .rotated)
        #expect(try await ledger.storeWebhook(progress, fencingToken: token) == false)
        let rotated = try #require(try await ledger.activeWebhook("wh_1")).subscription
        #expect(rotated.secrets(now: now).count == 2 && rotated.secrets(now: now + 9).count == 1)
        #expect(try await ledger.webhookPage(stored.subscription, from: 1).isCurrent == false)
        #expect(try await ledger.webhookPage(rotated, from: 1).isCurrent)
        #expect(try await ledger.activeWebhooks() == ["wh_1"])
        #expect(try await ledger.removeWebhook("wh_1", note: nil, now: now))
        #expect(try await ledger.removeWebhook("wh_1", note: nil, now: now) == false)
        #expect(try await ledger.storeWebhook(progress, fencingToken: token) == false)
    }

    /// One row that nobody can read keeps nobody from being told of the others; one of a later release waits for that.
    @Test(arguments: Engine.all) func aDamagedRowIsPassedOver(engine: Engine) async throws {
        let ledger = try #require(try await engine.open(folder) as? SQLLedger)
        try await ledger.addWebhook(subscription(types: try WebhookTypes(["recipient.*"]), parts: 1), note: nil)
        try await Example.plan(ledger, id, batches: [4])
        _ = try await ledger.dispatchBatches([(id, 1)], now: now)
        for index in 0..<3 { _ = try await ledger.write(groups: [resultGroup(sequence: index, [sent(index)])], events: [], now: now) }
        let one = try #require(try await ledger.activeWebhook("wh_1")).subscription
        let whole = try await ledger.webhookPage(one, from: 1)
        #expect(whole.messages.count == 3 && whole.damaged.isEmpty)
        let second = whole.messages[1].place.sequence
        try await ledger.write("damage") { db in
            try db.run("UPDATE webhook_event SET data = ? WHERE sequence = ?", [[UInt8(1), 0xff], second])
        }
        let page = try await ledger.webhookPage(one, from: 1)
        #expect(page.messages.map(\.place.sequence) == [whole.messages[0], whole.messages[2]].map(\.place.sequence))
        #expect(page.damaged.count == 1 && page.damaged[0].contains("row \(second) of webhook_event") && page.next == whole.next)
        try await ledger.write("damage") { db in
            try db.run("UPDATE webhook_event SET data = ? WHERE sequence = ?", [[UInt8(200)], second])
        }
        await #expect(throws: LedgerError.self) { try await ledger.webhookPage(one, from: 1) }
    }

    @Test(arguments: Engine.all) func theOutboxIsReplayedAndPruned(engine: Engine) async throws {
        let ledger = try await engine.open(folder)
        try await ledger.addWebhook(subscription(types: try WebhookTypes(["recipient.*"]), parts: 1), note: nil)
        try await Example.plan(ledger, id, batches: [4])
        _ = try await ledger.dispatchBatches([(id, 1)], now: now)
        for index in 0..<4 {
            _ = try await ledger.write(groups: [resultGroup(sequence: index, [sent(index)])], events: [], now: now)
        }
        let token = try #require(
            try await ledger.acquireLeadership(Leadership.webhooks, holder: "a", for: .seconds(60), isHolderGone: false))
        func tell(_ sequence: Int64) async throws {
            var found = try #require(try await ledger.activeWebhook("wh_1"))
            found.parts[0].place = WebhookPlace(sequence)
            #expect(try await ledger.storeWebhook(WebhookProgress(found.subscription, parts: found.parts), fencingToken: token))
        }
        let clock = Clock.milliseconds()
        // Old enough, and not told: it stays until it is told, or for as long as anything is kept.
        #expect(try await ledger.pruneWebhookEvents(keep: clock + 1000, longest: 0) == 0)
        try await tell(3)
        #expect(try await ledger.pruneWebhookEvents(keep: clock + 1000, longest: 0) == 2)
        #expect(try await page(ledger).pruned == 2)
        try await tell(5)
        #expect(try await ledger.replayWebhook("wh_1", since: 0, until: nil, note: nil, now: now) == 2)
        #expect(try #require(try await ledger.activeWebhook("wh_1")).parts[0].place == WebhookPlace(3))
        try await tell(5)
        #expect(try await ledger.replayWebhook("wh_1", since: clock + 100_000, until: nil, note: nil, now: now) == 0)
        #expect(try await ledger.replayWebhook("wh_2", since: 0, until: nil, note: nil, now: now) == nil)
        #expect(try await ledger.replayWebhook("wh_1", since: 0, until: 1, note: nil, now: now) == 0)
        #expect(try await told(ledger) == [])
        #expect(try await ledger.pruneWebhookEvents(keep: 0, longest: clock + 1000) == 2)
        #expect(try await ledger.webhooks().map(\.waiting) == [0])
        // Numbers are never given twice.
        _ = try await ledger.setState(id, to: .stopped, from: [.sending], reason: .person("bob", ""), note: nil, now: now)
        try await Example.plan(ledger, Example.id(1), batches: [1])
        _ = try await ledger.dispatchBatches([(Example.id(1), 1)], now: now)
        _ = try await ledger.write(groups: [resultGroup(mailing: Example.id(1), [sent(0)])], events: [], now: now)
        #expect(try await page(ledger).messages.map(\.place.sequence) == [5])
    }

    /// Collectors that write side by side commit their rows in the order of their numbers.
    @Test(arguments: Engine.all) func aReaderMissesNothingThatIsCommittedLater(engine: Engine) async throws {
        let ledger = try await engine.open(folder)
        try await ledger.addWebhook(subscription(types: WebhookTypes([.sent])), note: nil)
        try await Example.plan(ledger, id, batches: Array(repeating: 1, count: 40))
        _ = try await ledger.dispatchBatches([(id, 40)], now: now)
        let seen = try await withThrowingTaskGroup(of: Void.self) { group in
            for batch in 0..<40 {
                group.addTask {
                    _ = try await ledger.write(groups: [resultGroup(batch: batch, closing: .done, [sent(0)])], events: [], now: now)
                }
            }
            var seen: [Int] = []
            var next: Int64 = 1
            let deadline = ContinuousClock.now + .seconds(60)
            while seen.count < 40, ContinuousClock.now < deadline {
                let page = try await page(ledger, from: next)
                seen += page.messages.map(\.event.batch)
                next = page.next
            }
            try await group.waitForAll()
            return seen
        }
        #expect(seen.count == 40 && Set(seen).count == 40)
    }

    @Test func eventsAreReadAsTheyWerePacked() throws {
        var random = SeededGenerator(seed: 1)
        let events = (0..<500).map { number in
            var event = WebhookEvent(
                WebhookType.allCases.randomElement(using: &random) ?? .sent, batch: number * 31, index: number,
                at: 1_800_000_000_000 + Int64(number))
            if Bool.random(using: &random) { (event.code, event.reason) = (550, "unknown_user") }
            if Bool.random(using: &random) { event.messageID = "<\(number)@example.com>" }
            if Bool.random(using: &random) { event.provider = number.isMultiple(of: 2) ? "a" : "b" }
            if Bool.random(using: &random) { (event.link, event.visitor) = (number, .machine) }
            event.attempt = number % 5
            return event
        }
        let packed = events.packed()
        #expect(try [WebhookEvent].read(packed) == events)
        // Whatever the bytes are, nothing traps.
        for cut in 0..<200 { _ = try? [WebhookEvent].read(Array(packed.prefix(cut))) }
        for _ in 0..<2000 {
            var wrong = packed
            wrong[Int.random(in: 0..<200, using: &random)] = UInt8.random(in: 0...255, using: &random)
            _ = try? [WebhookEvent].read(wrong)
        }
    }
}
