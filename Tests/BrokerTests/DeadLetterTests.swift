import Model
import TestServers
import Testing

@testable import Broker

/// What cannot be read is moved to the dead letters, and nothing waits for it.
@Suite(.timeLimit(.minutes(5)))
struct DeadLetterTests {
    let fleet: TestFleet
    let epoch: Epoch

    init() async throws {
        fleet = try await TestFleet()
        epoch = try await fleet.begin()
    }

    private func read() async throws -> [StatusStreams.Entry] {
        try await fleet.status.read(consumer: "c", count: 100, block: .milliseconds(20))
    }

    private func letters() async throws -> [DeadLetter] {
        let entries = try await read()
        try await fleet.status.confirm(entries)
        return entries.compactMap(\.letter)
    }

    private func length(_ key: String) async throws -> Int { try await fleet.broker.redis.send(["XLEN", .text(key)]).count }

    @Test func aGroupOfWhichOneResultCannotBeReadIsTakenAndKept() async throws {
        let lease = try await fleet.taken(epoch)
        var fields = fleet.group(lease, 0, .open, fleet.sent(0..<2)).fields
        fields[fields.count - 1] = #"[[0,"s",1,0,250,"Ok",""],[1,"d",1,0,451,"later","","rate","somewhere",9]]"#
        _ = try await fleet.broker.redis.send(["XADD", .text(fleet.broker.keys.status(0)), "*"] + fields + ["f", "", "c", "1"])
        let entries = try await read()
        guard case .results(let group)? = entries.first?.payload else { throw RedisError.closed }
        #expect(group.results.map(\.index) == [0] && group.isPartial && group.batch == lease.batch.id)
        try await fleet.status.confirm(entries)
        #expect(try await length(fleet.broker.keys.status(0)) == 0)
        let letter = try #require(entries.first?.letter)
        #expect(letter.source == .status(0) && letter.reason.contains("somewhere") && letter.isWhole && !letter.isBatch)
        #expect(letter.mailing == fleet.id && letter.batch == 0 && letter.dispatchNumber == 1)
        // It is read once, and can be put back as it was.
        #expect(try await read().isEmpty)
        #expect(try await DeadLetters(fleet.broker).putBack(letter))
        guard case .results(let again)? = try await read().first?.payload else { throw RedisError.closed }
        #expect(again == group)
    }

    @Test(arguments: ["k", "v", "f", "d", "t"]) func anEntryStillSaysWhichGroupItIs(field: String) async throws {
        let lease = try await fleet.taken(epoch)
        var fields = fleet.group(lease, 3, .open, fleet.sent(0..<2)).fields + ["f", "done", "c", "4"]
        for place in stride(from: 0, to: fields.count, by: 2) {
            if case .text(field) = fields[place] { fields[place + 1] = "99999999999999999999" }
        }
        _ = try await fleet.broker.redis.send(["XADD", .text(fleet.broker.keys.status(1)), "*"] + fields)
        let entries = try await read()
        guard case .results(let group)? = entries.first?.payload else { throw RedisError.closed }
        #expect(group.isPartial && group.sequence == 3 && group.groups == 4 && group.results.isEmpty && entries.first?.letter != nil)
        #expect(group.closing == (field == "f" ? .open : .done))
    }

    /// What workers find waits for a collector, however much it is.
    @Test func noDeadLetterIsTrimmedBeforeACollectorHasIt() async throws {
        let lane = fleet.broker.keys.lane(fleet.lane)
        try await fleet.dispatch([fleet.batch()], epoch: epoch)
        for _ in 0..<6 {
            let command: [RedisArgument] = ["XADD", .text(lane), "*", "m", "x", "d", .bytes([0, 255])]
            for case .error(let text) in try await fleet.broker.redis.pipeline(Array(repeating: command, count: 500)) {
                throw RedisError.command(text)
            }
            _ = try await fleet.take(count: 501)
        }
        #expect(try await length(fleet.broker.keys.deadLetters) == 3_000)
        var found: [DeadLetter] = []
        while found.count < 3_000 {
            let more = try await letters()
            try #require(!more.isEmpty)
            found += more
        }
        #expect(found.allSatisfy { $0.source == .lane(fleet.lane) && $0.isWhole && $0.fields.map(\.value) == [[120], [0, 255]] })
        #expect(try await length(fleet.broker.keys.deadLetters) == 0)
    }

    @Test func whatOthersWriteAmongTheDeadLettersIsKeptToo() async throws {
        for data in [nil, [9, 0, 0, 0, 1]] as [[UInt8]?] {
            _ = try await fleet.broker.redis.send(
                ["XADD", .text(fleet.broker.keys.deadLetters), "*", "l", "email:p", "i", "1-0"]
                    + (data.map { ["d", .bytes($0)] } ?? ["=x", ""]))
        }
        let found = try await letters()
        #expect(found.map(\.source) == [.foreign, .foreign] && Set(found.map(\.entry)).count == 2)
    }

    /// Lua hands on only some thousand values at once.
    @Test func anEntryOfManyFieldsIsKeptInPart() async throws {
        let fields = (0..<9_000).flatMap { [RedisArgument.text("x\($0)"), RedisArgument.text("y")] as [RedisArgument] }
        _ = try await fleet.broker.redis.send(["XADD", .text(fleet.broker.keys.status(1)), "*"] + fields)
        let letter = try #require(try await letters().first)
        #expect(letter.fields.count == 64 && !letter.isWhole && letter.mailing == nil)
        #expect(try await length(fleet.broker.keys.status(1)) == 0)
    }

