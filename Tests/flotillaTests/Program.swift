import Foundation
import TestServers

/// The executable as its users run it.
enum Program {
    /// Beside the test bundle, where the build puts it.
    static var path: String {
        let bundle = CommandLine.arguments.first { $0.contains(".xctest") } ?? CommandLine.arguments[0]
        let parts = bundle.split(separator: "/", omittingEmptySubsequences: false)
        let end = parts.firstIndex { $0.hasSuffix(".xctest") } ?? parts.count - 1
        return parts[..<end].joined(separator: "/") + "/flotilla"
    }

    struct Outcome {
        var status: Int32
        var output: String
        var errors: String
    }

    /// What every test sets: short waits, quiet ports, a host name that is one.
    static let environment = [
        "FLOTILLA_METRICS_LISTEN": "off", "FLOTILLA_EMAIL_HOSTNAME": "mail.example.com",
        "FLOTILLA_WORKER_RETRY_BASE": "200ms", "FLOTILLA_WORKER_RETRY_CAP": "1s",
    ]

    /// Runs it to its end.
    static func run(
        _ arguments: [String], environment extra: [String: String] = [:], within seconds: Double = 60
    ) async throws -> Outcome {
        let folder = try TemporaryFolder()
        let process = try start(arguments, environment: extra, output: folder.path("out"), errors: folder.path("err"))
        do {
            try await eventually("flotilla \(arguments.first ?? "") ends", within: seconds) { !process.isRunning }
        } catch {
            kill(process.processIdentifier, SIGKILL)
            let words = try String(contentsOfFile: folder.path("err"), encoding: .utf8)
            throw TimedOut(description: "\(error): \(words.suffix(1000))")
        }
        return Outcome(
            status: process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus,
            output: try String(contentsOfFile: folder.path("out"), encoding: .utf8),
            errors: try String(contentsOfFile: folder.path("err"), encoding: .utf8))
    }

    static func start(
        _ arguments: [String], environment extra: [String: String] = [:], output: String, errors: String
    ) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment
            .merging(environment) { $1 }.merging(extra) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try writing(output)
        process.standardError = try writing(errors)
        try process.run()
        return process
    }

    private static func writing(_ path: String) throws -> FileHandle {
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        return try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    }
}

/// A long-running part of Flotilla under test; killed with its owner.
final class RunningProgram {
    let process: Process
    let folder: TemporaryFolder

    init(_ arguments: [String], environment: [String: String] = [:]) throws {
        folder = try TemporaryFolder()
        process = try Program.start(
            arguments, environment: environment, output: folder.path("out"), errors: folder.path("err"))
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    var output: String { (try? String(contentsOfFile: folder.path("out"), encoding: .utf8)) ?? "" }
    var errors: String { (try? String(contentsOfFile: folder.path("err"), encoding: .utf8)) ?? "" }

    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Waits for the end.
    /// - Returns: the exit status; a signal's number below zero.
    func end(within seconds: Double = 30) async throws -> Int32 {
        try await eventually("flotilla \(process.arguments?.first ?? "") ends: \(errors.suffix(500))", within: seconds) {
            !process.isRunning
        }
        return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }
}

/// Our own sink, for what smtp-sink cannot do: a record of every attempt, and failures by address.
final class RunningSink {
    private let program: RunningProgram
    let record: String
    let url: String

    init(_ scheme: String = "smtp", _ arguments: [String] = []) async throws {
        let folder = try TemporaryFolder()
        let record = folder.path("record.tsv")
        let program = try RunningProgram(["sink", "--\(scheme)", "127.0.0.1:0", "--record", record] + arguments)
        try await eventually("the sink listens: \(program.errors)") { program.output.contains("://") }
        self.program = program
        self.record = record
        self.folder = folder
        url = program.output.split(separator: "\n").first.map(String.init) ?? ""
    }

    private let folder: TemporaryFolder

    /// Recipients with an accepted message, each as often as it got one.
    func arrived() throws -> [String] { try lines().filter { $0[7] == "1" }.map { $0[3] } }

    /// Every message and its answer, by column (docs/sink.md).
    func lines() throws -> [[String]] {
        try String(contentsOfFile: record, encoding: .utf8).split(separator: "\n")
            .map { $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) }
    }

    /// Ends the sink, so that its record is whole.
    func stop() async throws {
        program.signal(SIGTERM)
        _ = try await program.end()
    }
}
