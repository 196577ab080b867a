import ArgumentParser
import Broker
import Collecting
import Delivery
import Foundation
import Ledger
import Logging
import Model
import Planning
import ServiceLifecycle
import Settings
import Telemetry

/// Sends one mailing in one process: plans, delivers, collects and reports.
struct Send: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Send a mailing: plan it, deliver it, collect the results, and report.",
        discussion: """
            Everything runs in this process, with a private Redis and a SQLite ledger, unless --redis and --ledger name others.
            Ctrl-C stops cleanly. The same command on the same ledger continues where it stopped, and sends nothing twice.

            Exit status: 0 when the mailing is sent and every recipient is accounted for; 1 when it failed or could not begin;
            2 when it has not ended (stopped, interrupted); 4 when it is paused; 5 when it has ended and nobody was sent to.
            """)

    @Argument(help: "The mailing's file (YAML): docs/mailing-file.md.", completion: .file(extensions: ["yaml", "yml"]))
    var mailing: String

    @Option(help: "The recipients' file (CSV or NDJSON), in place of the mailing's.")
    var recipients: String?

    @Option(help: "A provider of flotilla.yaml, or a URL: smtp://host:port, smtps://, http://, https://.")
    var provider: String?

    @Option(help: "Write the report as JSON to this file.")
    var report: String?

    @Option(help: "Groups of messages in flight at a time.")
    var concurrency: Int?

    @Flag(help: "Show no progress and no report.")
    var quiet = false

    @Flag(help: "Send the file as a new mailing, even if it was sent before.")
    var again = false

    @OptionGroup var options: RunOptions

    func validate() throws {
        if let concurrency, !(1...10_000).contains(concurrency) {
            throw ValidationError("--concurrency is a number from 1 to 10000")
        }
    }

    func run() async throws {
        var settings = try options.settings()
        if let concurrency { settings.worker.concurrency = concurrency }
        let terminal = Terminal()
        Log.bootstrap(
            level: quiet ? max(settings.log.level, .warning) : settings.log.level, format: settings.log.format,
            terminal: terminal)
        if let report, !FileManager.default.isWritableFile(atPath: URL(fileURLWithPath: report).deletingLastPathComponent().path) {
            throw CommandError("--report \(report): its folder is not there or cannot be written to")
        }
        // The input is checked before anything is started or written.
        let file = try MailingFile.load(mailing, overrides: .init(recipients: recipients, provider: provider))
        let job = try MailingPreparation.prepare(file, providers: settings.providers, hostname: settings.email.hostname)
        let leadership = try LedgerLock.acquire(ledger: settings.ledger.path)
        defer { leadership.release() }
        let redis = settings.redis.endpoint == nil ? try await PrivateRedis() : nil
        defer { redis?.stop() }
        let runtime = try RoleRuntime(settings, endpoint: redis?.endpoint, terminal: terminal)
        let ledger = try runtime.openLedger()
        let origin = URL(fileURLWithPath: mailing).standardizedFileURL.path
        let resolver = MailingResolver(ledger: ledger, job: job, origin: origin, again: again)
        let id: MailingID
        switch try await resolver.resolve() {
        case .finished(let earlier):
            if !quiet { print("This mailing was sent or stopped before, and is not sent again. To send it as a new mailing: --again\n") }
            return try await finish(earlier, ledger, settings)
        case .new, .resume:
            _ = try await ProviderCheck.check(
                job.provider, hostname: settings.email.hostname, responses: settings.worker.responses, group: runtime.group,
                logger: runtime.logger)
            id = try await resolver.commit()
        }
        let broker = try await runtime.openBroker("send")
        let progress = ProgressMonitor(
            id: id, name: job.mailing.name, ledger: ledger, terminal: terminal, isQuiet: quiet)
        let collector = runtime.collector(broker, ledger)
        let worker = runtime.worker(broker)
        try await runtime.run(
            runtime.optionalMetricsServer()
                + [
                    HealthMonitor(broker: broker, ledger: ledger, readiness: runtime.readiness, logger: runtime.logger),
                    runtime.heartbeat(.all, broker, worker: worker), collector, worker,
                    runtime.planner(
                        broker, ledger, only: id, isAlone: redis != nil,
                        lock: LockHolder(ledger: settings.ledger.path, held: leadership)),
                ], until: progress, worker: worker)
        // The private Redis ends with this process, so the last results are collected here.
        if redis != nil { await collector.drain() }
        await broker.close()
        try await finish(id, ledger, settings)
    }

    /// Prints the report; the exit status says how the mailing ended.
    private func finish(_ id: MailingID, _ ledger: SQLiteLedger, _ settings: Settings) async throws {
        guard let outcome = try await ledger.report(id, now: Clock.milliseconds()) else { return }
        let faults = try await ledger.recount(id)
        if let report {
            do {
                try outcome.json().write(to: URL(fileURLWithPath: report))
            } catch {
                StandardError.write("the report cannot be written to \(report); flotilla mailing report \(id) --json prints it")
                throw ExitCode(1)
            }
        }
        if !quiet {
            print(ReportText(outcome).text)
            print(
                """

                  More:  flotilla mailing report \(id) --ledger \(settings.ledger.path)
                         sqlite3 \(settings.ledger.path) "SELECT * FROM delivery WHERE state <> 'sent' LIMIT 10"
                """)
        }
        for fault in faults { StandardError.write("not reconciled: \(fault)") }
        if !outcome.balances || !faults.isEmpty { throw ExitCode(1) }
        if outcome.state == .failed {
            StandardError.write("mailing \(id): \(outcome.reason)")
            throw ExitCode(outcome.stateReason.kind == .nobody ? .nobody : .failed)
        }
        guard outcome.state == .sent else {
            let held = outcome.states[.uncertain] ?? 0
            if !quiet, held > 0 {
                print(
                    """

                    \(grouped(held)) recipients may have got their message, and wait for your decision:
                      flotilla mailing uncertain \(id) --ledger \(settings.ledger.path)
                    """)
            }
            // The reason of a mailing that is late for its start says what to do; the same command would not continue it.
            let isLate = outcome.state == .paused && outcome.started == nil && outcome.stateReason.kind != .person
            if !quiet, !isLate { print("\nThe mailing has not ended; the same command continues it.") }
            if outcome.state == .paused { StandardError.write("mailing \(id) is paused: \(outcome.reason)") }
            throw ExitCode(outcome.state == .paused ? .paused : .interrupted)
        }
    }
}
