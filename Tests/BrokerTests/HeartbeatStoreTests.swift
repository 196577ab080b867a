import Model
import TestServers
import Testing

@testable import Broker

@Suite struct HeartbeatStoreTests {
    private let fleet: TestFleet
    private var broker: Broker { fleet.broker }
    private var store: HeartbeatStore { HeartbeatStore(broker) }

    init() async throws { fleet = try await TestFleet() }

    private var heartbeat: Heartbeat {
        var heartbeat = Heartbeat(role: .worker, version: "1", host: "h\"\\é", process: 7, started: 3, cpu: 1.5, memory: 4096)
        heartbeat.channels = [.email]
        heartbeat.mailings = [
            "m": Heartbeat.Share(waiting: 3, scope: .provider("p \"q\" \u{9b}"), interval: 0.5, isDown: true),
            "n \"mailings\":{}": Heartbeat.Share(interval: 1e-7, pause: 1e11), "o": Heartbeat.Share(),
        ]
        heartbeat.mailings["o"]?.exhausted = "connections=20"
        return heartbeat
    }

    /// A worker with so many mailings that wait for a limit.
    private func waiting(_ count: Int) -> Heartbeat {
        var heartbeat = heartbeat
        heartbeat.mailings = Dictionary(
            uniqueKeysWithValues: (0..<count).map { ("mailing-\($0)", .init(waiting: 2, scope: .provider("p\($0)"), interval: 3600)) })
        return heartbeat
    }

    private func beat(_ name: String, _ heartbeat: Heartbeat) async throws {
        var writer = HeartbeatWriter(broker, process: name)
        try await writer.beat(heartbeat)
    }

    /// What Redis has read and written so far, in bytes.
    private func traffic() async throws -> (read: Int, written: Int) {
        let text = try #require(try await broker.redis.send(["INFO", "stats"]).text)
        func figure(_ name: String) throws -> Int {
            let line = try #require(text.split(separator: "\r\n").first { $0.hasPrefix(name + ":") })
            return try #require(Int(line.dropFirst(name.count + 1)))
        }
        return try (figure("total_net_input_bytes"), figure("total_net_output_bytes"))
    }

    @Test func whoGivesASignIsSeenAndWhoEndsIsNot() async throws {
        try await beat("b", heartbeat)
        try await beat("a", heartbeat)
        // One of another release, and some of long ago.
        let now = try await broker.time() / 1000
        _ = try await broker.redis.send([
            "HSET", "{test}:heartbeats", "c", .text("\(now) {\"role\":\"rower\"}"), "d", "12 {}", "e", "noise", "f",
            .text("\(Int64.min) {}"),
        ])
        let signs = try await store.all()
        #expect(signs.map(\.name) == ["a", "b"])
        #expect(signs.allSatisfy { $0.heartbeat.mailings == heartbeat.mailings && $0.heartbeat.host == heartbeat.host })
        #expect(signs.allSatisfy { $0.isAlive == ($0.age < HeartbeatStore.longest) && $0.age < .seconds(60) })
        try await store.end("a")
        #expect(try await store.all().map(\.name) == ["b"])
        #expect(try await !fleet.exists(broker.keys.heartbeatMailings("a")))
        #expect(try await broker.redis.send(["HLEN", "{test}:heartbeats"]).int == 5, "who looks changes nothing")
        try await store.forget()
        try await store.forget()
        #expect(try await broker.redis.send(["HKEYS", "{test}:heartbeats"]).array?.compactMap(\.text).sorted() == ["b", "c"])
    }

    /// Heartbeats of release 0.1 hold the mailings themselves.
    @Test func aHeartbeatOfAnOlderReleaseIsUnderstood() async throws {
        let now = try await broker.time() / 1000
        let text = """
            {"role":"worker","version":"0","host":"h","process":1,"started":2,"cpu":1,"memory":3,"channels":["email"],"answered":4,\
            "inFlight":5,"batches":6,"mailings":{"m":{"waiting":3,"scope":"provider:p","interval":0.5,"isDown":true}}}
            """
        _ = try await broker.redis.send(["HSET", "{test}:heartbeats", "old", .text("\(now) \(text)")])
        let sign = try #require(try await store.all().first)
        #expect(sign.heartbeat.mailings == ["m": .init(waiting: 3, scope: .provider("p"), interval: 0.5, isDown: true)])
    }

    @Test func aThousandMailingsThatWaitCostNothingFromTheSecondHeartbeatOn() async throws {
        var (writer, reader) = (HeartbeatWriter(broker, process: "a"), HeartbeatReader(broker))
        let heartbeat = waiting(1000)
        try await writer.beat(heartbeat)
        #expect(try await reader.all().first?.heartbeat.mailings == heartbeat.mailings)
        let before = try await traffic()
        for _ in 0..<10 {
            try await writer.beat(heartbeat)
            #expect(try await reader.all().first?.heartbeat.mailings.count == 1000)
        }
        let after = try await traffic()
        #expect((after.read - before.read) / 10 < 1500 && (after.written - before.written) / 10 < 1500, "\(before), \(after)")
    }

    @Test func whatChangesIsTold() async throws {
        var (writer, reader) = (HeartbeatWriter(broker, process: "a"), HeartbeatReader(broker))
        var heartbeat = waiting(5)
        for step in 0..<4 {
            try await writer.beat(heartbeat)
            #expect(try await reader.all().first?.heartbeat.mailings == heartbeat.mailings)
            heartbeat.mailings["mailing-\(step)"] = step == 1 ? nil : Heartbeat.Share(waiting: step)
            heartbeat.mailings["new-\(step)"] = Heartbeat.Share(isDown: true)
        }
        heartbeat.mailings = [:]
        try await writer.beat(heartbeat)
        #expect(try await reader.all().first?.heartbeat.mailings == [:])
        #expect(try await !fleet.exists(broker.keys.heartbeatMailings("a")))
    }

    @Test(arguments: [true, false])
    func whatRedisHasLostIsToldAgain(isChanged: Bool) async throws {
        var (writer, reader) = (HeartbeatWriter(broker, process: "a"), HeartbeatReader(broker))
        var heartbeat = waiting(5)
        try await writer.beat(heartbeat)
        _ = try await reader.all()
        _ = try await broker.redis.send(["DEL", .text(broker.keys.heartbeatMailings("a"))])
        if isChanged { heartbeat.mailings["mailing-3"] = nil }
        try await writer.beat(heartbeat)
        #expect(try await reader.all().first?.heartbeat.mailings == heartbeat.mailings)
        // A later process of the same name knows nothing of the first.
        try await beat("a", waiting(2))
        #expect(try await reader.all().first?.heartbeat.mailings == waiting(2).mailings)
    }

    @Test func whatCannotBeReadOfAMailingIsLeftOut() async throws {
        try await beat("a", waiting(2))
        let told = ["x": "noise", "y": "[1,2]", "z": "[-1,0,0,0,\"\",\"\"]", "later": "[7,0,0,0,\"\",\"\",[\"more\"]]"]
        for (mailing, wire) in told {
            _ = try await broker.redis.send(["HSET", .text(broker.keys.heartbeatMailings("a")), .text(mailing), .text(wire)])
        }
        let mailings = try #require(try await store.all().first).heartbeat.mailings
        #expect(mailings.keys.sorted() == ["later", "mailing-0", "mailing-1"] && mailings["later"]?.waiting == 7)
    }
}
