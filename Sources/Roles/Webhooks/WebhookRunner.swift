import Ledger
import Logging
import Model
import Policy
import Synchronization

/// Tells one subscription of what it wants, until it is changed, disabled or removed, or the role ends.
struct WebhookRunner: Sendable {
    /// Why it ended.
    enum End: Equatable {
        /// It is to begin anew, if the subscription is active still.
        case changed
        /// The role ends, or the leadership is lost.
        case stopped
    }

    /// What became of attempts, on the way to the loop.
    private final class Mailbox: Sendable {
        private let outcomes = Mutex<[(part: Int, outcome: WebhookOutcome)]>([])

        func add(_ part: Int, _ outcome: WebhookOutcome) { outcomes.withLock { $0.append((part, outcome)) } }
        func take() -> [(part: Int, outcome: WebhookOutcome)] {
            outcomes.withLock { all in
                defer { all = [] }
                return all
            }
        }
    }

    /// Who disables a subscription, in the audit log.
    static let actor = "webhooks"
    /// How long told events are not stored at most, and how many of them; then nothing is sent until they are.
    private static let storeInterval = Duration.milliseconds(200)
    private static let mostUnstored = 500
    /// How often the outbox is read without an event, and at most for events: outcomes wake the loop too.
    private static let poll = Duration.seconds(5)
    private static let readInterval = Duration.milliseconds(20)

    let ledger: any WebhookStore
    /// The ledger's own name.
    let identity: String
    let lease: WebhookLease
    let stop: StopRequest
    /// Notified when the ledger has changed, the role is to end, or an attempt has its outcome.
    let wake: WakeSignal
    let limits: WebhookQueue.Limits
    let clocks: Clocks
    let logger: Logger

    /// - Throws: `LedgerError` where the ledger cannot be read.
    func run(_ id: String) async throws(LedgerError) -> End {
        guard let found = try await ledger.activeWebhook(id) else { return .changed }
        let sender: WebhookSender
        do { sender = try WebhookSender(found.subscription, logger: logger) } catch {
            return try await disable(found.subscription, "it cannot be told: \(error)")
        }
        var running = Running(
            queue: WebhookQueue(found.subscription, found.parts, limits: limits), sender: sender,
            meters: WebhookMeters(id), lastStore: clocks.now, lastRead: clocks.now)
        let mailbox = Mailbox()
        // In flight are as many as there are parts at most.
        let result: Result<End, LedgerError> = await withDiscardingTaskGroup(returning: Result<End, LedgerError>.self) { group in
            do throws(LedgerError) {
                return .success(
                    try await loop(&running, mailbox) { attempt in
                        group.addTask { await send(attempt, sender, mailbox) }
                    })
            } catch { return .failure(error) }
        }
        // What was in flight at the end has its outcome now.
        for (part, outcome) in mailbox.take() { _ = running.queue.done(part, outcome, now: clocks.milliseconds, jitter: 1) }
        running.meters.record(waiting: 0, failing: 0, lag: 0)
        if let progress = running.queue.progress() { _ = try await ledger.storeWebhook(progress, fencingToken: lease.fencingToken) }
        return try result.get()
    }

    /// What changes while it runs.
    private struct Running {
        var queue: WebhookQueue
        let sender: WebhookSender
        let meters: WebhookMeters
        var lastStore: ContinuousClock.Instant
        var lastRead: ContinuousClock.Instant
        /// It was woken since the last read.
        var isWoken = false
        var line = RepeatedLine()
    }

    private func send(_ attempt: WebhookQueue.Attempt, _ sender: WebhookSender, _ mailbox: Mailbox) async {
        let answer = await sender.send(WebhookBody(attempt.message, ledger: identity), now: clocks.milliseconds) {
            !stop.isStopping && lease.isHeld
        }
        mailbox.add(attempt.part, answer.outcome)
        wake.notify()
    }

