package import Broker
package import Ledger
package import Logging
import Metrics
package import Model
import Policy
import ServiceLifecycle
import Synchronization

/// Keeps a window of batches ready in Redis, shared fairly among the mailings in work; notices when a mailing is complete.
package actor Feeder: Service {
    package typealias Store = Outbox & MailingStore & ReportStore

    private let broker: Broker
    private let queue: BatchQueue
    private let board: MailingBoard
    private let ledger: any Store
    private let window: Int
    private let poll: Duration
    private let only: MailingID?
    private let logger: Logger
    private var shown: [MailingID: Shown] = [:]
    /// Mailings that are over, and nothing of them is to be looked after any more.
    private var ended: Set<MailingID> = []
    private var flow: [Channel: Flow] = [:]
    private nonisolated let stopping = Atomic<Bool>(false)
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
    package init(
        broker: Broker, ledger: any Store, window: Int, poll: Duration, only: MailingID? = nil, logger: Logger
    ) {
        self.only = only
        self.broker = broker
        queue = BatchQueue(broker)
        board = MailingBoard(broker)
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
    }

    private func feed() async {
        var patience = Patience()
        while !stopping.load(ordering: .relaxed), !Task.isCancelled {
            var fed = 0
            do {
                fed = try await turn()
                patience = Patience()
            } catch {
                if patience.count % 20 == 0 { logger.warning("feeding waits: \(error)") }
                guard await patience.wait() else { return }
            }
            try? await Task.sleep(for: fed > 0 ? min(poll, .milliseconds(20)) : min(poll, .milliseconds(100)))
        }
    }

    /// One look at every mailing in work.
    /// - Returns: batches fed.
    private func turn() async throws -> Int {
        var records = try await ledger.mailings(states: [.sending, .paused], limit: 10_000)
        records += try await ledger.mailings(states: [.stopped], limit: 100)
        records.removeAll { ended.contains($0.id) || (only != nil && $0.id != only) }
        for record in records { try await show(record) }
        for id in shown.keys where !records.contains(where: { $0.id == id }) { shown[id] = nil }
        var fed = 0
        for channel in Channel.allCases {
            let sending = records.filter { $0.state == .sending && $0.mailing.channel == channel }
            if !sending.isEmpty { fed += try await feed(sending, channel) }
        }
        return fed
    }

    /// Puts the mailing's state and speed on the board where they changed; brings back what Redis lost; ends what is over.
    private func show(_ record: MailingRecord) async throws {
        guard let progress = try await ledger.progress(record.id) else { return }
        if record.state == .stopped {
            if progress.open == progress[.uncertain] { return try await end(record) }
            _ = try await ledger.stopOpen(record.id, now: Clock.milliseconds())
        }
        if let expires = record.expires, Clock.milliseconds() >= expires, progress.open > 0 {
            _ = try await ledger.expireOverdue(record.id, now: Clock.milliseconds())
        }
        let now = Shown(state: record.state, speed: record.speed ?? "")
        // A Redis that came back empty knows nothing of the mailing: put it up again, and feed again what was there.
        if shown[record.id] != nil, try await board.controls(record.id) == nil { shown[record.id] = nil }
        if shown[record.id] == nil { try await reconcile(record) }
        if shown[record.id] != now {
            try await board.publish(record.id, record.mailing, state: now.state, speed: now.speed)
            shown[record.id] = now
        }
        if record.state == .sending, progress.isComplete {
            _ = try await ledger.setState(
                record.id, to: .sent, from: [.sending], reason: "", now: Clock.milliseconds())
            try await end(record)
        }
    }

    private func end(_ record: MailingRecord) async throws {
        try await board.remove(record.id)
        ended.insert(record.id)
        guard shown.removeValue(forKey: record.id) != nil else { return }
        logger.info("mailing \(record.id) '\(record.mailing.name)' is over", metadata: ["mailing": "\(record.id)"])
    }

    /// Batches that the ledger believes to be in Redis, and that are not there: a crash between marking and feeding, or a
    /// Redis that came back empty. They are fed again, as a new generation, less what is known of them.
    private func reconcile(_ record: MailingRecord) async throws {
        let marked = try await ledger.fedBatches(record.id)
        guard !marked.isEmpty else { return }
        let known = try await queue.fed(record.id)
        let missing = marked.filter { known[$0.number] != $0.generation }
        for mark in missing {
            _ = try await ledger.giveUp(
                BatchID(mailing: record.id, number: mark.number), generation: mark.generation, uncertain: nil, why: "",
                now: Clock.milliseconds())
        }
        if !missing.isEmpty {
            logger.notice(
                "mailing \(record.id): \(missing.count) batches are not in Redis any more and are fed again",
                metadata: ["mailing": "\(record.id)"])
        }
    }

    /// Shares what is free of the window: turn by turn, so that a small mailing does not wait behind a large one.
    private func feed(_ records: [MailingRecord], _ channel: Channel) async throws -> Int {
        let depth = try await queue.depth(channel)
        flow[channel, default: Flow()].note(depth: depth)
        let free = min(window, flow[channel, default: Flow()].window(most: window)) - depth
        guard free > 0 else { return 0 }
        // Results that nobody collects hold the feeding up, before they fill Redis.
        var uncollected = -depth
        for record in records { uncollected += try await queue.fedCount(record.id) }
        guard uncollected < Self.uncollectedWindows * window else { return 0 }
        nextTurn += 1
        var left = free
        var fed = 0
        for (place, offset) in records.indices.enumerated() {
            let record = records[(offset + nextTurn) % records.count]
            let share = max(1, left / (records.count - place))
            let count = try await feed(record, channel, atMost: min(left, share))
            left -= count
            fed += count
            if left == 0 { break }
        }
        flow[channel, default: Flow()].fed(fed)
        return fed
    }

    private func feed(_ record: MailingRecord, _ channel: Channel, atMost limit: Int) async throws -> Int {
        var limit = limit
        if let speed = shown[record.id]?.speed, !speed.isEmpty, let rate = try? RateLimit(speed) {
            // A slow mailing gets what it needs in the next seconds, not a window full.
            let needed = Int((Self.ahead * rate.perSecond / Double(BatchSize.of(record))).rounded(.up)) + 1
            limit = min(limit, needed - (try await queue.fedCount(record.id)))
        }
        guard limit > 0 else { return 0 }
        let batches = try await ledger.takeBatches(record.id, limit: limit, now: Clock.milliseconds())
        do throws(RedisError) {
            return try await queue.feed(batches, channel: channel)
        } catch {
            // Which of them Redis has is looked up before the next feeding.
            shown[record.id] = nil
            throw error
        }
    }

    /// Windows of batches at most that are through the workers and not yet in the ledger.
    private static let uncollectedWindows = 3

    /// Seconds of work that a slow mailing has ready.
    private static let ahead = 5.0
}

/// How fast a channel's window is emptied, so that it holds some seconds of work and no more: what is ready stands before
/// whatever comes later.
private struct Flow {
    private var depth = 0
    private var last = ContinuousClock.now
    /// Batches a second, lately.
    private var rate = 0.0

    mutating func note(depth now: Int) {
        let seconds = Double((ContinuousClock.now - last).nanoseconds) / 1e9
        guard seconds > 0.2 else { return }
        let done = Double(max(0, depth - now))
        rate += (done / seconds - rate) * min(1, seconds)
        depth = now
        last = .now
    }

    mutating func fed(_ count: Int) { depth += count }

    func window(most: Int) -> Int { max(8, min(most, Int(rate * 4))) }
}
