import Foundation
import Ledger
import Logging
import Model
import NIOPosix
import TestServers
import Testing

@testable import Broker
@testable import Planning

/// A planner that stands by and stores recipients for the one that leads. The file is so large that it is never stored as a whole here.
@Suite(.timeLimit(.minutes(2))) struct StandbyTests {
    private let folder: TemporaryFolder
    private let server: RedisServer
    private let ledger: SQLiteLedger
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private let id: MailingID

    init() async throws {
        (folder, server) = (try TemporaryFolder(), try await RedisServer())
        ledger = try SQLiteLedger.open(folder.path("ledger.sqlite"), logger: logger)
        var generator = SeededGenerator(seed: 1)
        id = MailingID(milliseconds: 1, using: &generator)
    }

    /// Another planner leads, and cannot read the file of a mailing.
    /// - Returns: its fencing token.
    private func lead() async throws -> Int64 {
        let path = folder.path("people.csv")
        try Data("id,email\n".utf8).write(to: URL(fileURLWithPath: path))
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.truncate(atOffset: UInt64(UploadLimit.file))
        try file.close()
        try await ledger.create(
            id, mailing: Mailing(name: "x", channel: .email, provider: "smtp://localhost", fields: ["id", "email"]),
            source: RecipientSource(file: path, format: .csv, id: "id", address: "email"), origin: "", state: .scheduled, now: 1)
        try await ledger.note(SourceFault(host: "a", problem: "no such file"), of: id, now: 1)
        return try #require(
            try await ledger.acquireLeadership(Leadership.planning, holder: "a", for: .seconds(600), isHolderGone: false))
    }

    private func standby() -> PlannerRole {
        var configuration = PlannerRole.Configuration(
            name: "b", window: 8,
            durations: .init(poll: .milliseconds(50), lease: .seconds(1), workerLease: .seconds(10), stuckAfter: .seconds(60)))
        configuration.sharing = .init(host: "b")
        let broker = Broker(
            endpoint: RedisEndpoint(place: .unix(path: server.socket)), prefix: "test", partitions: 2, name: "test",
            group: .singletonMultiThreadedEventLoopGroup, logger: logger)
        return PlannerRole(configuration, broker: broker, ledger: ledger, lock: { false }, logger: logger)
    }

    @Test func itTakesOverWhileItStores() async throws {
        let token = try await lead()
        let role = standby()
        let running = Task { try await role.run() }
        defer { running.cancel() }
        try await eventually("it stores") { try await ledger.isStoringUploads() }
        // The mailing is not what the new leader is to be busy with.
        _ = try await ledger.setState(id, to: .stopped, from: [.scheduled], reason: .none, now: 2)
        try await ledger.releaseLeadership(Leadership.planning, fencingToken: token)
        try await eventually("it leads", within: 20) { try await ledger.leader(Leadership.planning)?.holder == "b" }
        try await eventually("what it stored is given up", within: 20) { try await !ledger.isStoringUploads() }
        #expect(try await ledger.uploads() == [:])
        running.cancel()
        try await running.value
    }

    @Test func itEndsWhileItStores() async throws {
        _ = try await lead()
        let role = standby()
        let running = Task { try await role.run() }
        try await eventually("it stores") { try await ledger.isStoringUploads() }
        running.cancel()
        try await running.value
        #expect(try await !ledger.isStoringUploads())
        #expect(try await ledger.uploads() == [:])
    }
}
