import Broker
import Foundation
import Logging
import Model
import NIOPosix
import TestServers
import Testing

/// A collector that is killed again and again counts each visit once.
@Suite(.serialized, .timeLimit(.minutes(5))) struct EventCrashTests {
    private static let (entries, size, recipients) = (300, 250, 2000)
    private let redis: RedisServer
    private let streams: EventStreams

    init() async throws {
        redis = try await RedisServer()
        streams = EventStreams(
            Broker(
                endpoint: RedisEndpoint(place: .unix(path: redis.socket)), prefix: "flotilla", partitions: 4, name: "test",
                group: .singletonMultiThreadedEventLoopGroup, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
    }

    /// Opens by all recipients, and an unsubscribe in each tenth entry.
    private func entry(_ place: Int, _ number: UInt32) -> [UInt8] {
        let events = (0..<Self.size).map { event in
            let isUnsubscribe = event == 7 && place.isMultiple(of: 10)
            let person = isUnsubscribe ? place : (place * Self.size + event * 7919) % Self.recipients
            return TrackedEvent(
                isUnsubscribe ? .unsubscribe : .open, by: isUnsubscribe ? .post : .get, mailing: number, batch: UInt32(person / 100),
                index: UInt32(person % 100), time: 1_800_000_000_000 + Int64(place * 10_000 + event))
        }
        return EventBatch(source: 7, sequence: UInt64(place * Self.size), events: events).encoded()
    }

    private func left() async throws -> Int { try await streams.depths().reduce(0) { $0 + $1.entries } }

    @Test(arguments: ["SQLite", "PostgreSQL"]) func eachVisitCountsOnce(engine: String) async throws {
        let sink = try await RunningSink()
        let mailing = try MailingFolder(
            provider: sink.url, recipients: MailingFolder.recipients(Self.recipients), extra: "batch_size: 100\n")
        var environment = ["FLOTILLA_REDIS_URL": "unix://\(redis.socket)", "FLOTILLA_LEDGER_PATH": mailing.ledger]
        if engine == "PostgreSQL" {
            environment["FLOTILLA_LEDGER_PATH"] = nil
            environment["FLOTILLA_LEDGER_URL"] = try await PostgreSQLServer.shared.database()
        }
        func run(_ arguments: String...) async throws -> Program.Outcome { try await Program.run(arguments, environment: environment) }
        func start(_ role: String) throws -> RunningProgram { try RunningProgram([role], environment: environment) }
        #expect(try await run("ledger", "init").status == 0)
        let added = try await run("mailing", "add", mailing.mailing)
        #expect(added.status == 0, "\(added)")
        let id = added.output.trimmingCharacters(in: .whitespacesAndNewlines)
        let roles = try ["planner", "worker", "collector"].map(start)
        try await eventually("the mailing is sent: \(roles.map(\.errors))", within: 120) {
            try await run("mailing", "show", id, "--output", "json").output.contains(#""state" : "sent""#)
        }
        for role in roles.dropFirst() {
            role.signal(SIGTERM)
            _ = try await role.end()
        }
        let number = try await number(mailing, environment["FLOTILLA_LEDGER_URL"])

        for place in 0..<Self.entries {
            #expect(try await streams.append([entry(place, number)], to: EventStreams.number(of: number)))
        }
        for part in 1...4 {
            let collector = try start("collector")
            try await eventually("some are written: \(collector.errors)") { try await left() <= Self.entries - part * 50 }
            collector.signal(SIGKILL)
            _ = try await collector.end()
        }
        let collector = try start("collector")
        let total = Self.entries * Self.size - Self.entries / 10
        try await eventually("all are counted: \(collector.errors)", within: 120) {
            guard try await left() == 0 else { return false }
            return try await run("mailing", "report", id, "--output", "json").output.contains(#""waiting" : 0"#)
        }
        for role in [collector, roles[0]] {
            role.signal(SIGTERM)
            #expect(try await role.end() == 0, "\(role.errors)")
        }
        try await sink.stop()
        let report = try JSONDecoder().decode(
            Report.self, from: Data(try await run("mailing", "report", id, "--output", "json").output.utf8))
        #expect(report.tracking.opened.all == .init(total: total, unique: Self.recipients))
        #expect(report.tracking.unsubscribed.all == .init(total: Self.entries / 10, unique: Self.entries / 10))
        let suppressed = try await run("suppressions", "list", "--output", "json")
        #expect(suppressed.output.split(separator: "\n").count == Self.entries / 10, "\(suppressed)")
        let check = try await run("ledger", "check")
        #expect(check.status == 0, "\(check)")
        await streams.close()
    }

    /// The mailing's number, by which links name it.
    private func number(_ mailing: MailingFolder, _ url: String?) async throws -> UInt32 {
        let query = "SELECT number FROM mailing"
        guard let url else { return try #require(UInt32(try mailing.query(query).first ?? "")) }
        let folder = try TemporaryFolder()
        let program = try ServerProcess("psql", ["-Atc", query, url], package: "postgresql-client", output: folder.path("out"))
        #expect(program.wait() == 0)
        return try #require(UInt32((folder.text("out") ?? "").trimmingCharacters(in: .whitespacesAndNewlines)))
    }

    private struct Report: Decodable {
        struct Count: Decodable, Equatable { var total, unique: Int }
        struct Counts: Decodable { var all: Count }
        struct Tracking: Decodable { var opened, unsubscribed: Counts }
        var tracking: Tracking
    }
}
