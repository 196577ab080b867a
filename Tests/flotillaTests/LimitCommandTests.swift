import Foundation
import TestServers
import Testing

/// Limits while mailings are sent: `flotilla limit`, and what of it the workers see.
@Suite(.timeLimit(.minutes(5)))
struct LimitCommandTests {
    private static let yaml = """
        providers:
          main: {url: 'smtp://127.0.0.1:9', limit: 100/s}
        channels:
          sms: {limit: 25/s}
        domains:
          gmail.com:
          microsoft: {names: [outlook.com, "*.live.com"], limit: 20/s}

        """

    /// A ledger with one mailing in it, and a configuration.
    private func mailing() async throws -> (MailingFolder, run: ([String]) async throws -> Program.Outcome) {
        let mailing = try MailingFolder(provider: "smtp://127.0.0.1:9", recipients: MailingFolder.recipients(1))
        let config = try mailing.folder.write(Self.yaml, to: "flotilla.yaml")
        let added = try await Program.run(["mailing", "add", mailing.mailing, "--ledger", mailing.ledger])
        try #require(added.status == 0, "\(added.errors)")
        return (
            mailing,
            { try await Program.run(["limit"] + $0 + ["--ledger", mailing.ledger, "--config", config]) }
        )
    }

    @Test func aLimitIsSetListedAndTakenBack() async throws {
        let (_, run) = try await mailing()
        let set = try await run(["set", "provider:main", " 6000 / minute "])
        #expect(set.status == 0 && set.output == "provider:main: 6000/min, in place of 100/s of flotilla.yaml\n", "\(set.errors)")
        let again = try await run(["set", "provider:main", "none"])
        #expect(again.output.hasPrefix("provider:main: none, in place of 6000/min, set 20"), "\(again)")
        #expect(try await run(["set", "domain:gmail.com", "5/s"]).output.hasSuffix("in place of no limit in flotilla.yaml\n"))
        #expect(
            try await run(["set", "provider:smtp://Relay.example.com", "7/s"]).output.hasPrefix("provider:smtp://relay.example.com:25: 7/s")
        )
        let rows = try await run(["list"]).output.split(separator: "\n").map {
            $0.split(separator: " ").prefix(3).joined(separator: " ")
        }
        #expect(
            rows == [
                "SCOPE LIMIT FLOTILLA.YAML", "provider:main none 100/s", "channel:email none none", "channel:sms 25/s 25/s",
                "channel:webhook none none", "channel:messenger 25/s 25/s", "domain:gmail.com 5/s none", "domain:microsoft 20/s 20/s",
                "provider:smtp://relay.example.com:25 7/s none",
            ])
        #expect(try await run(["clear", "provider:SMTP://relay.EXAMPLE.com.:25"]).status == 0)
        let cleared = try await run(["clear", "provider:main"])
        #expect(cleared.output == "provider:main: 100/s of flotilla.yaml, in place of none\n", "\(cleared.errors)")
        let none = try await run(["clear", "provider:main"])
        #expect(none.status == 1 && none.errors.contains("no limit was set at run time for 'provider:main'"), "\(none.errors)")
    }

    /// The status tells whether other settings could make it right.
    @Test(arguments: [
        ("provider:mian", "5/s", 1, "flotilla.yaml has no provider 'mian'; there is main, or a URL"),
        ("provider:smtp://u:p@h", "5/s", 64, "has a password in it"),
        ("channel:fax", "5/s", 64, "'channel:fax' is not a scope; scopes are provider:NAME, channel:email"),
        ("domain:a.live.com", "5/s", 1, "'a.live.com' belongs to domain:microsoft"),
        ("domain:yahoo.com", "5/s", 1, "no 'yahoo.com' below domains; there are gmail.com, microsoft"),
        ("mailing:abc", "5/s", 64, "flotilla mailing speed abc"),
        ("main", "5/s", 64, "'main' is not a scope"),
        ("channel:email", "fast", 64, "'fast' is no rate limit"),
        ("channel:email", "0/s", 64, "'0/s' is no rate limit"),
    ])
    func whatCannotBeSetIsRefusedWithTheReason(scope: String, limit: String, status: Int32, reason: String) async throws {
        let (mailing, run) = try await mailing()
        let outcome = try await run(["set", scope, limit])
        #expect(outcome.status == status && outcome.errors.contains(reason), "\(outcome.errors)")
        #expect(try mailing.query("SELECT count(*) FROM limit_override") == ["0"])
    }

    @Test func theWorkersSeeItWhileAPlannerIsAtWork() async throws {
        let (mailing, run) = try await mailing()
        let redis = try await RedisServer()
        _ = try await run(["set", "channel:email", "3/s"])
        let planner = try RunningProgram(
            ["planner"], environment: ["FLOTILLA_REDIS_URL": "unix://\(redis.socket)", "FLOTILLA_LEDGER_PATH": mailing.ledger])
        // A field without a name says that they are all here.
        func shown() throws -> [String] { try redis.cli("HGETALL", "{flotilla}:limits").split(separator: "\n").map(String.init) }
        try await eventually("what was set before is shown: \(planner.errors)") { try shown() == ["1", "channel:email", "3/s"] }
        _ = try await run(["set", "channel:email", "none"])
        try await eventually("a change is shown") { try shown() == ["1", "channel:email", "none"] }
        _ = try await run(["clear", "channel:email"])
        try await eventually("what was taken back is gone") { try shown() == ["1"] }
        planner.signal(SIGTERM)
        _ = try await planner.end()
    }
}
