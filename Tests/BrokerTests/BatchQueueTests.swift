import Model
import Signing
import TestServers
import Testing

@testable import Broker

/// The way of batches through lanes.
@Suite(.timeLimit(.minutes(5)))
struct BatchQueueTests {
    let fleet: TestFleet
    let epoch: Epoch
    var queue: BatchQueue { fleet.queue }

    init() async throws {
        fleet = try await TestFleet()
        epoch = try await fleet.begin()
    }

    @Test func aBatchComesOutAsItWentInAndOnlyOnce() async throws {
        var recipients = Recipients(width: 2)
        recipients.append(row: ["1", "a@example.com"])
        recipients.append(row: ["2", "ü \"x\"\\@example.com"])
        func batch(_ number: Int, _ open: [OpenRecipient]?) -> DispatchedBatch {
            var batch = fleet.batch(number, count: 2, open: open)
            batch.recipients = recipients.encoded()
            batch.channel = number == 0 ? .email : nil
            return batch
        }
        let open = [OpenRecipient(index: 1, attempts: 2)]
        #expect(try await fleet.dispatch([batch(0, nil), batch(1, open)], epoch: epoch) == 2)
        #expect(try await fleet.dispatch([batch(0, nil)], epoch: epoch) == 0)
        #expect(try await fleet.entries() == 2)
        let first = try #require(try await fleet.take().first)
        let second = try #require(try await fleet.take("w2").first)
        #expect(try await fleet.take().isEmpty)
        #expect(first.batch.id.number == 0 && first.batch.open == nil && first.lane == fleet.lane && first.isNew && first.epoch == epoch)
        #expect(first.batch.channel == .email && second.batch.channel == nil)
        let mailing = Mailing(name: "m", channel: .sms, provider: "p")
        #expect(try second.batch.recipients(of: mailing).count == 2)
        #expect(throws: WireError.self) { try first.batch.recipients(of: mailing) }
        #expect(second.batch.open == open && second.batch.expires == 5 && second.batch.dispatched == 7)
        #expect(try Recipients(decoding: second.batch.recipients, width: 2)[1, 1] == "ü \"x\"\\@example.com")
        #expect(try await queue.counts([fleet.lane])[0] == (2, 2))
        #expect(try await queue.dispatched([fleet.id], epoch: epoch) == [fleet.id: [0: 1, 1: 1]])
        #expect(try await queue.dispatchedCounts([fleet.id]) == [2])
    }

    @Test func aLaneAppearsWithItsFirstBatchAndGoesWithItsLast() async throws {
        let lane = fleet.lane
        let key = fleet.broker.keys.lane(lane)
        #expect(try await queue.lanes().isEmpty)
        #expect(try await !fleet.exists(key))
        #expect(try await queue.counts([lane])[0] == (0, 0))
        let lease = try await fleet.taken(epoch)
        #expect(try await queue.lanes() == [lane])
        let groups = try await fleet.broker.redis.send(["XINFO", "GROUPS", .text(key)])
        #expect(groups.array?.count == 1)
        _ = try await queue.report(fleet.group(lease, 0, .done, fleet.sent(0..<10)), of: lease)
        #expect(try await !fleet.exists(key))
        #expect(try await queue.lanes().isEmpty)
        // With the next batch it is there again.
        try await fleet.dispatch([fleet.batch(1)], epoch: epoch)
        #expect(try await queue.lanes() == [lane])
        #expect(try await fleet.take().count == 1)
    }

    @Test func aLaneWithABatchLeftStays() async throws {
        try await fleet.dispatch([fleet.batch(1)], epoch: epoch)
        let lease = try await fleet.taken(epoch)
        _ = try await queue.report(fleet.group(lease, 0, .done, fleet.sent(0..<10)), of: lease)
        #expect(try await queue.lanes() == [fleet.lane])
        #expect(try await fleet.entries() == 1)
    }

