import Foundation
import Testing
import TestServers

/// The adversary's short form; `loadtest/chaos --nightly` is the long one.
@Suite(.timeLimit(.minutes(5)))
struct ChaosTests {
    @Test func aFleetThatBadThingsAreDoneToLosesNobodyAndDoublesNobody() async throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let folder = try TemporaryFolder()
        let chaos = try ServerProcess(
            root.appending(path: "loadtest/chaos").path, ["--seed", "7", "--short", "--flotilla", Program.path],
            package: "python3", environment: ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("FLOTILLA_") },
            output: folder.path("out"), errors: folder.path("err"))
        try await eventually("the adversary has done its worst", within: 280) { !chaos.isRunning }
        let output = (try? String(contentsOfFile: folder.path("out"), encoding: .utf8)) ?? ""
        let errors = (try? String(contentsOfFile: folder.path("err"), encoding: .utf8)) ?? ""
        #expect(chaos.ended == 0, "\(output)\n\(errors)")
        #expect(output.contains("PASSED: nobody lost, nobody twice"))
    }
}
