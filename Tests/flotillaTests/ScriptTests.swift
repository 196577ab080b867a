import Foundation
import TestServers
import Testing

/// Short forms of the long runs in `loadtest/`, each judged from the sink's record.
@Suite(.timeLimit(.minutes(5)), .serialized)
struct ScriptTests {
    private func run(_ name: String, _ arguments: [String]) async throws -> (status: Int32?, output: String) {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let folder = try TemporaryFolder()
        let script = try ServerProcess(
            root.appending(path: "loadtest/\(name)").path, arguments + ["--flotilla", Program.path], package: "python3",
            environment: Program.surroundings,
            output: folder.path("out"), errors: folder.path("err"))
        try await eventually("loadtest/\(name) ends", within: 280) { !script.isRunning }
        let texts = ["out", "err"].map { (try? String(contentsOfFile: folder.path($0), encoding: .utf8)) ?? "" }
        return (script.ended, texts.joined(separator: "\n"))
    }

    /// `loadtest/chaos --nightly` is the long one.
    @Test func aFleetThatBadThingsAreDoneToLosesNobodyAndDoublesNobody() async throws {
        let run = try await run("chaos", ["--seed", "7", "--short"])
        #expect(run.status == 0, "\(run.output)")
        #expect(run.output.contains("PASSED: nobody lost, nobody twice"))
    }

    /// What the command line alone decides: the run itself is `loadtest/chaos --ledger postgres`.
    @Test func theAdversaryTakesPostgreSQLWithItsFaultsAndNoneOfTheOtherEngine() async throws {
        let help = try await run("chaos", ["--help"])
        #expect(help.status == 0 && help.output.contains("--ledger {sqlite,postgres}"), "\(help)")
        for (arguments, words) in [
            (["--ledger", "oracle"], "invalid choice"),
            (["--ledger", "postgres", "--faults", "disk"], "disk cannot be done to a ledger in postgres"),
            (["--ledger", "sqlite", "--faults", "postgres-kill"], "postgres-kill cannot be done to a ledger in sqlite"),
            (["--ledger", "postgres", "--faults", "nonsense"], "nonsense"), (["--pgbouncer"], "--pgbouncer is for --ledger postgres"),
            (["--ledger", "postgres", "--faults", "pgbouncer-kill"], "pgbouncer-kill is done with --pgbouncer"),
            (["--ledger", "postgres", "--pgbouncer", "--faults", "postgres-sync"], "a standby cannot take over behind --pgbouncer"),
        ] {
            let refused = try await run("chaos", arguments + ["--short"])
            #expect(refused.status == 2 && refused.output.contains(words), "\(arguments): \(refused)")
        }
    }

    /// An asynchronous one, which lacks what the primary wrote last. `loadtest/postgres-faults` is the long one, with a synchronous one
    /// too.
    @Test func aStandbyThatTakesOverLosesNobodyAndDoublesNobody() async throws {
        let run = try await run(
            "chaos", ["--seed", "7", "--short", "--recipients", "2000", "--ledger", "postgres", "--script", "3:postgres-promote:1"])
        #expect(run.status == 0, "\(run.output)")
        #expect(run.output.contains("PASSED: nobody lost, nobody twice"))
    }

    @Test func aProviderThatFailsInAllWaysThatPassCostsNobodyTheMessage() async throws {
        let run = try await run("failing", ["--short", "--rate", "150", "--recipients", "1200", "--ratio", "6"])
        #expect(run.status == 0, "\(run.output)")
        #expect(run.output.contains("PASSED"))
    }

    /// The machine is shared with other tests: what is told here is gross, `loadtest/throttle` alone tells it exactly.
    @Test func twoWorkersKeepALimitTogether() async throws {
        let run = try await run(
            "throttle", ["--cases", "500/s,provider", "--workers", "2", "--seconds", "6", "--use", "0.02", "--tolerance", "0.1"])
        #expect(run.status == 0, "\(run.output)")
        #expect(run.output.contains("PASSED: every limit kept and used"))
    }
}
