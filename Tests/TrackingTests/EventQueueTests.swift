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
        for number in 0..<count { _ = queue.add(event(number), at: 0) }
        queue.wait(queue.take().map { EventQueue.Packed($0) })
        return queue
    }

    @Test func eventsAreGatheredAndSentInBatches() throws {
        var queue = EventQueue(source: 5, hasSpool: false, bounds: Self.bounds())
        #expect(queue.add(Self.event(0), at: 0) == .first)
        #expect(queue.add(Self.event(1), at: 0) == .further)
        #expect(queue.next(at: 0) == nil)
        for number in 2..<7 { _ = queue.add(Self.event(number), at: 0) }
        queue.wait(queue.take().map { EventQueue.Packed($0) })
        guard case .send(let wires, let number) = queue.next(at: 0) else { return #expect(Bool(false)) }
        #expect(try Self.sequences(wires) == [0, 3, 6] && queue.next(at: 1) == nil)
        #expect(queue.toSpool(at: 99).batches.isEmpty)
        queue.replied(true, to: number)
        #expect(queue.isEmpty && queue.next(at: 2) == nil)
        // The next goes on behind the last.
        _ = queue.add(Self.event(7), at: 0)
        #expect(queue.take()[0].sequence == 7)
    }

    @Test func whatIsNotAnsweredSoonIsWrittenToTheSpoolAndSentFromThere() throws {
        var queue = Self.queue(4)
        guard case .send(let wires, let number) = queue.next(at: 1000) else { return #expect(Bool(false)) }
        #expect(queue.toSpool(at: 1099).batches.isEmpty && queue.toSpool(at: 1100).batches == wires)
        queue.spooled(upTo: 2)
        #expect(queue.isEmpty)
        // The reply comes late: all the same, the spool is sent before anything new.
        queue.replied(true, to: number)
        _ = queue.add(Self.event(9), at: 0)
        queue.wait(queue.take().map { EventQueue.Packed($0) })
        #expect(queue.next(at: 1200) == .replay)
        #expect(try Self.sequences(queue.toSpool(at: 1200).batches) == [4])
        queue.spooled(upTo: 3)
        queue.replayed(true)
        queue.spoolIsEmpty()
        #expect(queue.next(at: 1300) == nil)
    }

    @Test func whatRedisRefusesIsSpooledAtOnceAndWaitsInMemoryWhereThatIsFull() throws {
        var queue = Self.queue(4)
        guard case .send(_, let number) = queue.next(at: 0) else { return #expect(Bool(false)) }
        queue.replied(false, to: number)
        #expect(try Self.sequences(queue.toSpool(at: 1).batches) == [0, 3])
        // The spool takes nothing.
        guard case .send(let again, let second) = queue.next(at: 2) else { return #expect(Bool(false)) }
        #expect(try Self.sequences(again) == [0, 3])
        queue.replied(true, to: second)
        #expect(queue.isEmpty && queue.toSpool(at: 3).batches.isEmpty)
    }

    @Test func memoryIsBoundedAndWhatIsDroppedIsCounted() {
        // It does not run: there is nothing to wait for.
        var queue = EventQueue(source: 5, hasSpool: false, bounds: Self.bounds(10))
        for number in 0..<25 { _ = queue.add(Self.event(number), at: 0) }
        #expect(queue.count == 10 && queue.takeLosses().stuck == 15 && queue.takeLosses().count == 0)
        let batches = queue.take()
        #expect(queue.count == 10)
        #expect(queue.add(Self.event(99), at: 0) == .dropped)
        queue.wait(batches.map { EventQueue.Packed($0) })
        #expect(queue.count == 10 && queue.takeLosses().count == 1)
    }

    /// A queue that runs, whose memory is full with four batches.
    private static func full() -> EventQueue {
        var queue = EventQueue(source: 5, hasSpool: false, bounds: bounds(12))
        queue.begin()
        for number in 0..<12 { _ = queue.add(event(number), at: 0) }
        queue.wait(queue.take().map { EventQueue.Packed($0) })
        return queue
    }

    @Test func whereTheMemoryIsFullEventsWaitForRoomInTheirOrder() throws {
        var queue = Self.full()
        #expect(queue.add(Self.event(12), at: 5) == .full)
        let numbers = (12..<17).map { queue.wait(for: Self.event($0), at: 5) }
        #expect(queue.decide(at: 10).isEmpty && queue.count == 12)
        queue.spooled(upTo: queue.toSpool(at: 10).end - 3)
        // There is room for three of them; who comes now does not come before the others.
        #expect(queue.add(Self.event(99), at: 20) == .full)
        #expect(queue.decide(at: 20) == numbers.prefix(3).map { .init(number: $0, isKept: true) })
        queue.wait(queue.take().map { EventQueue.Packed($0) })
        queue.spooled(upTo: queue.toSpool(at: 30).end)
        #expect(queue.decide(at: 30) == numbers.suffix(2).map { .init(number: $0, isKept: true) })
        #expect(queue.add(Self.event(17), at: 31) == .further && queue.takeLosses().count == 0)
        #expect(queue.take().flatMap(\.events).map(\.time) == [15, 16, 17])
    }

    /// Something leaves the memory now and then, so that it is not stuck, but fewer than wait.
    @Test func nobodyWaitsForRoomLongerThanTheBound() {
        var queue = Self.full()
        _ = queue.add(Self.event(12), at: 0)
        for number in 12..<22 { _ = queue.wait(for: Self.event(number), at: 0) }
        queue.spooled(upTo: 1)
        #expect(queue.decide(at: 500).map(\.isKept) == [true, true, true])
        queue.spooled(upTo: 2)
        #expect(queue.decide(at: 900).map(\.isKept) == [true, true, true])
        #expect(queue.decide(at: 999).isEmpty)
        #expect(queue.decide(at: 1000).map(\.isKept) == [false, false, false, false])
        #expect(queue.takeLosses().slow == 4)
    }

    @Test func whileNothingLeavesAFullMemoryNobodyWaits() {
        var queue = Self.full()
        #expect(queue.add(Self.event(12), at: 500) == .full)
        for number in 12..<20 { _ = queue.wait(for: Self.event(number), at: 500 + Int64(number)) }
        #expect(queue.decide(at: 1499).isEmpty)
        // All are let go at once, also those that have just come, and whoever comes then.
        #expect(queue.decide(at: 1500).map(\.isKept) == Array(repeating: false, count: 8))
        #expect(queue.add(Self.event(20), at: 1501) == .dropped)
        let losses = queue.takeLosses()
        #expect(losses.stuck == 9 && losses.slow == 0)
        // Once something has left, there is room, and waiting helps again.
        queue.spooled(upTo: 1)
        #expect((20..<23).map { queue.add(Self.event($0), at: 9000) } == Array(repeating: .further, count: 3))
        #expect(queue.add(Self.event(23), at: 9000) == .full)
    }

    @Test func atTheEndNobodyWaits() {
        var queue = Self.full()
        _ = queue.add(Self.event(12), at: 0)
        let number = queue.wait(for: Self.event(12), at: 0)
        queue.end()
        #expect(queue.decide(at: 1) == [.init(number: number, isKept: false)] && !queue.isEmpty)
    }

    /// Redis answers while the disk still writes the same: nothing that came meanwhile is taken for written.
    @Test func whatRedisTookWhileTheDiskWroteIsNotRemovedTwice() throws {
        var queue = Self.queue(6)
        guard case .send(_, let number) = queue.next(at: 0) else { return #expect(Bool(false)) }
        let (batches, end) = queue.toSpool(at: 200)
        #expect(batches.count == 2)
        queue.replied(true, to: number)
        for number in 6..<9 { _ = queue.add(Self.event(number), at: 201) }
        queue.wait(queue.take().map { EventQueue.Packed($0) })
        queue.spooled(upTo: end)
        #expect(try Self.sequences(queue.toSpool(at: 202).batches) == [6] && queue.count == 3)
    }

    /// Redis takes what comes, but less than comes.
    @Test func fromHalfOfTheMemoryOnEventsGoToTheSpoolThoughRedisTakesThem() throws {
        var queue = EventQueue(source: 5, hasSpool: false, bounds: Self.bounds(12))
        for number in 0..<6 { _ = queue.add(Self.event(number), at: 0) }
        queue.wait(queue.take().map { EventQueue.Packed($0) })
        guard case .send(_, let number) = queue.next(at: 0) else { return #expect(Bool(false)) }
        #expect(queue.toSpool(at: 1).batches.isEmpty)
        for number in 6..<9 { _ = queue.add(Self.event(number), at: 0) }
        queue.wait(queue.take().map { EventQueue.Packed($0) })
        #expect(try Self.sequences(queue.toSpool(at: 2).batches) == [0, 3, 6])
        queue.spooled(upTo: 3)
        // What is answered now is in the spool too, and counts once by its numbers.
        queue.replied(true, to: number)
        #expect(queue.isEmpty && queue.next(at: 3) == .replay && queue.takeLosses().count == 0)
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
        #expect(arrived == run.kept && run.kept.count + run.dropped == run.added && run.late.isEmpty)
    }
}

/// A queue with a Redis and a disk that fail at times.
private struct QueueRun {
    var queue: EventQueue
    var redis: [[UInt8]] = []
    var spool: [[UInt8]] = []
    var sent: (wires: [[UInt8]], number: Int)?
    var (added, dropped) = (0, 0)
    /// The times of the events that wait for room, by their numbers.
    var late: [Int: Int64] = [:]
    /// What the disk writes now.
    var writing: (batches: [[UInt8]], end: Int)?
    /// The times of the events that were kept, by which they are known.
    var kept: [Int64] = []
    var now: Int64 = 0

    init(bounds: EventQueue.Bounds) {
        queue = EventQueue(source: 1, hasSpool: false, bounds: bounds)
        queue.begin()
    }

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
        let event = TrackedEvent(.open, mailing: 2, batch: 1, index: 1, time: Int64(added))
        switch queue.add(event, at: now) {
        case .first, .further: kept.append(event.time)
        case .full: late[queue.wait(for: event, at: now)] = event.time
        case .dropped: break
        }
        settle()
    }

    private mutating func settle() {
        for decision in queue.decide(at: now) {
            let time = late.removeValue(forKey: decision.number)
            if decision.isKept, let time { kept.append(time) }
        }
        dropped += queue.takeLosses().count
    }

    private mutating func pack() {
        queue.wait(queue.take().map { EventQueue.Packed($0) })
        settle()
    }

    /// The disk takes its time: Redis may answer meanwhile, and more may come.
    private mutating func keep(isTaken: Bool) {
        guard let (wires, end) = writing else { return writing = queue.toSpool(at: now) }
        writing = nil
        guard isTaken else { return }
        spool += wires
        queue.spooled(upTo: end)
        settle()
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
            pack()
            keep(isTaken: true)
            send(isTaken: true, isAnswered: true)
        }
    }
}
