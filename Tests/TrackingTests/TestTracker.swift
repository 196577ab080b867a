import Broker
import Model
import NIOPosix
import Policy
import Signing
import Synchronization
import Telemetry
import TestServers
import Testing
import Text

@testable import Tracking

/// A tracker with a Redis of its own, and links to it.
struct TestTracker {
    let redis: RedisServer
    let broker: Broker
    let streams: EventStreams
    let keys: SigningKeys
    let folder: TemporaryFolder
    /// How far each source's events have been seen: one that is sent again comes again.
    private let seen = Seen()

    private final class Seen: Sendable {
        let next = Mutex<[UInt64: UInt64]>([:])
    }

    var spoolLimit = 64 << 20
    var connections = 64
    var bounds = EventQueue.Bounds()

    init() async throws {
        redis = try await RedisServer()
        broker = Self.broker(redis)
        streams = EventStreams(broker)
        keys = try SigningKeys([1: Secret(String(repeating: "k", count: 32))])
        folder = try TemporaryFolder()
    }

    /// Waits for Redis no longer than a moment.
    static func broker(_ redis: RedisServer) -> Broker {
        var endpoint = RedisEndpoint(place: .unix(path: redis.socket))
        endpoint.timeout = .milliseconds(300)
        return Broker(
            endpoint: endpoint, prefix: "test", partitions: 1, name: "test", group: .singletonMultiThreadedEventLoopGroup,
            logger: quietLogger)
    }

    func path(_ prefix: String, _ purpose: TokenPurpose, index: Int = 9, mailing: UInt32 = 7) throws -> String {
        var out = Array("/\(prefix)/".utf8)
        keys.appendToken(purpose, try #require(TokenSubject(mailing: mailing, batch: 8, index: index)), to: &out)
        return String(decoding: out, as: UTF8.self)
    }

    func shortLink(_ number: UInt16) throws -> String {
        var out = Array("/".utf8)
        let subject = try #require(TokenSubject(mailing: 7, batch: 8, index: 9)?.with(link: number))
        keys.appendToken(.shortLink, subject, to: &out)
        return String(decoding: out, as: UTF8.self)
    }

    func click(_ target: String) throws -> String {
        var out = Array("/c/".utf8)
        let subject = try #require(TokenSubject(mailing: 7, batch: 8, index: 9))
        TrackedLink(number: 3, target: Array(target.utf8)).append(subject, keys: keys, to: &out)
        return String(decoding: out, as: UTF8.self)
    }

    /// Runs a buffer while `body` works, and stops it gracefully.
    func buffering(_ body: (EventBuffer) async throws -> Void) async throws {
        let buffer = try buffer()
        try await running([buffer]) { try await body(buffer) }
    }

    func buffer() throws -> EventBuffer {
        EventBuffer(
            EventStreams(broker), folder: try SpoolFolder(folder.path("spool")), limit: spoolLimit, bounds: bounds, logger: quietLogger)
    }

    /// Runs a tracker while `body` works, and stops it gracefully.
    func serving(_ body: (Int) async throws -> Void) async throws {
        let events = try buffer()
        try await TestServers.serving(
            { onListening in
                let server = TrackerServer(
                    Tracker(.init(url: "http://localhost", keys: keys)), at: ListenAddress(host: "127.0.0.1", port: 0),
                    connections: connections, events: events, logger: quietLogger, onListening: { onListening($0.port) })
                return [events, server]
            }, body)
    }

    /// Events that arrived, each once, in the order of each source.
    func arrived(_ count: Int = 1) async throws -> [TrackedEvent] {
        var events: [TrackedEvent] = []
        try await eventually("\(count) events arrive") {
            // A Redis that has just started is not asked at once by a client that has missed it.
            guard let entries = try? await streams.read(consumer: "c", count: 1000, block: nil) else { return false }
            for batch in entries.compactMap(\.batch) { events += seen.next.withLock { batch.unseen(&$0) } }
            try await streams.confirm(entries)
            return events.count >= count
        }
        return events
    }
}

extension EventBatch {
    /// Those of its events that were not seen before.
    fileprivate func unseen(_ next: inout [UInt64: UInt64]) -> ArraySlice<TrackedEvent> {
        let known = next[source] ?? 0
        next[source] = max(known, sequence + UInt64(events.count))
        return events.dropFirst(Int(max(known, sequence) - sequence))
    }
}
