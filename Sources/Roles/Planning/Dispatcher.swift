package import Broker
package import Ledger
package import Logging
import Metrics
package import Model
import Policy
import ServiceLifecycle
import Synchronization

/// Keeps a window of batches ready in Redis, shared fairly among the mailings in work; notices when a mailing is complete.
package actor Dispatcher: Service {
    package typealias Store = Outbox & MailingStore & ReportStore & LimitStore

    private let broker: Broker
    private let queue: BatchQueue
    private let board: PublishedMailings
    private let limitBoard: PublishedLimits
    private let ledger: any Store
    private let window: Int
    private let poll: Duration
    private let only: MailingID?
    private let logger: Logger
    private var shown: [MailingID: Shown] = [:]
    /// Recipients in a batch, on average.
    private var sizes: [MailingID: Double] = [:]
    /// The limits set at run time that the workers see, by scope; nil when that is not known.
    private var shownLimits: [String: String]?
    /// Mailings that are over, and nothing of them is to be looked after any more.
    private var ended: Set<MailingID> = []
    private var flow: [Channel: DrainRate] = [:]
    private let epochs: EpochManager
    private var epoch: Epoch?
    /// Stopped mailings that are not over yet, and when they were looked for.
    private var stopped: [MailingRecord] = []
    private var lastStopped = ContinuousClock.now - .seconds(10)
    private var lastWord = ContinuousClock.now - .seconds(60)
    private nonisolated let stopping = Atomic<Bool>(false)
    private let rebuilds = Counter(label: "flotilla_redis_rebuilds_total")
    private var nextTurn = 0

    /// What the board shows of a mailing.
    private struct Shown: Equatable {
        var state: MailingState
        var speed: String
    }

    /// - Parameters:
    ///   - window: batches of a channel at most that are ready or in work.
    ///   - poll: how often the ledger is looked at while nothing is to be fed.
    ///   - only: the one mailing to feed; nil for all of the ledger.
    ///   - fencingToken: the leadership that this dispatcher has.
    ///   - lease: the workers' lease.
    ///   - isAlone: the Redis is this process's own, so that no other worker can be at work.
    package init(
        broker: Broker, ledger: any Store, window: Int, poll: Duration, only: MailingID? = nil, fencingToken: FencingToken,
        lease: Duration, isAlone: Bool, logger: Logger
    ) {
        self.only = only
        epochs = EpochManager(broker: broker, fencingToken: fencingToken, lease: lease, isAlone: isAlone)
        self.broker = broker
        queue = BatchQueue(broker)
        board = PublishedMailings(broker)
        limitBoard = PublishedLimits(broker)
        self.ledger = ledger
        self.window = window
        self.poll = poll
        self.logger = logger
    }

    package func run() async throws {
        await withGracefulShutdownHandler {
            await feed()
        } onGracefulShutdown: {
            self.stopping.store(true, ordering: .relaxed)
        }
        await queue.close()
        await epochs.close()
    }

    private func feed() async {
        var backoff = Backoff()
        while !stopping.load(ordering: .relaxed), !Task.isCancelled {
            var fed = 0
            do {
                fed = try await turn()
                backoff = Backoff()
            } catch {
                if backoff.count % 20 == 0 { logger.warning("dispatching waits: \(error)") }
                guard await backoff.wait() else { return }
            }
            try? await Task.sleep(for: fed > 0 ? min(poll, .milliseconds(20)) : min(poll, .milliseconds(100)))
        }
    }

    /// One look at every mailing in work.
    /// - Returns: batches fed.
    private func turn() async throws -> Int {
        guard let epoch = try await believed() else { return 0 }
        try await showLimits()
        var records = try await ledger.mailings(states: [.sending, .paused], limit: 10_000)
        if ContinuousClock.now - lastStopped >= Self.stoppedInterval {
            stopped = try await ledger.mailings(states: [.stopped], limit: 10_000).filter { !ended.contains($0.id) }
            lastStopped = .now
        }
        records += stopped
        records.removeAll { ended.contains($0.id) || (only != nil && $0.id != only) }
        for record in records { try await show(record, epoch) }
        for id in shown.keys where !records.contains(where: { $0.id == id }) {
            shown[id] = nil
            sizes[id] = nil
        }
        var fed = 0
        for channel in Channel.allCases {
            let sending = records.filter { $0.state == .sending && $0.mailing.channel == channel }
            if !sending.isEmpty { fed += try await feed(sending, channel, epoch) }
        }
        return fed
    }

    /// The epoch that Redis is in; nil while what it holds cannot be believed, or it is not ours to feed.
    private func believed() async throws -> Epoch? {
        switch try await epochs.look() {
        case .steady(let now):
            if now != epoch {
                shown = [:]
                shownLimits = nil
                try await removeEnded()
                epoch = now
            }
            return now
        case .deposed:
            say(.warning, "another planner is the leader now; this one dispatches no more")
        case .foreign:
            say(
                .error,
                "another ledger uses this Redis and prefix: give each its own redis.prefix; nothing is dispatched meanwhile")
        case .lost(let loss):
            epoch = nil
            return try await rebuild(loss)
        }
        return nil
    }

    /// Takes down what a dispatcher left up that ended between a mailing's end and that.
    private func removeEnded() async throws {
        for id in try await board.all() {
            switch try await ledger.mailing(id)?.state {
            case nil, .sent, .failed: try await board.remove(id, fencingToken: epochs.fencingToken)
            default: break
            }
        }
    }

    /// Gives up what a lost Redis had, as soon as all is known that can be, and begins anew.
    private func rebuild(_ loss: EpochManager.Loss) async throws -> Epoch? {
        let records = try await ledger.mailings(states: [.collecting, .sending, .paused, .stopped], limit: 10_000)
        var marks: [(MailingRecord, DispatchMark)] = []
        for record in records where !ended.contains(record.id) {
            marks += try await ledger.openDispatches(record.id).map { (record, $0) }
        }
        if !marks.isEmpty {
            if let waitingFor = loss.waitingFor {
                say(.warning, "Redis was emptied or restarted with \(marks.count) batches in flight; waiting for \(waitingFor)")
                return nil
            }
            try await giveUp(marks, missing: loss.missing)
        }
        guard let begun = try await epochs.begin() else { return nil }
        shown = [:]
        shownLimits = nil
        epoch = begun
        return begun
    }

    private func giveUp(_ marks: [(MailingRecord, DispatchMark)], missing: [String]?) async throws {
        let isKnown = missing?.isEmpty == true
        let why =
            missing.map { "Redis lost its batch, and \($0.joined(separator: ", ")) did not come back" }
            ?? "Redis lost its batch, and the workers that had it are unknown"
        var listed = 0
        for (record, mark) in marks {
            listed +=
                try await ledger.giveUp(
                    BatchID(mailing: record.id, number: mark.number), dispatchNumber: mark.dispatchNumber,
                    uncertain: isKnown ? nil : record.mailing.uncertain, why: isKnown ? "" : why, now: Clock.milliseconds()) ?? 0
        }
        rebuilds.increment()
        logger.warning(
            """
            Redis lost \(marks.count) batches; what is not known to be done is dispatched again. \
            \(listed == 0 ? "No recipient is uncertain: every worker reported what it had sent" : "\(listed) recipients are uncertain: \(why)")
            """)
    }

    /// Says what holds dispatch up, now and then.
    private func say(_ level: Logger.Level, _ text: String) {
        guard ContinuousClock.now - lastWord >= .seconds(10) else { return }
        lastWord = .now
        logger.log(level: level, "\(text)")
    }

    /// Puts the mailing's state and speed on the board where they changed; brings back what Redis lost; ends what is over.
    private func show(_ record: MailingRecord, _ epoch: Epoch) async throws {
        guard let progress = try await ledger.progress(record.id) else { return }
        if record.state == .stopped {
            if progress.open == progress[.uncertain] { return try await end(record) }
            _ = try await ledger.stopOpen(record.id, now: Clock.milliseconds())
        }
        if let expires = record.expires, Clock.milliseconds() >= expires, progress.open > 0 {
            _ = try await ledger.expireOverdue(record.id, now: Clock.milliseconds())
        }
        // Batches are as large as the mailing's speed was when they were cut.
        sizes[record.id] = max(1, Double(progress.planned) / Double(max(1, record.nextBatch)))
        let now = Shown(state: record.state, speed: record.speed ?? "")
        if shown[record.id] == nil { try await reconcile(record, epoch) }
        if shown[record.id] != now {
            try await board.publish(record.id, record.mailing, state: now.state, speed: now.speed, fencingToken: epochs.fencingToken)
            shown[record.id] = now
        }
        if record.state == .sending, progress.isComplete {
            _ = try await ledger.setState(
                record.id, to: .sent, from: [.sending], reason: "", now: Clock.milliseconds())
            try await end(record)
        }
    }

    /// Puts the limits that were set at run time up for the workers, when they have changed or an epoch has begun.
    private func showLimits() async throws {
        let limits = try await Dictionary(ledger.limits().map { ($0.scope, $0.text) }) { $1 }
        guard limits != shownLimits else { return }
        try await limitBoard.publishLimits(limits, fencingToken: epochs.fencingToken)
        shownLimits = limits
    }

    private func end(_ record: MailingRecord) async throws {
        try await board.remove(record.id, fencingToken: epochs.fencingToken)
        ended.insert(record.id)
        guard shown.removeValue(forKey: record.id) != nil else { return }
        logger.info("mailing \(record.id) '\(record.mailing.name)' has ended", metadata: record.fields)
    }

    /// Batches that the ledger believes to be in Redis, and that are not there: a dispatcher ended between marking and dispatch.
    /// Nobody can have worked on them. They are fed again, as a new dispatchNumber.
    private func reconcile(_ record: MailingRecord, _ epoch: Epoch) async throws {
        let marked = try await ledger.openDispatches(record.id)
        guard !marked.isEmpty else { return }
        let known = try await queue.fed(record.id, epoch: epoch)
        let missing = marked.filter { known[$0.number] != $0.dispatchNumber }
        for mark in missing {
            let dispatch = Dispatch(batch: BatchID(mailing: record.id, number: mark.number), dispatchNumber: mark.dispatchNumber)
            guard try await queue.void(dispatch, epoch: epoch, fencingToken: epochs.fencingToken) else { continue }
            _ = try await ledger.giveUp(
                dispatch.batch, dispatchNumber: dispatch.dispatchNumber, uncertain: nil, why: "", now: Clock.milliseconds())
        }
        if !missing.isEmpty {
            logger.notice(
                "mailing \(record.id): \(missing.count) batches did not reach Redis and are dispatched again",
                metadata: record.fields)
        }
    }

    /// Shares what is free of the window: turn by turn, so that a small mailing does not wait behind a large one.
    private func feed(_ records: [MailingRecord], _ channel: Channel, _ epoch: Epoch) async throws -> Int {
        let depth = try await queue.depth(channel)
        let inWork = try await queue.inWork(channel)
        flow[channel, default: DrainRate()].note(depth: depth)
        // What workers have, some of it waiting for slots or retries, is theirs to bound.
        let free = min(window - depth, flow[channel, default: DrainRate()].window(most: window) - max(0, depth - inWork))
        // What waits in workers for a provider that is away must not keep other mailings out: each has a few batches of its own.
        let least = max(1, window / 8 / records.count)
        // Results that nobody collects hold the dispatch up, before they fill Redis.
        var uncollected = -depth
        var counts: [MailingID: Int] = [:]
        for record in records {
            let count = try await queue.fedCount(record.id)
            counts[record.id] = count
            uncollected += count
        }
        guard uncollected < Self.uncollectedWindows * window else { return 0 }
        nextTurn += 1
        var left = max(0, free)
        var fed = 0
        for (place, offset) in records.indices.enumerated() {
            let record = records[(offset + nextTurn) % records.count]
            let known = counts[record.id] ?? 0
            let share = max(min(left, max(1, left / (records.count - place))), least - known)
            guard share > 0 else { continue }
            let count = try await feed(record, channel, epoch, known: known, atMost: share)
            left = max(0, left - count)
            fed += count
        }
        flow[channel, default: DrainRate()].fed(fed)
        return fed
    }

    private func feed(
        _ record: MailingRecord, _ channel: Channel, _ epoch: Epoch, known: Int, atMost limit: Int
    ) async throws -> Int {
        var limit = limit
        if let speed = shown[record.id]?.speed, !speed.isEmpty, let rate = try? RateLimit(speed) {
            // A slow mailing gets what it needs in the next seconds, not a window full. Each worker gets some of it, for none may be able to do
            // it all, and a worker that is lost keeps its part until its lease is over.
            let ahead = Int((Self.ahead * rate.perSecond / (sizes[record.id] ?? 1)).rounded(.up))
            let needed = await 2 * (ahead + epochs.crew)
            // Not all at once, or the first who comes has it all.
            limit = min(limit, needed - known, max(1, ahead / 20))
        }
        guard limit > 0 else { return 0 }
        let batches = try await ledger.dispatchBatches(record.id, limit: limit, now: Clock.milliseconds())
        for batch in batches { logger.fed(batch, of: record) }
        do throws(RedisError) {
            return try await queue.feed(batches, channel: channel, epoch: epoch, fencingToken: epochs.fencingToken)
        } catch {
            // Which of them Redis has is looked up before the next dispatch.
            shown[record.id] = nil
            self.epoch = nil
            throw error
        }
    }

    private static let stoppedInterval = Duration.milliseconds(300)

    /// Windows of batches at most that are through the workers and not yet in the ledger.
    private static let uncollectedWindows = 3

    /// Seconds of work that a slow mailing has ready.
    private static let ahead = 2.0
}
