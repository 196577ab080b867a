import Foundation
import NIOCore
import NIOPosix
import Synchronization
import TestServers
import Testing

/// Roles and commands on a ledger in PostgreSQL.
@Suite(.timeLimit(.minutes(5))) struct PostgreSQLTests {
    private func database() async throws -> String { try await PostgreSQLServer.shared.database() }

    /// The sink's record is the judge: it knows nothing of ledgers.
    @Test func aFleetSendsAWholeMailing() async throws {
        let (sink, redis) = (try await RunningSink(), try await RedisServer())
        let mailing = try MailingFolder(
            provider: sink.url, recipients: MailingFolder.recipients(300) + "x,nobody,A,1\n", extra: "batch_size: 20\n")
        let environment = ["FLOTILLA_LEDGER_URL": try await database(), "FLOTILLA_REDIS_URL": "unix://\(redis.socket)"]
        func run(_ arguments: String...) async throws -> Program.Outcome { try await Program.run(arguments, environment: environment) }

        let none = try await run("mailing", "list")
        #expect(none.status == 1 && none.errors.contains("flotilla ledger init"), "\(none)")
        let made = try await run("ledger", "init")
        #expect(made.status == 0 && made.output.hasPrefix("postgres://flotilla@/test_"), "\(made)")
        #expect(try await run("ledger", "init").status == 1)
        #expect(try await run("ledger", "migrate").status == 0)
        #expect(try await run("suppressions", "add", "person7@example.com", "--channel", "email").status == 0)

        let names = ["planner", "planner", "worker", "collector", "collector"]
        let roles = try names.map { try RunningProgram([$0], environment: environment) }
        let added = try await run("mailing", "add", mailing.mailing)
        #expect(added.status == 0, "\(added)")
        let id = added.output.trimmingCharacters(in: .whitespacesAndNewlines)
        try await eventually("the mailing is sent: \(roles.map(\.errors))", within: 120) {
            try await run("mailing", "show", id, "--output", "json").output.contains(#""state" : "sent""#)
        }
        let top = try await run("top", "--once")
        #expect(top.status == 0, "\(top)")
        for role in roles {
            role.signal(SIGTERM)
            #expect(try await role.end() == 0, "\(role.errors)")
        }
        try await sink.stop()
        let wanted = (0..<300).filter { $0 != 7 }.map { "person\($0)@example.com" }
        #expect(try sink.arrived().sorted() == wanted.sorted())

        let report = try await run("mailing", "report", id, "--output", "json")
        #expect(report.status == 0 && report.output.contains(#""sent" : 299"#) && report.output.contains("invalid_address"), "\(report)")
        for (command, words) in [
            (["mailing", "recipient", id, "person3@example.com"], "sent"), (["mailing", "history", "person3@example.com"], id),
            (["mailing", "excluded", id], "nobody"), (["mailing", "uncertain", id], ""), (["suppressions", "list"], "person7@example.com"),
            (["audit"], "add"), (["dead", "list"], ""), (["limit", "list"], ""), (["ledger", "check"], "nothing is wrong"),
        ] {
            let answer = try await Program.run(command, environment: environment)
            #expect(answer.status == 0 && (words.isEmpty || (answer.output + answer.errors).contains(words)), "\(command): \(answer)")
        }
    }

    @Test func oneProcessSendsWithARedisOfItsOwnInTheFolderOfTheUser() async throws {
        let (sink, state) = (try await RunningSink(), try TemporaryFolder())
        let mailing = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(20))
        let environment = ["FLOTILLA_LEDGER_URL": try await database(), "XDG_STATE_HOME": state.path]
        let send = ["send", mailing.mailing]
        let first = try await Program.run(send, environment: environment)
        #expect(first.status == 0 && first.errors.contains("a new ledger was made: postgres://flotilla@/test_"), "\(first)")
        #expect(!first.output.contains("sqlite3"), "\(first)")
        let files = try FileManager.default.contentsOfDirectory(atPath: state.path("flotilla"))
        #expect(files.allSatisfy { $0.hasSuffix(".lock") } && files.count == 1, "\(files)")
        #expect(try await Program.run(send, environment: environment).status == 6)
        try await sink.stop()
        let arrived = try sink.arrived()
        #expect(arrived.count == 20 && Set(arrived).count == 20)
    }

    @Test func aLedgerHasOnePlaceAndACopyMayBeLookedAt() async throws {
        let folder = try TemporaryFolder()
        let copy = folder.path("copy.sqlite")
        #expect(try await Program.run(["ledger", "init", "--ledger", copy]).status == 0)
        let environment = ["FLOTILLA_LEDGER_URL": try await database()]
        for command in [["ledger", "check"], ["mailing", "list"], ["ledger", "backup", folder.path("second.sqlite")]] {
            let looked = try await Program.run(command + ["--ledger", copy], environment: environment)
            #expect(looked.status == 0, "\(command): \(looked)")
        }
        for command in [["mailing", "pause", "x"], ["planner"], ["limit", "set", "channel:sms", "1/s"]] {
            let refused = try await Program.run(command + ["--ledger", copy], environment: environment)
            #expect(refused.status == 1 && refused.errors.contains("and ledger.url another ledger, postgres://flotilla@"), "\(refused)")
        }
        for command in [["ledger", "backup", folder.path("third.sqlite")], ["ledger", "restore", copy]] {
            let refused = try await Program.run(command, environment: environment)
            #expect(refused.status == 1 && refused.errors.contains("docs/operations.md"), "\(refused)")
        }
        let secret = try await Program.run(["mailing", "list", "--ledger", "postgres://ann:hunter2@127.0.0.1:1/x"])
        #expect(secret.status == 64 && secret.errors.contains("FLOTILLA_LEDGER_URL") && !secret.errors.contains("hunter2"), "\(secret)")
        let away = try await Program.run(["mailing", "list", "--ledger", "postgres://ann@127.0.0.1:1/x"])
        #expect(away.status == 1 && away.errors.contains("cannot be reached"), "\(away)")
    }

    @Test func aRoleWaitsForAServerThatIsNotThereYetAndSaysSoOnce() async throws {
        let redis = try await RedisServer()
        let tries = Tries()
        // It ends each connection at once, as a server that starts does.
        let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup).childChannelInitializer { channel in
            tries.count.add(1, ordering: .relaxed)
            channel.eventLoop.execute { channel.close(promise: nil) }
            return channel.eventLoop.makeSucceededVoidFuture()
        }.bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(server.localAddress?.port)
        let environment = [
            "FLOTILLA_LEDGER_URL": "postgres://flotilla:s3cret@127.0.0.1:\(port)/postgres", "FLOTILLA_REDIS_URL": "unix://\(redis.socket)",
        ]
        let collector = try RunningProgram(["collector"], environment: environment)
        try await eventually("it waits: \(collector.errors)") { collector.errors.contains("waiting for the ledger") }
        let before = tries.count.load(ordering: .relaxed)
        try await eventually("it tries again and again") { tries.count.load(ordering: .relaxed) >= before + 8 }
        #expect(collector.errors.components(separatedBy: "waiting for the ledger").count == 2, "\(collector.errors)")
        #expect(!collector.errors.contains("s3cret"))
        collector.signal(SIGTERM)
        _ = try await collector.end()
        try await server.close()
    }
}

private final class Tries: Sendable {
    let count = Atomic(0)
}
