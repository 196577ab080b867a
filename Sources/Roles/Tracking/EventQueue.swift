import DequeModule
package import Model

/// The events of one kind and stream on their way to Redis: which are gathered, sent, written to the spool and dropped. It takes the time
/// and says what to do; `EventSender` does it.
///
/// Events keep their order: what is in the spool is older than what is in memory, and while the spool has any, all that is new goes behind
/// it. An event is in memory or in the spool until Redis is known to have it.
///
/// Where the memory is full, an event waits until something has left it, behind those that wait already, and its visitor waits for the
/// answer. A connection has one event at a time, so that whoever sends requests without a pause is slowed down, and others get their turn.
/// Nobody waits longer than `Bounds.wait`, and nobody at all while nothing leaves the memory.
package struct EventQueue: Sendable {
    package struct Bounds: Sendable {
        /// Events of a batch at most.
        package var batch = 500
        /// Events in memory at most, and bytes of their wire form. From half of either on they go to the spool, also while Redis takes
        /// them: it takes fewer than come.
        package var events = 50_000
        package var bytes = 16 << 20
        /// Batches that are sent together at most.
        package var together = 32
        /// Milliseconds without a reply after which what was sent is written to the spool.
        package var replyTime: Int64 = 100
        /// Milliseconds that an event waits for room at most. Once nothing has left a full memory for as long, no event waits.
        package var wait: Int64 = 1000

        package init() {}

        /// A part of the memory.
        package func tenths(_ count: Int) -> Bounds {
            var part = self
            (part.events, part.bytes) = (events * count / 10, bytes / 10 * count)
            return part
        }
    }

    /// Events in their wire form.
    package struct Packed: Sendable, Equatable {
        package let wire: [UInt8]
        package let events: Int

        package init(_ batch: EventBatch) {
            wire = batch.encoded()
            events = batch.events.count
        }
    }

    package enum Admission: Sendable, Equatable {
        /// It is the first in memory, with which the gathering begins.
        case first
        case further
        /// There is no room for it now, and nothing was done: it may wait.
        case full
        /// There is no room for it: it is lost.
        case dropped
    }

    /// What became of an event that waited for room.
    package struct Decision: Sendable, Equatable {
        /// As `wait(for:at:)` gave it.
        package let number: Int
        package let isKept: Bool
    }

    /// Events that are lost, by the reason.
    package struct Losses: Sendable, Equatable {
        /// Nothing left the memory: Redis takes none, and the spool takes none.
        package var stuck = 0
        /// They waited for room as long as they may: more came than Redis and the disk take.
        package var slow = 0

        package var count: Int { stuck + slow }
    }

    /// An event that waits for room.
    private struct Late {
        var number: Int
        var event: TrackedEvent
        var since: Int64
    }

    package enum Job: Sendable, Equatable {
        /// These are sent; the number is told with the reply.
        case send([[UInt8]], number: Int)
        /// The oldest part of the spool is sent.
        case replay
    }

    private let source: UInt64
    private let bounds: Bounds
    private var sequence: UInt64 = 0
    private var gathered: [TrackedEvent] = []
    /// Events that were taken to be packed.
    private var packing = 0
    private var waiting: Deque<Packed> = []
    private var waitingEvents = 0
    private var waitingBytes = 0
    /// Batches that have left the memory.
    private var left = 0
    /// The first of the waiting ones, which are on their way to Redis, and since when.
    private var inFlight = 0
    private var since: Int64 = 0
    /// The number of the last sending: a reply to an earlier one changes nothing.
    private var sending = 0
    /// Redis did not take the last batches that were sent.
    private var isUnavailable = false
    /// There is something in the spool.
    private var hasSpool: Bool
    /// Events that wait for room, in the order in which they came.
    private var late: Deque<Late> = []
    private var lateNumber = 0
    /// Since when the memory is full and nothing has left it; nil while it is not.
    private var stuckSince: Int64?
    /// What is in memory is sent and spooled: there may be room later.
    private var isRunning = false
    /// Events that were not kept since they were last asked for.
    private var losses = Losses()

    /// - Parameters:
    ///   - source: random; no other life of a tracker and no other stream has it.
    ///   - hasSpool: an earlier life left events.
    package init(source: UInt64, hasSpool: Bool, bounds: Bounds = Bounds()) {
        self.source = source
        self.hasSpool = hasSpool
        self.bounds = bounds
    }

    /// Events in memory.
    package var count: Int { gathered.count + packing + waitingEvents }

    /// Nothing is in memory, or waits for room in it.
    package var isEmpty: Bool { count == 0 && late.isEmpty }

    private var hasRoom: Bool { count < bounds.events && waitingBytes < bounds.bytes }

    /// From now on what is in memory is sent and spooled.
    package mutating func begin() { isRunning = true }

    /// Nothing is sent or spooled any more: those that wait for room, and find none, are lost.
    package mutating func end() { isRunning = false }

    /// Takes an event where there is room.
    package mutating func add(_ event: TrackedEvent, at now: Int64) -> Admission {
        if late.isEmpty, hasRoom {
            gathered.append(event)
            return count == 1 ? .first : .further
        }
        guard isRunning, !isStuck(at: now) else {
            losses.stuck += 1
            return .dropped
        }
        return .full
    }

    /// Has an event wait for room; `decide` says what becomes of it.
    /// - Returns: its number.
    package mutating func wait(for event: TrackedEvent, at now: Int64) -> Int {
        lateNumber += 1
        late.append(Late(number: lateNumber, event: event, since: now))
        return lateNumber
    }

    /// What becomes of those that wait for room, as far as that is known now.
    package mutating func decide(at now: Int64) -> [Decision] {
        var decisions: [Decision] = []
        while let first = late.first {
            let isTaken = hasRoom
            if isTaken {
                gathered.append(first.event)
            } else if !isRunning || isStuck(at: now) {
                losses.stuck += 1
            } else if now - first.since >= bounds.wait {
                losses.slow += 1
            } else {
                break
            }
            late.removeFirst()
            decisions.append(Decision(number: first.number, isKept: isTaken))
        }
        return decisions
    }

    /// Whether nothing has left a full memory for so long that nobody waits for it.
    private mutating func isStuck(at now: Int64) -> Bool {
        let since = stuckSince ?? now
        stuckSince = since
        return now - since >= bounds.wait
    }

    /// Ends the gathering. Whoever takes the batches gives them back, packed, to `wait`.
    package mutating func take() -> [EventBatch] {
        let all = gathered
        gathered = []
        packing += all.count
        return stride(from: 0, to: all.count, by: bounds.batch).map { start in
            let batch = EventBatch(source: source, sequence: sequence, events: Array(all[start..<min(start + bounds.batch, all.count)]))
            sequence += UInt64(batch.events.count)
            return batch
        }
    }

    package mutating func wait(_ batches: [Packed]) {
        for batch in batches {
            packing -= batch.events
            waitingEvents += batch.events
            waitingBytes += batch.wire.count
            waiting.append(batch)
        }
    }

    /// What has to be written to the spool now, in order; empty for nothing.
    /// - Returns: also up to where that is, for `spooled`.
    package func toSpool(at now: Int64) -> (batches: [[UInt8]], end: Int) {
        let isLate = inFlight > 0 && now - since >= bounds.replyTime
        let isCrowded = waitingEvents > bounds.events / 2 || waitingBytes > bounds.bytes / 2
        let isDue = hasSpool || isUnavailable || isLate || isCrowded
        return isDue ? (waiting.map(\.wire), left + waiting.count) : ([], left)
    }

    /// Batches up to one are in the spool. Redis may have taken some of them since.
    package mutating func spooled(upTo end: Int) {
        remove(end - left)
        hasSpool = true
        // What is on its way comes twice, perhaps: the collector knows it by its number.
        inFlight = 0
        sending += 1
    }

    /// What is to be sent next; nil for nothing.
    package mutating func next(at now: Int64) -> Job? {
        if hasSpool { return .replay }
        guard inFlight == 0, !waiting.isEmpty else { return nil }
        inFlight = min(waiting.count, bounds.together)
        since = now
        sending += 1
        return .send(waiting.prefix(inFlight).map(\.wire), number: sending)
    }

    /// Redis replied to a sending, or did not.
    package mutating func replied(_ isTaken: Bool, to number: Int) {
        isUnavailable = !isTaken
        guard number == sending else { return }
        if isTaken { remove(inFlight) }
        inFlight = 0
    }

    /// Redis took the oldest part of the spool, or did not.
    package mutating func replayed(_ isTaken: Bool) { isUnavailable = !isTaken }

    /// Nothing is in the spool any more.
    package mutating func spoolIsEmpty() { hasSpool = false }

    /// Events that were not kept since this was asked.
    package mutating func takeLosses() -> Losses {
        defer { losses = Losses() }
        return losses
    }

    /// All that waits, at the end.
    package var rest: [[UInt8]] { waiting.map(\.wire) }

    private mutating func remove(_ count: Int) {
        let count = min(count, waiting.count)
        guard count > 0 else { return }
        for batch in waiting.prefix(count) {
            waitingEvents -= batch.events
            waitingBytes -= batch.wire.count
        }
        waiting.removeFirst(count)
        left += count
        stuckSince = nil
    }
}
