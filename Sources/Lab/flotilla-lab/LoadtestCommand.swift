import ArgumentParser
import CommandSupport
import Foundation
import Loadtest
import Settings
import Telemetry
import Text
import UnixSignals

/// Load tests that judge themselves.
struct LoadtestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "loadtest", abstract: "Run a load test and judge it by its own expectations: docs/loadtest.md.",
        subcommands: [Run.self])

    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "run", abstract: "Start a fleet and its providers as a scenario says, send, and judge what arrived.",
            discussion: """
                What was lost, doubled or slow is told from the receiving side's record. Everything that is started ends with the run.

                Exit status: 0 when all that the scenario expects was met, 1 when not, 2 when it could not be run.
                """)

        @Argument(help: "The scenario's file (YAML), one of loadtest/scenarios for instance.", completion: .file(extensions: ["yaml"]))
        var scenario: String

        @Option(
            help: ArgumentHelp(
                "Write the report to this file: as JSON where its name ends with .json, else as a page with plots (HTML); may be repeated.",
                valueName: "file"))
        var report: [String] = []
        @Option(help: .hidden) var json: String?
        @Flag(help: "Keep the run's folder: configuration, ledger, logs, records.") var keep = false
        @Option(help: ArgumentHelp("Keep the sinks' records in this folder.", valueName: "dir")) var record: String?
        @Option(help: "Recipients of the largest mailing; the others in proportion.") var recipients: Int?
        @Option(help: "Recipients by this factor: 0.01 for a quick try.") var scale: Double?
        @Option(help: "Workers at the start, in place of the scenario's (and of its steps).") var workers: Int?
        @Option(help: ArgumentHelp("The flotilla to test; the one beside this program where nothing is said.", valueName: "file"))
        var flotilla: String?
        @Flag(help: "Show nothing while it runs.") var quiet = false

        func validate() throws {
            if let recipients, recipients < 1 { throw ValidationError("--recipients is a number from 1") }
            if let scale, !(scale > 0 && scale <= 1_000) { throw ValidationError("--scale is a factor above 0, such as 0.01, up to 1000") }
            if recipients != nil, scale != nil { throw ValidationError("--recipients and --scale exclude each other") }
            if let workers, !(0...1_000).contains(workers) { throw ValidationError("--workers is a number from 0 to 1000") }
        }

        func run() async throws {
            let scenario = try load()
            if json != nil { StandardError.warn("--json FILE is deprecated; write --report FILE.json") }
            for path in report + [json].compactMap(\.self) {
                do {
                    try OutputFile.check(path, option: "--report")
                    try OutputFile.requireFree(
                        path, option: "--report", remedy: "it is no report: name another file", unless: Self.isReport)
                } catch { throw Self.cannot("\(error)") }
            }
            guard let laboratory = Bundle.main.executableURL else { throw Self.cannot("the path of this program is unknown") }
            let beside = laboratory.deletingLastPathComponent().appending(path: "flotilla").path
            let executable = flotilla ?? beside
            guard FileManager.default.isExecutableFile(atPath: executable) else {
                throw Self.cannot("\(executable) is missing or cannot be run: build it with deploy/build, or name another with --flotilla")
            }
            var options = LoadTest.Options(executable: executable, laboratory: laboratory.path, version: Build.version)
            options.keep = keep
            options.records = record
            let screen = Screen()
            let test = LoadTest(scenario, options: options) { [quiet] state in if !quiet { screen.show(state) } }
            let result: RunResult
            do {
                result = try await InterruptibleRun.run { try await test.run() }
            } catch is CancellationError {
                throw Self.cannot("interrupted; all that was started has ended, and there is no verdict")
            } catch {
                throw Self.cannot("\(error)")
            }
            screen.leave()
            do {
                if let json { try result.json().write(to: URL(fileURLWithPath: json), options: Self.writing(json)) }
                for path in report {
                    let content = path.lowercased().hasSuffix(".json") ? try result.json() : try Data(HTMLReport(result).text.utf8)
                    try content.write(to: URL(fileURLWithPath: path), options: Self.writing(path))
                }
            } catch {
                throw Self.cannot("the result cannot be written: \(error.localizedDescription)")
            }
            StandardOutput.write(VerdictText(result).text)
            if !result.good { throw ExitCode(1) }
        }

        /// A file is replaced as a whole; a pipe cannot be.
        private static func writing(_ path: String) -> Data.WritingOptions {
            FileStatus(path: path).map { $0.kind == .regular } ?? true ? .atomic : []
        }

        /// Whether a file begins as a report does, which a new one replaces.
        private static func isReport(_ path: String) -> Bool {
            guard let file = FileHandle(forReadingAtPath: path), let head = try? file.read(upToCount: 15) else { return false }
            return path.lowercased().hasSuffix(".json") ? head.first == UInt8(ascii: "{") : head.elementsEqual("<!DOCTYPE html>".utf8)
        }

        private func load() throws -> Scenario {
            do {
                var scenario = try ScenarioFile.read(scenario)
                if let recipients { scenario = scenario.sized(largest: recipients) }
                if let scale { scenario = scenario.scaled(by: scale) }
                if let workers {
                    scenario.fleet.workers = workers
                    scenario.steps = nil
                }
                return scenario
            } catch {
                throw Self.cannot("\(error)")
            }
        }

        /// Says why it could not be run.
        private static func cannot(_ text: String) -> ExitCode {
            StandardError.write("error: \(text)")
            return ExitCode(2)
        }
    }
}

/// Work that SIGINT and SIGTERM cancel, once: it then ends what it started, and a second signal does not hurry it.
enum InterruptibleRun {
    static func run<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup)
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await work() }
            group.addTask {
                for await _ in signals { return nil }
                return nil
            }
            guard let first = try await group.next() else { throw CancellationError() }
            group.cancelAll()
            // Whether the work has ended, or is still ending its processes.
            if let value = first { return value }
            while let rest = try await group.next() { if let value = rest { return value } }
            throw CancellationError()
        }
    }
}