    private func loop(
        _ running: inout Running, _ mailbox: Mailbox, _ start: (WebhookQueue.Attempt) -> Void
    ) async throws(LedgerError) -> End {
        while true {
            for (part, outcome) in mailbox.take() {
                if let end = try await take(part, outcome, &running) {
                    await running.sender.close()
                    return end
                }
            }
            if stop.isStopping || !lease.isHeld {
                await running.sender.close()
                return .stopped
            }
            let elapsed = clocks.now - running.lastRead
            if elapsed >= Self.poll || (running.isWoken && elapsed >= Self.readInterval) {
                running.isWoken = false
                running.queue.woken()
            }
            if let sequence = running.queue.readFrom {
                let page = try await ledger.webhookPage(running.queue.subscription, from: sequence)
                running.lastRead = clocks.now
                guard page.isCurrent, !running.queue.isBehind(page) else {
                    await running.sender.close()
                    return .changed
                }
                for why in page.damaged {
                    logger.error(
                        """
                        webhooks \(running.queue.subscription.id): \(why). Its events are told to nobody; the others are. \
                        The report has the states: flotilla mailing show
                        """)
                }
                let lacking = running.queue.take(page, from: sequence)
                if lacking > 0 {
                    logger.warning("webhooks \(running.queue.subscription.id): events were removed from the outbox before they were told")
                }
            }
            guard try await store(&running) else {
                await running.sender.close()
                return .changed
            }
            if running.queue.unstored < Self.mostUnstored {
                for attempt in running.queue.attempts(now: clocks.milliseconds) { start(attempt) }
            }
            record(running)
            if running.queue.readFrom == nil { await wait(&running) }
        }
    }

    /// Waits until something is to be done. A notification may tell of new events as well as of outcomes.
    private func wait(_ running: inout Running) async {
        var time = Self.poll
        if let due = running.queue.due(after: clocks.milliseconds) { time = min(time, .milliseconds(max(due - clocks.milliseconds, 1))) }
        if running.queue.unstored > 0 { time = min(time, Self.storeInterval) }
        if running.isWoken { time = min(time, Self.readInterval) }
        if await wake.wait(atMost: time) { running.isWoken = true }
    }

    /// - Returns: nil where it continues.
    private func take(_ part: Int, _ outcome: WebhookOutcome, _ running: inout Running) async throws(LedgerError) -> End? {
        running.meters.count(outcome)
        let id = running.queue.subscription.id
        switch running.queue.done(part, outcome, now: clocks.milliseconds, jitter: .random(in: 0...1)) {
        case .none:
            if case .failed(let words, _) = outcome, let count = running.line.add(at: clocks.monotonic) {
                logger.warning("webhooks \(id): a message was not taken: \(words)\(RepeatedLine.text(count))")
            }
            return nil
        case .gaveUp:
            running.meters.countGivenUp()
            logger.error("webhooks \(id): a message was not taken for as long as webhooks.patience says, others were: it is given up")
            return nil
        case .disable(let why): return try await disable(running.queue.subscription, why)
        }
    }

    private func disable(_ subscription: WebhookSubscription, _ why: String) async throws(LedgerError) -> End {
        let note = AuditNote(.disableWebhook, actor: Self.actor)
        _ = try await ledger.setWebhook(subscription.id, to: .disabled, why: why, note: note, now: clocks.milliseconds)
        logger.error("webhooks \(subscription.id) to \(subscription.shownURL) is disabled: \(why)")
        return .changed
    }

    /// Stores how far it has come, where that is due.
    /// - Returns: false where the subscription was changed, or the leadership is another's.
    private func store(_ running: inout Running) async throws(LedgerError) -> Bool {
        let since = clocks.now - running.lastStore
        let isDue = running.queue.unstored >= Self.mostUnstored || since >= Self.storeInterval
        guard isDue, let progress = running.queue.progress() else { return true }
        guard try await ledger.storeWebhook(progress, fencingToken: lease.fencingToken) else { return false }
        running.queue.stored(progress)
        running.lastStore = clocks.now
        return true
    }

    private func record(_ running: Running) {
        let failing = running.queue.subscription.firstFailure.map { Double(clocks.milliseconds - $0) / 1000 } ?? 0
        let lag = running.queue.oldest.map { Double(clocks.milliseconds - $0) / 1000 } ?? 0
        running.meters.record(waiting: running.queue.waiting, failing: max(0, failing), lag: max(0, lag))
    }
}
