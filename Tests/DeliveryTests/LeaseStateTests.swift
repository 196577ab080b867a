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
        #expect(claims.own(lease(1)) == lease(1).dispatch && claims.own(lease(1, isNew: false)) == nil && claims.unreported == nil)
        claims.add([lease(1).dispatch])
        #expect(claims.unreported == [lease(1).dispatch])
        claims.didReport([lease(1).dispatch])
        #expect(claims.unreported == nil)
        // What was told is lost with the next Redis.
        claims.add([])
        #expect(claims.unreported == [lease(1).dispatch])
        // After its lease has expired another may have them, also what it tells of them later.
        claims.disown([lease(2).dispatch])
        claims.forget { [lease(2).dispatch] }
        #expect(claims.unreported == nil && claims.own(lease(2)) == nil)
        claims.forget { [lease(3).dispatch] }
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
