import Foundation
import TestServers

/// A fleet of processes on a Redis of its own, with a sink and one mailing; what tests do bad things to.
final class Fleet {
    let sink: RunningSink
    let redis: RedisServer
    let mailing: MailingFolder
    let id: String
    private let environment: [String: String]
    private(set) var roles: [String: RunningProgram] = [:]
    /// Roles that were killed or replaced; their logs are still of interest.
    private var gone: [RunningProgram] = []

    /// - Parameters:
    ///   - sink: options of the sink.
    ///   - extra: lines for the mailing file.
    ///   - categories: those that the ledger knows.
    init(
        _ count: Int, sink options: [String] = ["--latency", "5ms"], extra: String = "batch_size: 100\n", categories: [String] = [],
        local: (Int) -> String = { "person\($0)" }, environment extraEnvironment: [String: String] = [:]
    ) async throws {
        sink = try await RunningSink("smtp", options)
        redis = try await RedisServer()
        mailing = try MailingFolder(
            provider: sink.url, recipients: MailingFolder.recipients(count, local), extra: extra)
        environment = [
            "FLOTILLA_REDIS_URL": "unix://\(redis.socket)", "FLOTILLA_LEDGER_PATH": mailing.ledger,
            "FLOTILLA_WORKER_LEASE": "3s", "FLOTILLA_PLANNER_LEASE": "2s",
        ].merging(extraEnvironment) { $1 }
        if !categories.isEmpty {
            let known = try await Program.run(["suppressions", "categories", "add"] + categories, environment: environment)
            guard known.status == 0 else { throw TimedOut(description: known.errors) }
        }
        let added = try await Program.run(["mailing", "add", mailing.mailing], environment: environment)
        guard added.status == 0 else { throw TimedOut(description: added.errors) }
        id = added.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Starts roles; what stands behind a dash only tells them apart: `worker-1`.
    func start(_ names: String..., environment extra: [String: String] = [:]) throws {
        for name in names {
            if let old = roles[name] { gone.append(old) }
            let role = String(name.prefix { $0 != "-" })
            roles[name] = try RunningProgram([role], environment: environment.merging(extra) { $1 })
        }
    }

    func signal(_ name: String, _ number: Int32) { roles[name]?.signal(number) }

    /// SIGSTOP, outside of a transaction: a process that is frozen within one keeps the ledger locked, as SQLite will have it.
    func freeze(_ name: String) async throws {
        for _ in 1...20 {
            signal(name, SIGSTOP)
            if try isLedgerFree(within: 300) { return }
            signal(name, SIGCONT)
            // It continues to the end of its transaction at least.
            _ = try isLedgerFree(within: 10_000)
        }
        throw TimedOut(description: "\(name) is frozen in a transaction again and again")
    }

    private func isLedgerFree(within milliseconds: Int) throws -> Bool {
        let folder = try TemporaryFolder()
        let shell = try ServerProcess(
            "sqlite3", ["-cmd", ".timeout \(milliseconds)", mailing.ledger, "BEGIN IMMEDIATE; COMMIT"], package: "sqlite3",
            output: folder.path("out"), errors: folder.path("err"))
        return shell.wait() == 0
    }

    /// SIGTERM, and the exit status.
    func end(_ name: String, within seconds: Double = 150) async throws -> Int32 {
        signal(name, SIGTERM)
        return try await roles[name]?.end(within: seconds) ?? 0
    }

    /// SIGKILL.
    func kill(_ name: String) async throws {
        signal(name, SIGKILL)
        _ = try await roles[name]?.end()
    }

    func endAll() async throws {
        for (name, role) in roles where role.process.isRunning { _ = try await end(name) }
        try await sink.stop()
    }

    func errors(_ name: String) -> String { roles[name]?.errors ?? "" }

    /// All logs, for a failing test's message.
    var logs: String {
        (gone.map { ("gone", $0) } + roles.map { ($0.key, $0.value) })
            .map { "--- \($0.0)\n\($0.1.errors.suffix(1500))" }.joined(separator: "\n")
    }

    /// Adds a mailing of its own provider.
    /// - Parameter body: of a webhook; nil for e-mail.
    func add(_ count: Int, provider: String, body: String? = nil) async throws -> String {
        let folder = try MailingFolder(provider: provider, recipients: MailingFolder.recipients(count), body: body)
        others.append(folder)
        let added = try await run("mailing", "add", folder.mailing)
        guard added.status == 0 else { throw TimedOut(description: added.errors) }
        return added.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private var others: [MailingFolder] = []

    /// Changes the mailing's speed. A test that disturbs a mailing sends it slowly until then, so that it is still on, however long the
    /// test takes on a busy machine, and continues at full speed.
    func speed(_ speed: String) async throws {
        let outcome = try await run("mailing", "speed", id, speed)
        guard outcome.status == 0 else { throw TimedOut(description: outcome.errors) }
    }

    func run(_ arguments: String...) async throws -> Program.Outcome {
        try await Program.run(arguments, environment: environment)
    }

    /// Waits until the mailing is in a state.
    func state(_ wanted: String, within seconds: Double = 150) async throws {
        do {
            try await eventually("the mailing is \(wanted)", within: seconds) {
                try self.mailing.query("SELECT state FROM mailing") == [wanted]
            }
        } catch {
            throw TimedOut(description: "\(error): \(try mailing.query("SELECT state, n FROM counter"))\n\(logs)")
        }
    }

    /// Addresses on the uncertain list.
    func listed() throws -> Set<String> {
        Set(
            try mailing.query(
                "SELECT d.address FROM uncertain u JOIN delivery d ON d.mailing = u.mailing AND d.batch = u.batch AND d.idx = u.idx"))
    }

    /// Addresses that got more than one message.
    func doubled() throws -> Set<String> {
        Set(Dictionary(grouping: try sink.arrived()) { $0 }.filter { $0.value.count > 1 }.keys)
    }
}
