import Foundation
import TestServers

/// The executables as their users run them.
enum Program: String {
    case flotilla
    case laboratory = "flotilla-lab"

    static var path: String { flotilla.path }

    /// Beside the test bundle, where the build puts it.
    var path: String {
        let bundle = CommandLine.arguments.first { $0.contains(".xctest") } ?? CommandLine.arguments[0]
        let parts = bundle.split(separator: "/", omittingEmptySubsequences: false)
        let end = parts.firstIndex { $0.hasSuffix(".xctest") } ?? parts.count - 1
        return parts[..<end].joined(separator: "/") + "/" + rawValue
    }

    struct Outcome {
        var status: Int32
        var output: String
        var errors: String
    }

    /// Our own environment, without what is for the tests or would change the program's settings.
    static var surroundings: [String: String] {
        ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("FLOTILLA_") }
    }

    /// What every test sets: short waits, quiet ports, a host name that is one.
    static let environment = [
        "FLOTILLA_METRICS_LISTEN": "off", "FLOTILLA_EMAIL_HOSTNAME": "mail.example.com",
        "FLOTILLA_WORKER_RETRY_BASE": "200ms", "FLOTILLA_WORKER_RETRY_CAP": "1s",
    ]

    /// What a Redis replies, as `redis-cli` prints it.
    static func redis(_ arguments: [String], socket: String) async throws -> String {
        let folder = try TemporaryFolder()
        let client = try ServerProcess(
            "redis-cli", ["-s", socket] + arguments, package: "redis-tools", output: folder.path("out"))
        _ = client.wait()
        return try String(contentsOfFile: folder.path("out"), encoding: .utf8)
    }

    /// Runs it to its end.
    static func run(
        _ arguments: [String], of program: Program = .flotilla, environment extra: [String: String] = [:], within seconds: Double = 150
    ) async throws -> Outcome {
        let program = try RunningProgram(arguments, of: program, environment: extra)
        let status = try await program.end(within: seconds)
        return Outcome(status: status, output: program.output, errors: program.errors)
    }
}

/// A run of an executable; killed with its owner.
final class RunningProgram: Sendable {
    let process: ServerProcess
    private let arguments: [String]
    private let folder: TemporaryFolder

    convenience init(_ arguments: [String], of program: Program = .flotilla, environment extra: [String: String] = [:]) throws {
        try self.init(path: program.path, arguments, package: program.rawValue, environment: extra)
    }

    /// - Parameter shell: a command line that runs the program.
    convenience init(shell: String) throws { try self.init(path: "bash", ["-c", shell], package: "bash", environment: [:]) }

    private init(path: String, _ arguments: [String], package: String, environment extra: [String: String]) throws {
        folder = try TemporaryFolder()
        self.arguments = arguments
        process = try ServerProcess(
            path, arguments, package: package,
            environment: Program.surroundings.merging(Program.environment) { $1 }.merging(extra) { $1 },
            output: folder.path("out"), errors: folder.path("err"))
    }

    var output: String { (try? String(contentsOfFile: folder.path("out"), encoding: .utf8)) ?? "" }
    var errors: String { (try? String(contentsOfFile: folder.path("err"), encoding: .utf8)) ?? "" }

    func signal(_ number: Int32) { process.signal(number) }

    /// Waits for the end.
    /// - Returns: the exit status; a signal's number below zero.
    func end(within seconds: Double = 150) async throws -> Int32 {
        do {
            try await eventually("flotilla \(arguments.joined(separator: " ")) ends", within: seconds) { !process.isRunning }
        } catch {
            throw TimedOut(description: "\(error): \(errors.suffix(1000))")
        }
        return process.ended ?? 0
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
        let program = try RunningProgram(["sink", "--\(scheme)", "127.0.0.1:0", "--record", record] + arguments, of: .laboratory)
        try await eventually("the sink listens: \(program.errors)") { program.output.contains("://") }
        self.program = program
        self.record = record
        self.folder = folder
        url = program.output.split(separator: "\n").first.map(String.init) ?? ""
    }

    private let folder: TemporaryFolder

    /// Recipients with an accepted message, each as often as it got one.
    func arrived() throws -> [String] { try lines().filter { $0[7] == "1" }.map { $0[3] } }

    /// Every message and its response, by column (docs/sink.md); of a line that is being written nothing.
    func lines() throws -> [[String]] {
        let text = try String(contentsOfFile: record, encoding: .utf8)
        return text[..<(text.lastIndex(of: "\n") ?? text.startIndex)].split(separator: "\n")
            .map { $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) }
    }

    /// Ends the sink, so that its record is whole.
    func stop() async throws {
        program.signal(SIGTERM)
        _ = try await program.end()
    }
}
