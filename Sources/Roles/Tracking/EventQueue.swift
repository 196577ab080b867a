import DequeModule
package import Model

/// The events of one kind and stream on their way to Redis: which are gathered, sent, written to the spool and dropped. It takes the time
/// and says what to do; `EventSender` does it.
///
/// Events keep their order: what is in the spool is older than what is in memory, and while the spool has any, all that is new goes behind
/// it. An event is in memory or in the spool until Redis is known to have it.
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
        /// There is no room for it: it is lost.
        case dropped
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
    /// The first of the waiting ones, which are on their way to Redis, and since when.
    private var inFlight = 0
    private var since: Int64 = 0
    /// The number of the last sending: a reply to an earlier one changes nothing.
    private var sending = 0
    /// Redis did not take the last batches that were sent.
    private var isUnavailable = false
    /// There is something in the spool.
    private var hasSpool: Bool
    /// Events that were not kept since they were last asked for.
    private var dropped = 0

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

    /// Nothing is in memory.
    package var isEmpty: Bool { count == 0 }

    /// Takes an event where there is room.
    package mutating func add(_ event: TrackedEvent) -> Admission {
        guard count < bounds.events, waitingBytes < bounds.bytes else {
            dropped += 1
            return .dropped
        }
        gathered.append(event)
        return count == 1 ? .first : .further
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
    package func toSpool(at now: Int64) -> [[UInt8]] {
        let isLate = inFlight > 0 && now - since >= bounds.replyTime
        let isCrowded = waitingEvents > bounds.events / 2 || waitingBytes > bounds.bytes / 2
        return hasSpool || isUnavailable || isLate || isCrowded ? waiting.map(\.wire) : []
    }

    /// The first so many batches of the waiting ones are in the spool.
    package mutating func spooled(_ count: Int) {
        guard count > 0 else { return }
        remove(count)
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
    package mutating func takeDropped() -> Int {
        defer { dropped = 0 }
        return dropped
    }

    /// All that waits, at the end.
    package var rest: [[UInt8]] { waiting.map(\.wire) }

    private mutating func remove(_ count: Int) {
        for batch in waiting.prefix(count) {
            waitingEvents -= batch.events
            waitingBytes -= batch.wire.count
        }
        waiting.removeFirst(min(count, waiting.count))
    }
}
