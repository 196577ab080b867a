import Foundation
import TestServers
import Testing

/// Commands of the laboratory under the names that they had in `flotilla`.
@Suite struct MovedCommandTests {
    @Test func theOldNameWarnsOnceAndDoesTheSame() async throws {
        let words = ["generate", "recipients", "20", "--seed", "7"]
        let old = try await Program.run(words)
        let new = try await Program.run(words, of: .laboratory)
        #expect(old.status == 0 && old.output == new.output && !new.output.isEmpty)
        let lines = old.errors.split(separator: "\n")
        #expect(lines.first == "warning: 'flotilla generate' has become 'flotilla-lab generate'; the next version drops the old name")
        #expect(lines.dropFirst().joined(separator: "\n") == new.errors.split(separator: "\n").joined(separator: "\n"))
    }

    @Test func theExitStatusIsThatOfTheLaboratory() async throws {
        let words = ["loadtest", "run", "/no/scenario.yaml"]
        let old = try await Program.run(words)
        let new = try await Program.run(words, of: .laboratory)
        #expect(old.status == 2 && new.status == 2, "\(old.errors)")
    }

    @Test func signalsReachTheSink() async throws {
        let sink = try RunningProgram(["sink", "--smtp", "127.0.0.1:0"])
        try await eventually("the sink listens: \(sink.errors)") { sink.output.contains("smtp://") }
        sink.signal(SIGTERM)
        #expect(try await sink.end() == 0)
        #expect(sink.errors.contains("accepted 0"), "\(sink.errors)")
    }

    @Test func aMissingLaboratoryIsNamedWithTheWayOut() async throws {
        let folder = try TemporaryFolder()
        let alone = folder.path("flotilla")
        // By a process of its own: a copy that is open for writing in ours could be inherited by another test's child, and not be run.
        #expect(try ServerProcess("cp", [Program.path, alone], package: "coreutils").wait() == 0)
        let run = try ServerProcess(alone, ["simulate", "x.yaml"], package: "flotilla", errors: folder.path("err"))
        #expect(run.wait() == 1)
        let said = try String(contentsOfFile: folder.path("err"), encoding: .utf8)
        #expect(said.contains("\(alone)-lab cannot be started") && said.contains("deploy/build"), "\(said)")
    }

    @Test func helpNamesTheLaboratoryAndHidesItsCommands() async throws {
        let help = try await Program.run(["--help"]).output
        #expect(help.contains("flotilla-lab"))
        #expect(!help.contains("simulate") && !help.contains("loadtest"))
        let laboratory = try await Program.run(["--help"], of: .laboratory).output
        #expect(["sink", "generate", "loadtest", "simulate"].allSatisfy { laboratory.contains($0) })
    }
}
