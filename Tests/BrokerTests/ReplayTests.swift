import Model
import TestServers
import Testing

@testable import Broker

/// What collectors have confirmed, and a standby of the ledger's server may lack.
@Suite(.timeLimit(.minutes(5)))
struct ReplayTests {
    let fleet: TestFleet
    var status: StatusStreams { fleet.status }
    var streams: ReplayStreams { ReplayStreams(fleet.broker) }

    init() async throws {
        fleet = try await TestFleet()
        _ = try await fleet.begin()
    }

    private func replay(_ standing: String, ledger: String = "ledger", time: Duration = .seconds(60)) -> Replay? {
        Replay(ledger: ledger, standing: standing, time: time)
    }

    private func send(_ texts: [String]) async throws {
        for text in texts { try await status.send(MailingHalt(.unsendable, text), of: fleet.id) }
    }

    private func read() async throws -> [StatusStreams.Entry] {
        try await status.read(consumer: "c", count: 1000, block: .milliseconds(20))
    }

    private func texts(_ entries: [StatusStreams.Entry]) -> [String] {
        entries.compactMap { if case .halt(_, let halt)? = $0.payload { halt.text } else { nil } }
    }

    private var kept: Int {
        get async throws {
            let keys = fleet.broker.keys
            return try await fleet.broker.redis.send(["XLEN", .text(keys.replay(keys.status(0)))]).count
        }
    }

    @Test func nothingIsKeptForALedgerWithoutAServer() async throws {
        #expect(Replay(ledger: "ledger", standing: nil, time: .seconds(60)) == nil)
        #expect(Replay(ledger: "ledger", standing: "one", time: .zero) == nil)
        try await send(["a"])
        try await status.confirm(try await read())
        #expect(try await fleet.broker.redis.scan("*replay*").joined().isEmpty)
    }

    @Test func whatWasConfirmedComesAgainOnceTheLedgerStandsElsewhere() async throws {
        try await send(["a", "b"])
        try await status.confirm(try await read(), replay: replay("one"))
        #expect(try await status.lag().entries.reduce(0, +) == 0)
        try await send(["c"])
        try await status.confirm(try await read(), replay: replay("one"))
        #expect(try await streams.putBack(ledger: "ledger", standing: "one") == 0)
        #expect(try await read().isEmpty)
        #expect(try await kept == 3)
        // A collector that writes to the new server puts back what it finds, and keeps what it confirms itself.
        try await send(["d"])
        try await status.confirm(try await read(), replay: replay("two"))
        let again = try await read()
        #expect(texts(again) == ["a", "b", "c"])
        #expect(try await kept == 1)
        try await status.confirm(again, replay: replay("two"))
        #expect(try await read().isEmpty)
        #expect(try await kept == 4)
        // So does a planner, where nobody reports anything more.
        #expect(try await streams.putBack(ledger: "ledger", standing: "three") == 4)
        #expect(try await streams.putBack(ledger: "ledger", standing: "three") == 0)
        #expect(texts(try await read()) == ["d", "a", "b", "c"])
    }

    /// A collector that was frozen confirms what the former server had.
    @Test func whoIsLateLosesNothingEither() async throws {
        try await send(["a", "b"])
        let entries = try await read()
        try await status.confirm([entries[0]], replay: replay("two"))
        try await status.confirm([entries[1]], replay: replay("one"))
        #expect(texts(try await read()) == ["a"])
        #expect(try await streams.putBack(ledger: "ledger", standing: "two") == 1)
        #expect(texts(try await read()) == ["b"])
    }

    @Test func whatAnotherLedgerLeftIsDropped() async throws {
        try await send(["a"])
        try await status.confirm(try await read(), replay: replay("one"))
        #expect(try await streams.putBack(ledger: "another", standing: "one") == 1)
        #expect(try await read().isEmpty)
        #expect(try await kept == 0)
    }

    @Test func whatIsOldGoesWithTheNextConfirmation() async throws {
        try await send((0..<300).map { "\($0)" })
        try await status.confirm(try await read(), replay: replay("one", time: .milliseconds(1)))
        try await eventually("a millisecond has passed") {
            try await send(["a"])
            try await status.confirm(try await read(), replay: replay("one", time: .milliseconds(1)))
            // Redis removes whole nodes of the stream.
            return try await kept < 200
        }
    }

    @Test func theBytesAreBounded() async throws {
        let text = String(repeating: "x", count: 60_000)
        for _ in 0..<12 {
            try await send(Array(repeating: text, count: 100))
            try await status.confirm(try await read(), replay: replay("one", time: .seconds(3600)))
        }
        let key = RedisArgument.text(fleet.broker.keys.replay(fleet.broker.keys.status(0)))
        let size = try await fleet.broker.redis.send(["MEMORY", "USAGE", key]).count
        #expect(size > 16 << 20 && size < 40 << 20)
    }

    @Test func aRedisWithoutMemoryKeepsNothingAndTakesTheEntriesOff() async throws {
        try await send(["a"])
        let entries = try await read()
        _ = try fleet.server.cli("CONFIG", "SET", "maxmemory", "1mb")
        try await status.confirm(entries, replay: replay("one"))
        #expect(try await status.lag().entries.reduce(0, +) == 0)
        #expect(try await kept == 0)
    }

    /// Lua takes no more than some thousands of values apart.
    @Test func anEntryOfAnotherProgramIsConfirmedLikeAll() async throws {
        let fields = (0..<9000).flatMap { _ -> [RedisArgument] in ["k", "v"] }
        _ = try await fleet.broker.redis.send(["XADD", .text(fleet.broker.keys.status(0)), "*"] + fields)
        try await status.confirm(try await read(), replay: replay("one"))
        #expect(try await status.lag().entries.reduce(0, +) == 0)
        #expect(try await kept == 0)
    }

    @Test func eventsComeAgainToo() async throws {
        let events = EventStreams(fleet.broker)
        #expect(try await events.append([Array("x".utf8)], to: 1))
        try await events.confirm(try await events.read(consumer: "c", count: 10, block: nil), replay: replay("one"))
        #expect(try await events.read(consumer: "c", count: 10, block: nil).isEmpty)
        #expect(try await streams.putBack(ledger: "ledger", standing: "two") == 1)
        #expect(try await events.read(consumer: "c", count: 10, block: nil).count == 1)
        await events.close()
    }
}