    @Test func aTakeGivesEachLaneItsCountAndTellsWhatWaits() async throws {
        let lanes = ["a", "b", "c"].map { Lane(channel: .email, provider: $0) }
        for (place, lane) in lanes.enumerated() {
            try await fleet.dispatch((0..<5).map { fleet.batch(10 * place + $0) }, to: lane, epoch: epoch)
        }
        let unknown = Lane(channel: .sms, provider: "a")
        let taken = try await queue.take(
            [
                .init(lane: lanes[0], count: 2), .init(lane: lanes[1], count: 1), .init(lane: lanes[2], count: 9),
                .init(lane: unknown, count: 3),
            ], worker: "a")
        #expect(taken.map(\.lane) == lanes + [unknown])
        #expect(taken.map(\.leases.count) == [2, 1, 5, 0])
        #expect(taken.map(\.waiting) == [3, 4, 0, 0])
        #expect(taken[1].leases.map(\.batch.id.number) == [10])
        // Another gets what is left.
        let rest = try await queue.take([.init(lane: lanes[0], count: 9)], worker: "b")
        #expect(rest[0].leases.map(\.batch.id.number) == [2, 3, 4] && rest[0].waiting == 0)
        #expect(try await queue.counts(lanes).map(\.pending) == [5, 1, 5])
    }

    @Test func aGroupStartsOnlyWhileTheMailingSendsAndTheDispatchHolds() async throws {
        try await fleet.dispatch([fleet.batch()], epoch: epoch)
        let lease = try #require(try await fleet.take().first)
        let whole = fleet.open(0..<10)
        // As long as nobody has said what the mailing does.
        #expect(try await queue.start(lease, whole) == .halted(.paused))
        try await fleet.publish()
        #expect(try await queue.start(lease, whole) == .go)
        try await fleet.publish(.paused, speed: "5/s")
        #expect(try await queue.start(lease, whole) == .halted(.paused))
        #expect(try await fleet.published.controls(fleet.id) == .init(state: .paused, speed: "5/s"))
        try await fleet.publish()
        try await fleet.dispatch([fleet.batch(dispatchNumber: 2)], epoch: epoch)
        #expect(try await queue.start(lease, whole) == .lost)
        guard case .known(let known) = try await fleet.published.definition(fleet.id) else { throw RedisError.closed }
        #expect(known.mailing == Mailing(name: "m", channel: .email, provider: "p"))
    }

    @Test func aGroupStartsOnlyOnceItsWorkerKnowsWhoIsSuppressed() async throws {
        try await fleet.dispatch([fleet.batch()], epoch: epoch)
        try await fleet.publish()
        let lease = try #require(try await fleet.take().first)
        let list = RecentSuppressions(fleet.broker)
        #expect(try await list.read(after: "").entries.isEmpty)
        #expect(try await queue.start(lease, fleet.open(0..<1)) == .go)
        let keys = (0..<2_500).map { Suppression.Key(.email, "a\($0)@example.com", category: $0 % 2 == 0 ? "" : "news") }
        try await list.tell(keys.map { Suppression($0, reason: .unsubscribe, at: 1) }, of: "ours")
        #expect(try await queue.start(lease, fleet.open(1..<2)) == .suppressed)
        let (entries, position) = try await list.read(after: "")
        let hasher = try AddressHasher(ledger: "ours")
        let hashed = keys.map { Suppression.Key($0.channel, hasher.text(of: $0.address), category: $0.category) }
        #expect(entries.map(\.key) == hashed && entries.allSatisfy { $0.reason == "unsubscribe" && $0.ledger == "ours" })
        #expect(try await queue.start(lease, fleet.open(1..<2), position: position) == .go)
        try await list.tell([Suppression(keys[0], reason: .manual, at: 1)], of: "ours")
        #expect(try await queue.start(lease, fleet.open(2..<3), position: position) == .suppressed)
        try await list.tell([], lifted: [keys[1]], of: "ours")
        let later = try await list.read(after: position).entries
        #expect(later.map(\.reason) == ["manual", ""] && later.map(\.isLifted) == [false, true])
        #expect(later.map(\.key) == Array(hashed[..<2]))
        // Nobody was marked by a refusal.
        #expect(try await queue.marks(lease)?.bytes.filter { $0 == UInt8(ascii: "b") }.count == 2)
        #expect(try await queue.start(lease, fleet.open(2..<3), position: nil) == .go)
        let time = try await fleet.broker.redis.send(["TTL", .text(fleet.broker.keys.suppressed)]).int ?? 0
        #expect((1...8 * 86_400).contains(time))
    }

