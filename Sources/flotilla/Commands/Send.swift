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

/// The main job in one process.
struct Send: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Send a mailing: plan it, deliver it, collect what became of everyone, and report.",
        discussion: """
            Everything runs in this process, with a private Redis and a SQLite ledger, unless --redis and --ledger name others.
            Ctrl-C stops cleanly. The same command on the same ledger goes on where it stopped, and sends nothing twice.

            Exit status: 0 when every recipient is accounted for; 2 when the mailing is not at its end (stopped, paused,
            interrupted); 1 when something is wrong, and then nothing was sent that the message does not tell.
            """)

    @Argument(help: "The mailing's file (YAML): docs/mailing-file.md.", completion: .file(extensions: ["yaml", "yml"]))
    var mailing: String

    @Option(help: "The recipients' file (CSV or NDJSON), in place of the mailing's.")
    var recipients: String?

    @Option(help: "A provider of flotilla.yaml, or a URL: smtp://host:port, smtps://, http://, https://.")
    var provider: String?

    @Option(help: "Write the report as JSON to this file.")
    var report: String?

    @Option(help: "Groups of messages on their way at once.")
    var concurrency: Int?

    @Flag(help: "Show no progress and no report.")
    var quiet = false

    @Flag(help: "Send a mailing again, as a new one, that was sent from this file before.")
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
            throw Refusal("--report \(report): its folder is not there or cannot be written to")
        }
        // What can be wrong with the input is found before anything is started or written.
        let file = try MailingFile.load(mailing, overrides: .init(recipients: recipients, provider: provider))
        let job = try MailingPreparation.prepare(file, providers: settings.providers, hostname: settings.email.hostname)
        let leadership = try LedgerLock.acquire(ledger: settings.ledger.path)
        defer { leadership.release() }
        let redis = settings.redis.endpoint == nil ? try await PrivateRedis() : nil
        defer { redis?.stop() }
        let runtime = try RoleRuntime(settings, endpoint: redis?.endpoint, terminal: terminal)
        let ledger = try runtime.openLedger()
        let origin = URL(fileURLWithPath: mailing).standardizedFileURL.path
        let intake = Intake(ledger: ledger, job: job, origin: origin, again: again)
        let id: MailingID
        switch try await intake.plan() {
        case .finished(let earlier):
            if !quiet { print("This mailing was sent (or stopped) before; nothing is sent again. To send it as a new mailing: --again\n") }
            return try await finish(earlier, ledger, settings)
        case .new, .goOn:
            _ = try await ProviderCheck.check(
                job.provider, hostname: settings.email.hostname, responses: settings.worker.responses, group: runtime.group,
                logger: runtime.logger)
            id = try await intake.commit()
        }
        let broker = try await runtime.openBroker("send")
        let follower = Follower(
            id: id, name: job.mailing.name, ledger: ledger, terminal: terminal, isQuiet: quiet)
        let collector = runtime.collector(broker, ledger)
        let worker = runtime.worker(broker)
        try await runtime.run(
            runtime.optionalMetricsServer()
                + [
                    Observer(broker: broker, ledger: ledger, readiness: runtime.readiness, logger: runtime.logger),
                    runtime.heartbeat(.all, broker, worker: worker), collector, worker,
                    runtime.planner(
                        broker, ledger, only: id, isAlone: redis != nil,
                        lock: LockHolder(ledger: settings.ledger.path, held: leadership)),
                ], until: follower, worker: worker)
        // Our Redis ends with us: what a slow provider answered after the grace is collected here.
        if redis != nil { await collector.drain() }
        await broker.close()
        try await finish(id, ledger, settings)
    }

    /// Reports, and says by the exit status how the mailing ended.
    private func finish(_ id: MailingID, _ ledger: SQLiteLedger, _ settings: Settings) async throws {
        guard let outcome = try await ledger.report(id, now: Clock.milliseconds()) else { return }
        let faults = try await ledger.recount(id)
        if let report {
            do {
                try outcome.json().write(to: URL(fileURLWithPath: report))
            } catch {
                FileHandle.standardError.write(
                    Data("the report cannot be written to \(report); flotilla mailing report \(id) --json prints it\n".utf8))
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
        for fault in faults { FileHandle.standardError.write(Data("the numbers do not add up: \(fault)\n".utf8)) }
        if !outcome.balances || !faults.isEmpty { throw ExitCode(1) }
        if outcome.state == .failed { throw ExitCode(1) }
        guard outcome.state == .sent else {
            let held = outcome.states[.uncertain] ?? 0
            if !quiet, held > 0 {
                print(
                    """

                    \(grouped(held)) recipients may or may not have got it, and wait for your decision:
                      flotilla mailing uncertain \(id) --ledger \(settings.ledger.path)
                    """)
            }
            // One that was held for its lateness says itself what to do; the same command would be held again.
            let isLate = outcome.state == .paused && outcome.started == nil && outcome.stateReason.kind != .person
            if !quiet, !isLate { print("\nNot at its end yet: the same command goes on with it.") }
            throw ExitCode(2)
        }
    }
}
