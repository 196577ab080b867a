import Model
import Testing

@testable import Tracking

@Suite struct EventQueueTests {
    private static func event(_ time: Int) -> TrackedEvent { TrackedEvent(.open, mailing: 2, batch: 1, index: 1, time: Int64(time)) }

    private static func bounds(_ events: Int = 1000) -> EventQueue.Bounds {
        var bounds = EventQueue.Bounds()
        (bounds.batch, bounds.events, bounds.together) = (3, events, 4)
        return bounds
    }

    private static func sequences(_ wires: [[UInt8]]) throws -> [UInt64] { try wires.map { try EventBatch(decoding: $0).sequence } }

    /// A queue with so many events, gathered and packed.
    private static func queue(_ count: Int, hasSpool: Bool = false) -> EventQueue {
        var queue = EventQueue(source: 5, hasSpool: hasSpool, bounds: bounds())
        for number in 0..<count { _ = queue.add(event(number)) }
        queue.wait(queue.take().map { EventQueue.Packed($0) })
        return queue
    }

    @Test func eventsAreGatheredAndSentInBatches() throws {
        var queue = EventQueue(source: 5, hasSpool: false, bounds: Self.bounds())
        #expect(queue.add(Self.event(0)) == .first)
        #expect(queue.add(Self.event(1)) == .further)
        #expect(queue.next(at: 0) == nil)
        for number in 2..<7 { _ = queue.add(Self.event(number)) }
        queue.wait(queue.take().map { EventQueue.Packed($0) })
        guard case .send(let wires, let number) = queue.next(at: 0) else { return #expect(Bool(false)) }
        #expect(try Self.sequences(wires) == [0, 3, 6] && queue.next(at: 1) == nil)
        #expect(queue.toSpool(at: 99).isEmpty)
        queue.replied(true, to: number)
        #expect(queue.isEmpty && queue.next(at: 2) == nil)
        // The next goes on behind the last.
        _ = queue.add(Self.event(7))
        #expect(queue.take()[0].sequence == 7)
    }

    @Test func whatIsNotAnsweredSoonIsWrittenToTheSpoolAndSentFromThere() throws {
        var queue = Self.queue(4)
        guard case .send(let wires, let number) = queue.next(at: 1000) else { return #expect(Bool(false)) }
        #expect(queue.toSpool(at: 1099).isEmpty && queue.toSpool(at: 1100) == wires)
        queue.spooled(2)
        #expect(queue.isEmpty)
        // The reply comes late: all the same, the spool is sent before anything new.
        queue.replied(true, to: number)
        _ = queue.add(Self.event(9))
        queue.wait(queue.take().map { EventQueue.Packed($0) })
        #expect(queue.next(at: 1200) == .replay)
        #expect(try Self.sequences(queue.toSpool(at: 1200)) == [4])
        queue.spooled(1)
        queue.replayed(true)
        queue.spoolIsEmpty()
        #expect(queue.next(at: 1300) == nil)
    }

    @Test func whatRedisRefusesIsSpooledAtOnceAndWaitsInMemoryWhereThatIsFull() throws {
        var queue = Self.queue(4)
        guard case .send(_, let number) = queue.next(at: 0) else { return #expect(Bool(false)) }
        queue.replied(false, to: number)
        #expect(try Self.sequences(queue.toSpool(at: 1)) == [0, 3])
        // The spool takes nothing.
        guard case .send(let again, let second) = queue.next(at: 2) else { return #expect(Bool(false)) }
        #expect(try Self.sequences(again) == [0, 3])
        queue.replied(true, to: second)
        #expect(queue.isEmpty && queue.toSpool(at: 3).isEmpty)
    }

    @Test func memoryIsBoundedAndWhatIsDroppedIsCounted() {
        var queue = EventQueue(source: 5, hasSpool: false, bounds: Self.bounds(10))
        for number in 0..<25 { _ = queue.add(Self.event(number)) }
        #expect(queue.count == 10 && queue.takeDropped() == 15 && queue.takeDropped() == 0)
        let batches = queue.take()
        #expect(queue.count == 10)
        _ = queue.add(Self.event(99))
        queue.wait(batches.map { EventQueue.Packed($0) })
        #expect(queue.count == 10 && queue.takeDropped() == 1)
    }

    /// Redis takes what comes, but less than comes.
    @Test func fromHalfOfTheMemoryOnEventsGoToTheSpoolThoughRedisTakesThem() throws {
        var queue = EventQueue(source: 5, hasSpool: false, bounds: Self.bounds(12))
        for number in 0..<6 { _ = queue.add(Self.event(number)) }
        queue.wait(queue.take().map { EventQueue.Packed($0) })
        guard case .send(_, let number) = queue.next(at: 0) else { return #expect(Bool(false)) }
        #expect(queue.toSpool(at: 1).isEmpty)
        for number in 6..<9 { _ = queue.add(Self.event(number)) }
        queue.wait(queue.take().map { EventQueue.Packed($0) })
        #expect(try Self.sequences(queue.toSpool(at: 2)) == [0, 3, 6])
        queue.spooled(3)
        // What is answered now is in the spool too, and counts once by its numbers.
        queue.replied(true, to: number)
        #expect(queue.isEmpty && queue.next(at: 3) == .replay && queue.takeDropped() == 0)
    }

    @Test func whatAnEarlierLifeLeftGoesFirst() {
        var queue = Self.queue(1, hasSpool: true)
        #expect(queue.next(at: 0) == .replay)
        queue.replayed(true)
        queue.spoolIsEmpty()
        guard case .send = queue.next(at: 0) else { return #expect(Bool(false)) }
    }

    /// Whatever Redis and the disk do, every event that was kept arrives, and the first time in order.
    @Test(arguments: 0..<40 as Range<UInt64>) func everyEventThatIsKeptArrivesInOrder(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var run = QueueRun(bounds: Self.bounds(60))
        for _ in 0..<2000 { run.step(using: &random) }
        run.recover()
        var arrived: [Int64] = []
        var counted: UInt64 = 0
        for wire in run.redis {
            let batch = try EventBatch(decoding: wire)
            for (offset, event) in batch.events.enumerated() where batch.sequence + UInt64(offset) >= counted {
                #expect(batch.sequence + UInt64(offset) == counted)
                counted += 1
                arrived.append(event.time)
            }
        }
        #expect(arrived == run.kept && run.kept.count + run.dropped == run.added)
    }
}

/// A queue with a Redis and a disk that fail at times.
private struct QueueRun {
    var queue: EventQueue
    var redis: [[UInt8]] = []
    var spool: [[UInt8]] = []
    var sent: (wires: [[UInt8]], number: Int)?
    var (added, dropped) = (0, 0)
    /// The times of the events that were kept, by which they are known.
    var kept: [Int64] = []
    var now: Int64 = 0

    init(bounds: EventQueue.Bounds) { queue = EventQueue(source: 1, hasSpool: false, bounds: bounds) }

    mutating func step(using random: inout SeededGenerator) {
        now += .random(in: 0...20, using: &random)
        switch Int.random(in: 0..<8, using: &random) {
        case 0...2:
            for _ in 0..<Int.random(in: 1...9, using: &random) { add() }
        case 3: pack()
        case 4: keep(isTaken: .random(using: &random))
        case 5: send(isTaken: .random(using: &random), isAnswered: .random(using: &random))
        case 6: answer(isTaken: .random(using: &random))
        default: send(isTaken: true, isAnswered: true)
        }
    }

    private mutating func add() {
        added += 1
        let before = queue.count
        _ = queue.add(TrackedEvent(.open, mailing: 2, batch: 1, index: 1, time: Int64(added)))
        if queue.count > before { kept.append(Int64(added)) }
        dropped += queue.takeDropped()
    }

    private mutating func pack() { queue.wait(queue.take().map { EventQueue.Packed($0) }) }

    private mutating func keep(isTaken: Bool) {
        let wires = queue.toSpool(at: now)
        guard isTaken else { return }
        spool += wires
        queue.spooled(wires.count)
    }

    /// One sending at a time, as the shell does it.
    private mutating func send(isTaken: Bool, isAnswered: Bool) {
        guard sent == nil, let job = queue.next(at: now) else { return }
        switch job {
        case .send(let wires, let number):
            sent = (wires, number)
            if isTaken { redis += wires }
            if isAnswered { answer(isTaken: isTaken) }
        case .replay:
            guard !spool.isEmpty else { return queue.spoolIsEmpty() }
            // Redis may have taken what it did not answer.
            if isTaken || isAnswered { redis += spool.prefix(4) }
            if isTaken { spool.removeFirst(min(4, spool.count)) }
            queue.replayed(isTaken)
        }
    }

    private mutating func answer(isTaken: Bool) {
        guard let sent else { return }
        // An answer that says so is true; one that is lost says nothing.
        let isThere = redis.suffix(sent.wires.count).elementsEqual(sent.wires)
        queue.replied(isTaken && isThere, to: sent.number)
        self.sent = nil
    }

    mutating func recover() {
        pack()
        answer(isTaken: false)
        for _ in 0..<1000 {
            keep(isTaken: true)
            send(isTaken: true, isAnswered: true)
        }
    }
}
