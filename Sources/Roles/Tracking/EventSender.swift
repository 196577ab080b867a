import Broker
import Logging
import Metrics
import Model
import Policy
import Synchronization

/// Brings the events of one kind to one stream of Redis, by way of the spool where Redis does not take them; the shell of `EventQueue`.
final class EventSender: Sendable {
    /// What is sent, as the spool's files and the metrics name it.
    enum Kind: String, Sendable {
        case visits = "events"
        case choices
    }

    private struct Lines {
        var unavailable = RepeatedLine()
        var dropped = RepeatedLine()
        var unreadable = RepeatedLine()
    }

    private let number: Int
    private let streams: EventStreams
    private let queue: Mutex<EventQueue>
    /// Taken before the queue, where both are: writing to a disk may take its time, and a visitor does not wait for it.
    private let spool: Mutex<EventSpool>
    private let lines = Mutex(Lines())
    private let clocks: Clocks
    private let logger: Logger
    /// Notified when there is a first event in memory, and when there is something to send.
    private let gathers = WakeSignal()
    private let sends = WakeSignal()
    private let waiting: Gauge
    private let spoolBytes: Gauge
    private let dropped = Counter(label: "flotilla_tracker_events_dropped_total")

    /// How long events are gathered.
    static let gathering = Duration.milliseconds(20)

    /// Batches that are sent together at most.
    private static let together = 32

    init(
        _ kind: Kind, to number: Int, of streams: EventStreams, spool: EventSpool, queue: EventQueue, clocks: Clocks, logger: Logger
    ) {
        self.number = number
        self.streams = streams
        self.clocks = clocks
        self.logger = logger
        self.queue = Mutex(queue)
        let labels = [("stream", "\(number)"), ("kind", kind.rawValue)]
        waiting = Gauge(label: "flotilla_tracker_events_waiting", dimensions: labels)
        spoolBytes = Gauge(label: "flotilla_tracker_spool_bytes", dimensions: labels)
        let bytes = spool.bytes
        self.spool = Mutex(spool)
        waiting.record(0)
        spoolBytes.record(bytes)
        if bytes > 0 { logger.notice("events of an earlier tracker are sent", metadata: ["bytes": "\(bytes)"]) }
    }

    /// - Returns: whether it is kept.
    func add(_ event: TrackedEvent) -> Bool {
        let admission = queue.withLock { $0.add(event) }
        if admission == .first { gathers.notify() }
        return admission != .dropped
    }

    /// Gathers and sends until it is cancelled.
    func run() async {
        sends.notify()
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await self.gather() }
            tasks.addTask { await self.send() }
        }
    }

    private func gather() async {
        while !Task.isCancelled {
            await gathers.wait(atMost: nil)
            while !Task.isCancelled, !queue.withLock({ $0.isEmpty }) {
                try? await Task.sleep(for: Self.gathering)
                pack()
                keep()
                sends.notify()
            }
        }
    }

    /// Ends the gathering: what was gathered can be sent.
    private func pack() {
        let packed = queue.withLock { $0.take() }.map { EventQueue.Packed($0) }
        let (count, lost) = queue.withLock { queue in
            queue.wait(packed)
            return (queue.count, queue.takeDropped())
        }
        waiting.record(count)
        if lost > 0 { dropped.increment(by: lost) }
        let due = lines.withLock { lines in
            lines.dropped.count(lost)
            return lines.dropped.due(at: clocks.monotonic)
        }
        guard let due else { return }
        let why = spool.withLock { $0.problem }
        logger.error("\(due) events of visitors are lost: Redis does not take them, and there is no room for them here (\(why))")
    }

    /// Writes to the spool what must not wait in memory.
    private func keep() {
        let bytes = spool.withLock { spool -> Int? in
            let batches = queue.withLock { $0.toSpool(at: clocks.monotonic / 1_000_000) }
            guard !batches.isEmpty, spool.append(batches) else { return nil }
            queue.withLock { $0.spooled(batches.count) }
            return spool.bytes
        }
        if let bytes { spoolBytes.record(bytes) }
    }

    private func send() async {
        var backoff = Backoff()
        while !Task.isCancelled {
            guard let job = queue.withLock({ $0.next(at: clocks.monotonic / 1_000_000) }) else {
                await sends.wait(atMost: nil)
                continue
            }
            let isTaken =
                switch job {
                case .send(let batches, let number): await send(batches, number)
                case .replay: await replay()
                }
            if isTaken { backoff = Backoff() } else { _ = await backoff.wait() }
        }
    }

    private func send(_ batches: [[UInt8]], _ number: Int) async -> Bool {
        let isTaken = await append(batches)
        queue.withLock { $0.replied(isTaken, to: number) }
        return isTaken
    }

    /// Sends the oldest file of the spool. One that cannot be read stays.
    private func replay() async -> Bool {
        let file = spool.withLock { spool in
            let file = spool.oldest()
            if file == nil { queue.withLock { $0.spoolIsEmpty() } }
            return file
        }
        guard let file else { return true }
        let contents: SpoolContents
        do throws(UnreadableSpool) { contents = try SpoolContents(of: file.path) } catch {
            queue.withLock { $0.replayed(false) }
            if let count = lines.withLock({ $0.unreadable.add(at: clocks.monotonic) }) {
                logger.error("\(error)\(RepeatedLine.text(count))")
            }
            return false
        }
        let isTaken = await appendAll(contents.batches)
        queue.withLock { $0.replayed(isTaken) }
        guard isTaken else { return false }
        let bytes = spool.withLock { spool in
            spool.removeOldest()
            return spool.bytes
        }
        spoolBytes.record(bytes)
        if !contents.isWhole {
            let lost = contents.lostEvents
            dropped.increment(by: lost)
            logger.error("\(file.path) was damaged: what was whole in it is sent, and \(lost) events at least are lost")
        }
        return true
    }

    /// Sends batches a few at a time, up to the first that Redis does not take.
    private func appendAll(_ batches: [[UInt8]]) async -> Bool {
        for start in stride(from: 0, to: batches.count, by: Self.together) {
            guard await append(Array(batches[start..<min(start + Self.together, batches.count)])) else { return false }
        }
        return true
    }

    private func append(_ batches: [[UInt8]]) async -> Bool {
        let problem: String
        do throws(RedisError) {
            if try await streams.append(batches, to: number) { return true }
            problem = "the events stream is full: does a collector run?"
        } catch { problem = "\(error)" }
        if let count = lines.withLock({ $0.unavailable.add(at: clocks.monotonic) }) {
            logger.warning("events wait here, and visitors are answered all the same: \(problem)\(RepeatedLine.text(count))")
        }
        return false
    }

    /// Sends what is left, or leaves it in the spool for the next tracker of this folder.
    func finish() async {
        pack()
        keep()
        let rest = queue.withLock { $0.rest }
        if await !appendAll(rest) {
            let isKept = spool.withLock { $0.append(rest) }
            if !isKept { logger.critical("\(queue.withLock { $0.count }) events of visitors are lost, because the process ends") }
        }
        let bytes = spool.withLock { spool in
            spool.end()
            return spool.bytes
        }
        if bytes > 0 { logger.notice("events wait in the spool for the next tracker of this folder", metadata: ["bytes": "\(bytes)"]) }
    }
}
