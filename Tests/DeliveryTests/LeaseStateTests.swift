import Model
import Policy
import Testing

@testable import Broker
@testable import Delivery

/// A worker's lease, and the results that a loss of Redis may have taken.
@Suite struct LeaseStateTests {
    private static let start = ContinuousClock.now
    private static let epoch = Epoch(text: "run:l:1")

    private func renewal(isKept: Bool = true, epoch: Epoch? = epoch, isAdmitted: Bool = true) -> WorkerRegistry.Renewal {
        WorkerRegistry.Renewal(isKept: isKept, epoch: epoch, isAdmitted: isAdmitted)
    }

    private func held(at now: ContinuousClock.Instant = start) -> LeaseState {
        var lease = LeaseState(length: .seconds(10))
        #expect(!lease.isHeld(at: now) && !lease.isKnown)
        #expect(lease.didRenew(renewal(), asked: now, at: now, hasUnread: false).isEmpty)
        return lease
    }

    @Test func itIsHeldForLessThanRedisHoldsItAndFromTheQuestionOn() {
        var lease = held()
        #expect(lease.isHeld(at: Self.start + .milliseconds(8_999)) && !lease.isHeld(at: Self.start + .seconds(9)))
        // A slow reply does not make it longer.
        #expect(lease.didRenew(renewal(), asked: Self.start + .seconds(2), at: Self.start + .seconds(8), hasUnread: false).isEmpty)
        #expect(lease.isHeld(at: Self.start + .milliseconds(10_999)) && !lease.isHeld(at: Self.start + .seconds(11)))
        #expect(lease.willRenew(at: Self.start + .seconds(10)) == nil)
        #expect(lease.willRenew(at: Self.start + .seconds(11)) == .endBatches)
        #expect(lease.willRenew(at: Self.start + .seconds(12)) == nil)
    }

    /// Another may have taken over between the two, and the renewal was carried out all the same.
    @Test func aLeaseThatExpiresWhileItsRenewalIsUnderWayEndsTheBatches() {
        var lease = held()
        #expect(lease.willRenew(at: Self.start + .seconds(8)) == nil)
        let actions = lease.didRenew(renewal(), asked: Self.start + .seconds(8), at: Self.start + .seconds(14), hasUnread: false)
        #expect(actions == [.endBatches])
        #expect(lease.isHeld(at: Self.start + .seconds(14)))
    }

    @Test func batchesAreTakenOnlyByWhoIsAdmitted() {
        var lease = held()
        #expect(lease.mayTake(at: Self.start))
        _ = lease.didRenew(renewal(isAdmitted: false), asked: Self.start, at: Self.start, hasUnread: false)
        #expect(lease.isHeld(at: Self.start) && !lease.mayTake(at: Self.start))
    }

    @Test func afterAnOutageNobodyIsTakenOverUntilAllCanBeBack() {
        var lease = held()
        #expect(lease.mayTakeOver(at: Self.start))
        let back = Self.start + .seconds(60)
        _ = lease.didRenew(renewal(), asked: back, at: back, hasUnread: false)
        #expect(!lease.mayTakeOver(at: back + Timing.longestReturn - .milliseconds(1)))
        #expect(lease.mayTakeOver(at: back + Timing.longestReturn))
    }

    @Test func aLossIsNoticedOnceAndTheWorkerIsCleanWhenNothingOfBeforeIsLeft() {
        var lease = held()
        #expect(lease.condition([Self.epoch]) == .clean)
        let actions = lease.didRenew(renewal(isKept: false, epoch: nil), asked: Self.start, at: Self.start, hasUnread: false)
        #expect(actions == [.endBatches, .offerResults] && lease.losses == 1 && lease.isOffering)
        #expect(lease.condition([Self.epoch]) == .busy && lease.condition([]) == .busy)
        lease.didOffer()
        #expect(lease.condition([Self.epoch]) == .busy && lease.condition([]) == .clean)
        #expect(lease.didRenew(renewal(epoch: nil), asked: Self.start, at: Self.start, hasUnread: false).isEmpty)
        #expect(lease.losses == 1)
    }

