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

    private struct State {
        var queue: EventQueue
        /// Those whose events wait for room, by their numbers.
        var waiters: [Int: CheckedContinuation<Bool, Never>] = [:]
    }

    private let number: Int
    private let streams: EventStreams
    /// Held for a moment only: visitors wait for it.
    private let state: Mutex<State>
    /// Taken before the state, where both are, and on the disk's thread alone: writing to a disk may take its time.
    private let spool: Mutex<EventSpool>
    private let disk: DiskThread
    private let log: SenderLog
    private let clocks: Clocks
    private let logger: Logger
    /// Notified when there is a first event in memory, when there may be something to write to the spool, and something to send.
    private let gathers = WakeSignal()
    private let keeps = WakeSignal()
    private let sends = WakeSignal()
    private let waiting: Gauge
    private let spoolBytes: Gauge

    /// How long events are gathered.
    static let gathering = Duration.milliseconds(20)

    /// Batches that are sent together at most.
    private static let together = 32

    init(
        _ kind: Kind, to number: Int, of streams: EventStreams, spool: EventSpool, source: UInt64, bounds: EventQueue.Bounds,
        clocks: Clocks, logger: Logger
    ) {
        self.number = number
        self.streams = streams
        (self.clocks, self.logger) = (clocks, logger)
        log = SenderLog(bounds, clocks: clocks, logger)
        state = Mutex(State(queue: EventQueue(source: source, hasSpool: !spool.isEmpty, bounds: bounds)))
        disk = DiskThread("\(kind.rawValue)-\(number)")
        let labels = [("stream", "\(number)"), ("kind", kind.rawValue)]
        waiting = Gauge(label: "flotilla_tracker_events_waiting", dimensions: labels)
        spoolBytes = Gauge(label: "flotilla_tracker_spool_bytes", dimensions: labels)
        let bytes = spool.bytes
        self.spool = Mutex(spool)
        waiting.record(0)
        spoolBytes.record(bytes)
        if bytes > 0 { logger.notice("events of an earlier tracker are sent", metadata: ["bytes": "\(bytes)"]) }
    }

    /// Milliseconds of a monotonic clock.
    private func now() -> Int64 { clocks.monotonic / 1_000_000 }

    /// Waits while there is no room, no longer than `EventQueue.Bounds.wait`.
    /// - Returns: whether it is kept.
    func add(_ event: TrackedEvent) async -> Bool {
        switch state.withLock({ $0.queue.add(event, at: now()) }) {
        case .first:
            gathers.notify()
            return true
        case .further: return true
        case .dropped: return false
        case .full: break
        }
        log.waits()
        return await withCheckedContinuation { continuation in
            state.withLock { $0.waiters[$0.queue.wait(for: event, at: now())] = continuation }
            // Whatever is in memory: somebody has to say what became of it. There may be room again.
            gathers.notify()
            settle()
        }
    }

    /// Tells those whose events wait for room what became of them, as far as that is known.
    private func settle() {
        let known = state.withLock { state in
            state.queue.decide(at: now()).map { ($0.isKept, state.waiters.removeValue(forKey: $0.number)) }
        }
        guard !known.isEmpty else { return }
        gathers.notify()
        for (isKept, waiter) in known { waiter?.resume(returning: isKept) }
    }

    /// Gathers and sends until it is cancelled.
    func run() async {
        state.withLock { $0.queue.begin() }
        sends.notify()
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await self.gather() }
            tasks.addTask { await self.keep() }
            tasks.addTask { await self.send() }
        }
    }

    /// Waits for no disk and for no reply: visitors whose events wait for room are answered by it.
    private func gather() async {
        while !Task.isCancelled {
            await gathers.wait(atMost: nil)
            while !Task.isCancelled, !state.withLock({ $0.queue.isEmpty }) {
                try? await Task.sleep(for: Self.gathering)
                pack()
                keeps.notify()
                sends.notify()
            }
        }
    }

    /// Ends the gathering: what was gathered can be sent.
    private func pack() {
        let packed = state.withLock { $0.queue.take() }.map { EventQueue.Packed($0) }
        state.withLock { $0.queue.wait(packed) }
        settle()
        let (count, losses) = state.withLock { ($0.queue.count, $0.queue.takeLosses()) }
        waiting.record(count)
        log.lost(losses)
    }

    /// Writes to the spool what must not wait in memory.
    private func keep() async {
        while !Task.isCancelled {
            await keeps.wait(atMost: nil)
            guard !Task.isCancelled, state.withLock({ !$0.queue.toSpool(at: now()).batches.isEmpty }) else { continue }
            let bytes = await disk.run { self.writeSpool() }
            if let bytes { spoolBytes.record(bytes) }
            settle()
        }
    }

    /// - Returns: bytes of the spool; nil where it took nothing.
    private func writeSpool() -> Int? {
        spool.withLock { spool in
            let (batches, end) = state.withLock { $0.queue.toSpool(at: now()) }
            guard !batches.isEmpty else { return nil }
            let isKept = spool.append(batches)
            log.note(spoolProblem: spool.problem)
            guard isKept else { return nil }
            state.withLock { $0.queue.spooled(upTo: end) }
            return spool.bytes
        }
    }

    private func send() async {
        var backoff = Backoff()
        while !Task.isCancelled {
            guard let job = state.withLock({ $0.queue.next(at: now()) }) else {
                await sends.wait(atMost: nil)
                continue
            }
            let isTaken =
                switch job {
                case .send(let batches, let number): await send(batches, number)
                case .replay: await replay()
                }
            settle()
            if isTaken { backoff = Backoff() } else { _ = await backoff.wait() }
        }
    }

    private func send(_ batches: [[UInt8]], _ number: Int) async -> Bool {
        let isTaken = await append(batches)
        state.withLock { $0.queue.replied(isTaken, to: number) }
        return isTaken
    }

    /// Sends the oldest file of the spool. One that cannot be read stays.
    private func replay() async -> Bool {
        guard let file = await disk.run({ self.oldest() }) else { return true }
        let contents: SpoolContents
        switch file.contents {
        case .success(let read): contents = read
        case .failure(let error):
            state.withLock { $0.queue.replayed(false) }
            log.cannotRead(error)
            return false
        }
        let isTaken = await appendAll(contents.batches)
        state.withLock { $0.queue.replayed(isTaken) }
        guard isTaken else { return false }
        let bytes = await disk.run {
            self.spool.withLock { spool in
                spool.removeOldest()
                return spool.bytes
            }
        }
        spoolBytes.record(bytes)
        if !contents.isWhole { log.lostIn(damaged: file.path, contents.lostEvents) }
        return true
    }

    /// The oldest file of the spool, and what is in it; nil where there is none any more.
    private func oldest() -> (path: String, contents: Result<SpoolContents, UnreadableSpool>)? {
        let file = spool.withLock { spool in
            let file = spool.oldest()
            if file == nil { state.withLock { $0.queue.spoolIsEmpty() } }
            return file
        }
        return file.map { file in (file.path, Result { () throws(UnreadableSpool) in try SpoolContents(of: file.path) }) }
    }

    /// Sends batches a few at a time, up to the first that Redis does not take.
    private func appendAll(_ batches: [[UInt8]]) async -> Bool {
        for start in stride(from: 0, to: batches.count, by: Self.together) {
            guard await append(Array(batches[start..<min(start + Self.together, batches.count)])) else { return false }
        }
        return true
    }

    private func append(_ batches: [[UInt8]]) async -> Bool {
        do throws(RedisError) {
            if try await streams.append(batches, to: number) { return true }
            log.redisTookNone("the events stream is full: does a collector run?")
        } catch { log.redisTookNone("\(error)") }
        return false
    }

    /// Sends what is left, or leaves it in the spool for the next tracker of this folder.
    func finish() async {
        state.withLock { $0.queue.end() }
        settle()
        pack()
        _ = await disk.run { self.writeSpool() }
        let rest = state.withLock { $0.queue.rest }
        if await !appendAll(rest) {
            let isKept = await disk.run { self.spool.withLock { $0.append(rest) } }
            if !isKept { logger.critical("\(state.withLock { $0.queue.count }) events of visitors are lost, because the process ends") }
        }
        let bytes = await disk.run {
            self.spool.withLock { spool in
                spool.end()
                return spool.bytes
            }
        }
        if bytes > 0 { logger.notice("events wait in the spool for the next tracker of this folder", metadata: ["bytes": "\(bytes)"]) }
    }
}