    private func poison(_ change: (inout [String: String]) -> Void) async throws -> String {
        try await fleet.publish()
        try await fleet.dispatch([fleet.batch()], epoch: epoch)
        let lane = fleet.broker.keys.lane(fleet.lane)
        let reply = try await fleet.broker.redis.send(["XRANGE", .text(lane), "-", "+"])
        let entry = try #require(try StreamEntry.list(.array([.array([.string(Array(lane.utf8)), reply])])).first)
        var fields = entry.fields.mapValues { String(decoding: $0, as: UTF8.self) }
        change(&fields)
        _ = try await fleet.broker.redis.send(["XDEL", .text(lane), .text(entry.id)])
        _ = try await fleet.broker.redis.send(
            ["XADD", .text(lane), "*"] + fields.flatMap { [RedisArgument.text($0.key), .text($0.value)] })
        return lane
    }

    @Test(
        arguments: [
            ("g", nil), ("e", nil), ("n", "-1"), ("n", "3000000000"), ("o", "[[7,0]]"), ("o", "[[99,0]]"), ("t", "-9223372036854775808"),
            ("v", "9999"), ("v", "x"),
            ("x", nil), ("o", "[[1,0],[1,0]]"),
        ] as [(String, String?)])
    func aBatchThatCannotBeReadGoesBackToTheLedger(field: String, value: String?) async throws {
        let lane = try await poison {
            $0["n"] = "7"
            $0[field] = value
        }
        #expect(try await fleet.take().isEmpty)
        // Nothing is left in the lane, and the dispatch ends.
        #expect(try await length(lane) == 0)
        #expect(try await fleet.queue.lanes().isEmpty)
        let entries = try await read()
        let groups = entries.compactMap { entry -> ResultGroup? in
            if case .results(let group) = entry.payload { group } else { nil }
        }
        #expect(groups.map(\.closing) == [.released] && groups.map(\.groups) == [1] && groups.allSatisfy { $0.results.isEmpty })
        #expect(groups.map(\.dispatchNumber) == [1] && groups.map(\.batch.mailing) == [fleet.id])
        let letters = entries.compactMap(\.letter)
        #expect(letters.map(\.isBatch) == [true] && letters.map(\.batch) == [0])
        #expect(try await fleet.queue.reclaim(worker: "a", known: [:]).isEmpty)
    }

    @Test func whomAnotherWorkerHadStartedIsUncertain() async throws {
        let lease = try await fleet.taken(epoch)
        #expect(try await fleet.queue.start(lease, fleet.open(2..<4)) == .go)
        let item = UnreadableBatch(
            lane: fleet.lane, entry: StreamEntry(stream: "", id: lease.entry, fields: ["m": Array("\(fleet.id)".utf8), "b": [48]]),
            deliveries: 1, why: "test")
        try await fleet.queue.reject([item], worker: "a")
        let group = try #require(try await fleet.groups().first)
        #expect(group.results.map(\.index) == [2, 3] && group.results.allSatisfy { $0.state == .uncertain && $0.due > 0 })
        #expect(group.closing == .released)
    }

    @Test func lanesTellWhichBatchesTheyHold() async throws {
        try await fleet.dispatch([fleet.batch(3), fleet.batch(4, dispatchNumber: 2)], epoch: epoch)
        _ = try await fleet.take()
        _ = try await fleet.broker.redis.send(["XADD", .text(fleet.broker.keys.lane(fleet.lane)), "*", "m", "x", "b", "-1"])
        let inside = try await fleet.queue.inside([fleet.lane, Lane(channel: .sms, provider: "none")])
        #expect(inside == Set([(3, 1), (4, 2)].map { Dispatch(batch: BatchID(mailing: fleet.id, number: $0.0), dispatchNumber: $0.1) }))
    }

    @Test func aBatchOfAnUnknownMailingLeavesTheLane() async throws {
        let lane = try await poison { $0["m"] = "nonsense" }
        #expect(try await fleet.take().isEmpty)
        #expect(try await length(lane) == 0)
        #expect(try await letters().map(\.mailing) == [nil])
    }

    @Test func anUnreadableDefinitionIsToldAsSuch() async throws {
        try await fleet.publish()
        _ = try await fleet.broker.redis.send([
            "HSET", .text(fleet.broker.keys.mailing(fleet.id)), "definition", #"{"name":"m","batchSize":1e400}"#,
        ])
        guard case .unreadable = try await fleet.published.definition(fleet.id) else { throw RedisError.closed }
    }

    /// Nobody takes it for damage.
    @Test func aDefinitionOfANewerReleaseIsToldAsSuch() async throws {
        try await fleet.publish()
        let key = RedisArgument.text(fleet.broker.keys.mailing(fleet.id))
        let written = try #require(try await fleet.broker.redis.send(["HGET", key, "definition"]).text)
        #expect(written.contains("\"version\":\(WireVersion.current)"))
        _ = try await fleet.broker.redis.send([
            "HSET", key, "definition", .text(written.replacing("\"version\":1", with: "\"version\":4")),
        ])
        guard case .newer = try await fleet.published.definition(fleet.id) else { throw RedisError.closed }
    }

    @Test func anUnreadableHeartbeatIsSkipped() async throws {
        let store = HeartbeatStore(fleet.broker)
        let good = Heartbeat(role: .worker, version: "1", host: "h", process: 7, started: 1, cpu: 1, memory: 1)
        var goodWriter = HeartbeatWriter(fleet.broker, process: "good")
        try await goodWriter.beat(good)
        var bad = good
        bad.memory = .max
        var badWriter = HeartbeatWriter(fleet.broker, process: "bad")
        try await badWriter.beat(bad)
        _ = try await fleet.broker.redis.send(["HSET", .text(fleet.broker.keys.heartbeats), "worse", "-9223372036854775808 {}"])
        #expect(try await store.all().map(\.name) == ["good"])
    }
}