    @Test func whoCannotTellWhichMessagesWereInFlightIsInDoubtUntilTheNextEpoch() {
        var lease = held()
        _ = lease.didRenew(renewal(isKept: false, epoch: nil), asked: Self.start, at: Self.start, hasUnread: true)
        lease.didOffer()
        _ = lease.didRenew(renewal(epoch: nil), asked: Self.start, at: Self.start, hasUnread: false)
        #expect(lease.condition([]) == .doubt)
        _ = lease.didRenew(renewal(epoch: Epoch(text: "run:l:2")), asked: Self.start, at: Self.start, hasUnread: false)
        #expect(lease.condition([]) == .clean)
    }

    @Test func resultsAreForgottenWhenAllThatIsOlderIsCollected() throws {
        var results = UnconfirmedResults()
        func receipt(_ partition: Int, _ id: String) throws -> Receipt {
            Receipt(partition: partition, id: try #require(StreamID(id)), fields: [])
        }
        for (partition, id) in [(0, "5-0"), (1, "5-0"), (0, "7-1")] { results.add(try receipt(partition, id)) }
        results.add(try receipt(0, "6-0"))
        results.confirm(oldest: [StreamID("7-0"), StreamID("5-0")], known: 3)
        // The last was not there yet when that was asked.
        #expect(results.receipts.map { "\($0.partition) \($0.id.milliseconds)" } == ["1 5", "0 7", "0 6"])
        results.confirm(oldest: [nil, nil], known: 3)
        #expect(results.count == 0)
    }

    /// What a worker tells of the batches that a loss of Redis took.
    @Test func aWorkerClaimsWhatItAloneHasHad() throws {
        var generator = SeededGenerator(seed: 1)
        let id = BatchID(mailing: MailingID(milliseconds: 1, using: &generator), number: 0)
        func lease(_ number: Int, isNew: Bool = true) -> BatchLease {
            BatchLease(
                batch: DispatchedBatch(
                    id: id, dispatchNumber: number, recipients: [], count: 1, open: nil, expires: 1, dispatched: 1),
                lane: Lane(channel: .email, provider: "p"), entry: "\(number)-0", holder: .init(worker: "a", deliveries: 1),
                isNew: isNew, epoch: Epoch(text: "e"))
        }
        var claims = BatchClaims()
        #expect(claims.own(lease(1)) == lease(1).dispatch && claims.own(lease(1, isNew: false)) == nil && claims.untold == nil)
        claims.add([lease(1).dispatch])
        #expect(claims.untold == [lease(1).dispatch])
        claims.didTell([lease(1).dispatch])
        #expect(claims.untold == nil)
        // What was told is lost with the next Redis.
        claims.add([])
        #expect(claims.untold == [lease(1).dispatch])
        // After its lease has expired another may have them, also what it tells of them later.
        claims.disown([lease(2).dispatch])
        claims.forget(inHand: [lease(2).dispatch])
        #expect(claims.untold == nil && claims.own(lease(2)) == nil)
        claims.forget(inHand: [lease(3).dispatch])
        #expect(claims.own(lease(2)) != nil)

        var results = UnconfirmedResults()
        for number in 1...3 {
            let receipt = Receipt(partition: 0, id: try #require(StreamID("\(number)-0")), fields: [])
            results.add(receipt, of: number == 2 ? nil : lease(number).dispatch)
        }
        results.confirm(oldest: [StreamID("2-0")], known: 2)
        #expect(results.own == [lease(3).dispatch] && results.count == 2)
        results.disown()
        #expect(results.own.isEmpty && results.count == 2)
    }

    @Test func afterEachLossAllAreOfferedAgainAHundredAtATime() throws {
        var results = UnconfirmedResults()
        for number in 1...250 { results.add(Receipt(partition: 0, id: try #require(StreamID("\(number)-0")), fields: [])) }
        for loss in 1...2 {
            results.restart()
            var sizes: [Int] = []
            while !results.next.isEmpty {
                sizes.append(results.next.count)
                results.didOffer(
                    try results.next.map {
                        Receipt(partition: 0, id: try #require(StreamID("\($0.id.milliseconds + 1_000)-0")), fields: [])
                    })
            }
            #expect(sizes == [100, 100, 50] && results.receipts.first?.id.milliseconds == UInt64(1 + 1_000 * loss))
        }
    }

    @Test func whateverHappensItIsNeverHeldTooLongAndEachLossIsNoticedOnce() {
        for seed in 0..<2_500 as Range<UInt64> {
            var run = LeaseRun(seed: seed)
            for _ in 0..<150 where run.problem == nil { run.step() }
            run.finish()
            if let problem = run.problem { Issue.record("seed \(seed): \(problem)") }
        }
    }
}

/// A worker, a Redis that is lost now and then, and replies that are lost or late. A tick is 100 ms.
private struct LeaseRun {
    private struct Batch {
        var epoch: Epoch
        /// Results that are in Redis, and whose receipts are not kept yet.
        var underWay: [Int] = []
        var isEnded = false
        /// The lease was not held at some time while it was here.
        var mustEnd = false
    }

    private enum Renewal {
        case none
        case asked(at: Int, condition: WorkerRegistry.Condition, losses: Int, isKnown: Bool, oldest: StreamID?, receipts: Int)
        /// - Parameter lost: losses since the last reply, when Redis carried it out.
        case answered(WorkerRegistry.Renewal, at: Int, oldest: StreamID?, receipts: Int, lost: Int)
    }

    private static let origin = ContinuousClock.now
    private static let length = 100
    private var random: SeededGenerator
    private var redis = ModelRedis()
    private var lease = LeaseState(length: .seconds(10))
    private var results = UnconfirmedResults()
    private var batches: [Batch] = []
    private var renewal = Renewal.none
    private var now = 0
    private var reported: Set<Int> = []
    private var collected: Set<Int> = []
    private var tags: [Int: Int] = [:]
    private var epochs = 0
    /// Losses since the last reply.
    private var lost = 0
    private var noticed = 0
    var problem: String?

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        begin()
    }

    private var instant: ContinuousClock.Instant { Self.origin + .milliseconds(100 * now) }

    private mutating func begin() {
        epochs += 1
        redis.establish(Epoch(text: "\(redis.run):l:\(epochs)"))
    }

    private func chance(_ share: Int, using random: inout SeededGenerator) -> Bool { Int.random(in: 0..<100, using: &random) < share }

    mutating func step() {
        now += chance(3, using: &random) ? Int.random(in: 0...150, using: &random) : Int.random(in: 0...8, using: &random)
        check()
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<8: advance()
        case 8: lose()
        case 9: if !redis.isCurrent { begin() } else { redis.admitted.insert(0) }
        case 10, 11: if lease.mayTake(at: instant), let epoch = redis.epoch, redis.isCurrent { batches.append(Batch(epoch: epoch)) }
        case 12..<15: report()
        case 15, 16: keep()
        case 17: if let place = batches.indices.randomElement(using: &random), batches[place].underWay.isEmpty { batches.remove(at: place) }
        default: collect()
        }
        check()
    }

    private mutating func check() {
        let isHeld = lease.isHeld(at: instant)
        if !isHeld { for place in batches.indices { batches[place].mustEnd = true } }
        if isHeld, batches.contains(where: { $0.mustEnd && !$0.isEnded }) { problem = "batches go on after another may have had them" }
        if isHeld, lost == 0, (redis.workers[0]?.expiry ?? 0) <= now { problem = "held when Redis holds it no more" }
    }

    private mutating func lose() {
        lost += 1
        if Bool.random(using: &random) { redis.empty() } else { redis.restart() }
    }

    private mutating func end() {
        for place in batches.indices { batches[place].isEnded = true }
    }

    /// One step of a renewal, as `LeaseRenewal` takes them.
    private mutating func advance() {
        switch renewal {
        case .none:
            if lease.willRenew(at: instant) != nil { end() }
            renewal = .asked(
                at: now, condition: lease.condition(batches.map(\.epoch)), losses: lease.losses, isKnown: lease.isKnown,
                oldest: redis.status.first.map { Self.id($0.id) }, receipts: results.count)
        case .asked(let at, let condition, let losses, let isKnown, let oldest, let receipts):
            renewal = .none
            // The command was lost.
            if chance(10, using: &random) { return }
            let reply = redis.renew(0, lease: Self.length, condition, losses: losses, isKnown: isKnown, at: now)
            if reply.isKept != (lost == 0 || !isKnown) { problem = "\(lost) losses, and the lease is kept: \(reply.isKept)" }
            checkClean()
            // The reply was lost.
            if chance(15, using: &random) { return }
            renewal = .answered(reply, at: at, oldest: oldest, receipts: receipts, lost: lost)
            // Most come at once.
            if chance(80, using: &random) { advance() }
        case .answered(let reply, let at, let oldest, let receipts, let before):
            renewal = .none
            take(reply, asked: at, oldest, receipts)
            lost -= before
        }
    }

    private mutating func take(_ reply: WorkerRegistry.Renewal, asked: Int, _ oldest: StreamID?, _ receipts: Int) {
        let mustNotice = lease.isKnown && !reply.isKept
        let actions = lease.didRenew(reply, asked: Self.origin + .milliseconds(100 * asked), at: instant, hasUnread: false)
        if actions.contains(.endBatches) { end() }
        if actions.contains(.offerResults) != mustNotice { problem = "a loss is noticed: \(!mustNotice)" }
        if mustNotice {
            noticed += 1
            results.restart()
        } else if receipts > 0, !lease.isOffering {
            results.confirm(oldest: [oldest], known: receipts)
        }
        if lease.losses != noticed { problem = "\(noticed) losses count as \(lease.losses)" }
        offer()
    }

    private mutating func offer() {
        guard lease.isOffering else { return }
        let isLast = batches.allSatisfy { $0.epoch == lease.epoch }
        while !results.next.isEmpty {
            let offered = results.next.map { receipt -> Receipt in
                let tag = tags[Int(receipt.id.milliseconds)] ?? -1
                return self.receipt(tag)
            }
            // It failed under way.
            if chance(10, using: &random) { return }
            results.didOffer(offered)
        }
        if isLast { lease.didOffer() }
    }

    private static func id(_ number: Int) -> StreamID { StreamID(milliseconds: UInt64(number), counter: 0) }

    private mutating func receipt(_ tag: Int) -> Receipt {
        let id = redis.add(ModelRedis.Report(dispatchNumber: 1, sent: [tag]))
        tags[id] = tag
        return Receipt(partition: 0, id: Self.id(id), fields: [])
    }

    private mutating func report() {
        guard let place = batches.indices.randomElement(using: &random) else { return }
        let tag = reported.count
        reported.insert(tag)
        batches[place].underWay.append(Int(receipt(tag).id.milliseconds))
    }

    private mutating func keep() {
        guard let place = batches.indices.first(where: { !batches[$0].underWay.isEmpty }) else { return }
        let id = batches[place].underWay.removeFirst()
        results.add(Receipt(partition: 0, id: Self.id(id), fields: []))
    }

    private mutating func collect() {
        for _ in 0..<Int.random(in: 0...3, using: &random) where !redis.status.isEmpty {
            collected.formUnion(redis.status.removeFirst().report.sent)
        }
    }

    private func checkSafe() -> String? {
        let there = collected.union(redis.status.flatMap(\.report.sent))
        return reported.isSubset(of: there) ? nil : "\(reported.subtracting(there)) are nowhere"
    }

    /// What Redis is told, when it is told that the worker is clean.
    private mutating func checkClean() {
        guard redis.workers[0]?.condition == .clean, let missing = checkSafe() else { return }
        problem = "clean, and results \(missing)"
    }

    /// Nothing more is lost, and all that is under way ends.
    mutating func finish() {
        guard problem == nil else { return }
        if !redis.isCurrent { begin() }
        while batches.contains(where: { !$0.underWay.isEmpty }) { keep() }
        batches = []
        for _ in 0..<400 where redis.workers[0]?.condition != .clean || lease.isOffering || lost > 0 {
            now += 1
            advance()
        }
        if redis.workers[0]?.condition != .clean { problem = "never clean again" }
        checkClean()
    }
}
