import Foundation
import TestServers
import Testing

/// What the README shows works as it stands there.
@Suite struct ReadmeTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    @Test func theFirstMailingIsSentByWhatIsPasted() async throws {
        let page = try String(contentsOf: Self.root.appending(path: "README.md"), encoding: .utf8)
        let section = try #require(page.split(separator: "## Send your own mailing").last)
        let block = try #require(section.split(separator: "```\n").dropFirst().first)
        let folder = try TemporaryFolder()
        // The programs are built already, and the port of the page may be another test's.
        let built = try folder.write("#!/bin/sh\necho '\(URL(filePath: Program.path).standardizedFileURL.path)'\n", to: "build")
        try FileManager.default.createDirectory(atPath: folder.path("deploy"), withIntermediateDirectories: true)
        try FileManager.default.moveItem(atPath: built, toPath: folder.path("deploy/build"))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path("deploy/build"))
        let port = try freePort()
        let script = "set -em\ncd '\(folder.path)'\n" + block.replacing("2525", with: "\(port)")
        let output = folder.path("output")
        let process = try ServerProcess(
            "/bin/bash", ["-c", script], package: "bash", environment: Program.surroundings.merging(Program.environment) { $1 },
            output: output,
            errors: folder.path("errors"))
        try await eventually("the block ends", within: 60) { !process.isRunning }
        #expect(process.ended == 0)
        let text = try String(contentsOfFile: output, encoding: .utf8)
        #expect(text.contains("'Hello' by email: sent"), "\(text)")
        #expect(text.contains(#/reconciled +yes/#), "\(text)")
    }
}