    /// An entry with the highest id, of a wrong clock or another program: Redis adds none behind it.
    @Test func aStreamOfSuppressionsThatTakesNoEntryBeginsAnew() async throws {
        let list = RecentSuppressions(fleet.broker)
        let keys = (0..<3).map { Suppression.Key(.email, "a\($0)@example.com") }
        try await list.tell([Suppression(keys[0], reason: .manual, at: 1)], of: "ours")
        let last = "18446744073709551615-18446744073709551615"
        _ = try await fleet.broker.redis.send([
            "XADD", .text(fleet.broker.keys.suppressed), .text(last), "c", "email", "a", "x", "g", "", "r", "manual",
        ])
        let position = try await list.read(after: "").position
        #expect(position == last)
        try await list.tell([Suppression(keys[1], reason: .manual, at: 1)], lifted: [keys[2]], of: "ours")
        let (entries, end) = try await list.read(after: "")
        let hasher = try AddressHasher(ledger: "ours")
        #expect(entries.map(\.key.address) == [hasher.text(of: keys[0].address), "x"] + keys[1...].map { hasher.text(of: $0.address) })
        #expect(end != last && entries.last?.isLifted == true)
    }

    @Test func aDispatchThatWasWithdrawnNeverArrivesAndALaterOneDoes() async throws {
        let batch = fleet.batch(dispatchNumber: 3)
        let dispatch = Dispatch(batch: batch.id, dispatchNumber: 3)
        #expect(try await queue.withdraw(dispatch, epoch: epoch, fencingToken: fleet.token))
        #expect(try await fleet.dispatch([batch], epoch: epoch) == 0)
        #expect(try await fleet.dispatch([fleet.batch(dispatchNumber: 2)], epoch: epoch) == 0)
        #expect(try await fleet.entries() == 0)
        // Nothing is known of it: a look at what was dispatched must not take it for one that arrived.
        #expect(try await queue.dispatched([fleet.id], epoch: epoch) == [fleet.id: [:]])
        #expect(try await fleet.dispatch([fleet.batch(dispatchNumber: 4)], epoch: epoch) == 1)
        // One that has arrived is not withdrawn.
        #expect(try await !queue.withdraw(Dispatch(batch: batch.id, dispatchNumber: 4), epoch: epoch, fencingToken: fleet.token))
        await #expect(throws: RedisError.epochEnded) {
            _ = try await queue.withdraw(dispatch, epoch: epoch, fencingToken: FencingToken(ledger: "ledger", number: 2))
        }
        await #expect(throws: RedisError.epochEnded) {
            _ = try await queue.withdraw(dispatch, epoch: Epoch(text: "x:ledger:y"), fencingToken: fleet.token)
        }
    }

    @Test func aLostReplyBringsTheBatchAgain() async throws {
        let lease = try await fleet.taken(epoch)
        #expect(try await queue.reclaim(worker: "a", known: [fleet.lane: [lease.entry]]).isEmpty)
        let again = try #require(try await queue.reclaim(worker: "a", known: [:]).first)
        #expect(again.entry == lease.entry && again.holder.deliveries == 1 && !again.isNew && again.from == nil && again.lane == fleet.lane)
        #expect(try await queue.start(again, fleet.open(0..<1)) == .go)
        #expect(try await queue.reclaim(worker: "b", known: [:]).isEmpty)
    }

    @Test func everyEntryCarriesItsVersion() async throws {
        let lease = try await fleet.taken(epoch)
        _ = try await queue.report(fleet.group(lease, 0, .open, fleet.sent(0..<2)), of: lease)
        try await fleet.status.send(
            EventGroup(mailing: fleet.id, events: [RecipientEvent(batch: 1, index: 0, kind: .opened, at: 9, detail: "")]))
        try await fleet.status.send(MailingHalt(.refusal, "no"), of: fleet.id)
        try await fleet.renew("a", isKnown: false)
        let keys = fleet.broker.keys
        let streams = [keys.lane(fleet.lane), keys.wake, keys.demand] + (0..<3).map(keys.status)
        var entries = 0
        for stream in streams {
            let reply = try await fleet.broker.redis.send(["XRANGE", .text(stream), "-", "+"])
            for entry in try StreamEntry.list(.array([.array([.string(Array(stream.utf8)), reply])])) {
                #expect(entry.text("v") == "\(WireVersion.current)", "\(stream) \(entry.id)")
                entries += 1
            }
        }
        #expect(entries >= 8)
    }

    /// Adds a copy of the lane's first batch, of the next wire version.
    private func addNewer() async throws {
        let key = fleet.broker.keys.lane(fleet.lane)
        let first = try await fleet.broker.redis.send(["XRANGE", .text(key), "-", "+", "COUNT", "1"])
        let fields = try #require(first.array?.first?.array?[1].array).map { RedisArgument.bytes($0.bytes ?? []) }
        let newer: [RedisArgument] = ["v", RedisArgument(WireVersion.current + 1)] + fields.dropFirst(2)
        _ = try await fleet.broker.redis.send(["XADD", .text(key), "*"] + newer)
    }

    /// The entries that a worker of a newer release takes.
    private func takeAsNewer(_ worker: String) async throws -> Int {
        let key = fleet.broker.keys.lane(fleet.lane)
        let reply = try await fleet.broker.redis.send(
            ["XREADGROUP", "GROUP", .text(Keys.workers), .text(worker), "STREAMS", .text(key), ">"])
        return try StreamEntry.list(reply).count
    }

    @Test func aBatchOfANewerVersionIsLeftForANewerWorker() async throws {
        try await fleet.dispatch([fleet.batch(0)], epoch: epoch)
        try await addNewer()
        try await fleet.dispatch([fleet.batch(1)], epoch: epoch)
        // Work continues around it.
        var taken = try await queue.take([.init(lane: fleet.lane, count: 2)], worker: "a")
        #expect(taken[0].leases.map(\.batch.id.number) == [0] && taken[0].hasNewer)
        taken = try await queue.take([.init(lane: fleet.lane, count: 9)], worker: "a")
        #expect(taken[0].leases.map(\.batch.id.number) == [1] && taken[0].hasNewer)
        // Nothing is left for this release, which is not looked for anew each time.
        for _ in 0..<2 {
            taken = try await queue.take([.init(lane: fleet.lane, count: 9)], worker: "a")
            #expect(taken[0].leases.isEmpty && taken[0].waiting == 0 && taken[0].hasNewer)
        }
        let wait = try await fleet.broker.redis.send(["TTL", .text(fleet.broker.keys.newer(fleet.lane))])
        #expect((1...60).contains(wait.int ?? 0))
        #expect(try await queue.reclaim(worker: "a", known: [:]).count == 2)
        #expect(try await fleet.groups().isEmpty)
        #expect(try await fleet.broker.redis.send(["XLEN", .text(fleet.broker.keys.deadLetters)]).count == 0)
        #expect(try await takeAsNewer("n") == 1)
    }

    @Test func aBatchOfANewerWorkerThatEndedIsLeftForAnother() async throws {
        try await fleet.dispatch([fleet.batch(0)], epoch: epoch)
        try await addNewer()
        #expect(try await takeAsNewer("n") == 2)
        let lanes = fleet.broker.keys.workerLanes("n")
        _ = try await fleet.broker.redis.send(["SADD", .text(lanes), .text("\(fleet.lane)")])
        let dead = try await fleet.dead("n")
        #expect(try await fleet.takeOver(dead).map(\.batch.id.number) == [0])
        #expect(try await fleet.takeOver(dead).isEmpty)
        #expect(try await fleet.exists(lanes), "whoever comes next finds it")
        #expect(try await queue.reclaim(worker: "n", known: [:]).isEmpty)
    }

    @Test func rangesCoverJustTheirIndexes() {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<200 {
            let indexes = (0..<30).filter { _ in Bool.random(using: &generator) }
            let words = IndexRange.words(indexes).map { word -> Int in
                if case .text(let text) = word { Int(text) ?? -1 } else { -1 }
            }
            let covered = stride(from: 0, to: words.count, by: 2).flatMap { words[$0]..<words[$0] + words[$0 + 1] }
            #expect(covered == indexes)
        }
        #expect(IndexRange.words([3, 3, 4]).count == 2)
        #expect(IndexRange.words([]).isEmpty)
    }
}
