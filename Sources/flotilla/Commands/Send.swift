import ArgumentParser
import Broker
import Collecting
import CommandSupport
import Control
import Delivery
import Foundation
import Ledger
import Logging
import Model
import Planning
import Policy
import ServiceLifecycle
import Settings
import Telemetry
import Text
import Transport

/// Sends one mailing in one process: plans, delivers, collects and reports.
struct Send: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send", abstract: "Send a mailing: plan it, deliver it, collect the results, and report.",
        discussion: """
            Everything runs in this process, with a private Redis and a SQLite ledger, unless --redis and --ledger, or the settings, name
            others.
            Ctrl-C stops cleanly. The same command on the same ledger continues where it stopped, and sends nothing twice.
            A mailing is known by its `key:`, or else by its file. What was sent is sent again only with --again or --only-new.

            Exit status: 0 when the mailing is sent and every recipient is accounted for; 1 when it failed or could not begin;
            2 when it was interrupted or stopped; 4 when it is paused; 5 when it has ended and nobody was sent to; 6 when it was sent
            before.
            """)

    @Argument(help: "The mailing's file (YAML): docs/mailing-file.md.", completion: .file(extensions: ["yaml", "yml"]))
    var mailing: String

    @Option(help: "The recipients' file (CSV or NDJSON), in place of the mailing's.")
    var recipients: String?

    @Option(help: "A provider of flotilla.yaml, or a URL: smtp://host:port, smtps://, http://, https://.")
    var provider: String?

    @Option(help: "Write the report as JSON to this file, in place of an earlier report; - is the standard output, for it alone.")
    var report: String?

    @Option(help: "Groups of messages in flight at a time.")
    var concurrency: Int?

    @Flag(help: "Show no progress and no report. Logs stay: log.level says which.")
    var quiet = false

    @OptionGroup var repeating: RepeatOptions

    @Option(help: "Your name as the audit log and others see it; by default your login name.")
    var actor: String?

    @OptionGroup var options: RunOptions

    func validate() throws {
        if let concurrency, !(1...10_000).contains(concurrency) {
            throw ValidationError("--concurrency is a number from 1 to 10000")
        }
        try ProviderArgument.check(provider)
        if let actor { do { _ = try OrderActor(actor) } catch { throw ValidationError("--actor: \(error)") } }
    }

    func run() async throws {
        // Whatever it does when a signal comes, the mailing has not ended.
        SignalHandler.endAtOnce(status: .interrupted)
        var settings = try options.settings()
        if let concurrency { settings.worker.concurrency = concurrency }
        let terminal = Terminal()
        Log.bootstrap(
            level: settings.log.level, format: settings.log.format, terminal: terminal)
        let job = try prepare(settings)
        try await NewLedger(settings, near: [mailing], sending: repeating.again ? nil : job.identity).requireWanted()
        let leadership = try settings.acquireLock()
        defer { leadership?.release() }
        let keys = try settings.trackerKeys(makes: true)
        let redis = try await PrivateRedis.unlessNamed(in: settings, near: [mailing])
        defer { redis?.stop() }
        let runtime = try RoleRuntime(
            settings, privateRedis: redis, servesLinks: true, terminal: terminal, statusBeforeRun: .interrupted)
        try runtime.checkConnections()
        let ledger = try runtime.openLedger(near: [mailing])
        let origin = URL(fileURLWithPath: mailing).standardizedFileURL.path
        let resolver = MailingResolver(
            ledger: ledger, job: job, file: mailing, origin: origin, policy: repeating.policy,
            ledgerOption: options.ledger)
        let decision = try await resolver.resolve()
        try await resolver.say(decision)
        var provider = job.provider
        if case .goOn(let record) = decision { provider = try MailingPreparation.provider(record.mailing.provider, settings.providers) }
        try await check(provider, settings, runtime)
        let id = try await resolver.commit(
            Control(ledger: ledger, broker: nil, logger: runtime.logger), by: actor.map { try OrderActor($0) } ?? .user)
        let broker = try await runtime.openBroker("send")
        let progress = ProgressMonitor(
            id: id, name: job.mailing.name, ledger: ledger, ledgerHint: settings.ledger.hint, terminal: terminal, isQuiet: quiet,
            logger: runtime.logger)
        let brake = runtime.brake(ledger)
        let collector = runtime.collector(broker, ledger, brake)
        let events = runtime.eventCollector(broker, ledger)
        let receipts = runtime.receiptCollector(broker, ledger, brake)
        let worker = try runtime.worker(broker, trackerKeys: keys)
        try await runtime.run(
            "send",
            (redis.map { [$0] } ?? []) + runtime.optionalMetricsServer() + runtime.optionalTracker(broker, keys: keys)
                + [
                    HealthMonitor(broker: broker, ledger: ledger, readiness: runtime.readiness, logger: runtime.logger),
                    runtime.heartbeat(.all, broker, worker: worker), brake, collector, events, receipts,
                    runtime.answering(broker, ledger, keys: keys), worker,
                    runtime.planner(
                        broker, ledger, only: id, isAlone: redis != nil, trackerKeys: keys,
                        lock: settings.ledger.place.file.map { LockHolder(ledger: $0, held: leadership) }),
                ], until: progress, worker: worker)
        await redis?.end(collector, events, receipts, broker, ledger)
        await broker.close()
        if settings.tracker.url != nil {
            runtime.logger.notice(
                "links of its messages are answered while flotilla up or flotilla tracker runs; the tracker of this process has ended")
        }
        try await finish(id, ledger, settings)
    }

    /// Where the report is written; nil for the standard output.
    private var reportFile: String? { report == OutputFile.standardOutput ? nil : report }

    /// Nothing is shown on the standard output for people.
    private var isSilent: Bool { quiet || report == OutputFile.standardOutput }

    /// Checks the input, before anything is started or written.
    private func prepare(_ settings: Settings) throws -> PreparedJob {
        if let report = reportFile {
            try OutputFile.check(report, option: "--report")
        }
        let file = try MailingFile.load(mailing, overrides: .init(recipients: recipients, provider: provider))
        var job = try MailingPreparation.prepare(
            file, providers: settings.providers, tracker: settings.tracker.publicAddresses)
        job.headers = settings.email.headers
        job.warnings.forEach(StandardError.warn)
        if let report = reportFile {
            let inputs = [mailing, job.source.file, options.config ?? Settings.usualFile]
            try OutputFile.check(report, option: "--report", against: inputs, ledger: settings.ledger.place.file, of: "the mailing")
            try OutputFile.requireFree(report, option: "--report", remedy: "it is no report: name another file", unless: SentReport.isOne)
        }
        return job
    }

    /// Connects to the provider once; one that cannot serve now and may later is a warning.
    private func check(_ provider: Provider, _ settings: Settings, _ runtime: RoleRuntime) async throws {
        do throws(TransportError) {
            _ = try await ProviderCheck.check(
                provider, hostname: settings.email.hostname, responses: settings.worker.responses, group: runtime.group,
                logger: runtime.logger)
        } catch {
            guard error.isPassing else { throw error }
            runtime.logger.warning("\(error); the mailing begins all the same, and each message is tried again until it is sent")
        }
    }

    /// Prints the report; the exit status says how the mailing ended.
    private func finish(_ id: MailingID, _ ledger: any OpenLedger, _ settings: Settings) async throws {
        guard let outcome = try await ledger.report(id, now: Clock.milliseconds()) else { return }
        let faults = try await ledger.recount(id)
        let quiet = isSilent
        if let report {
            if let error = SentReport.write(try outcome.json(), to: report) {
                StandardError.write(
                    "the report cannot be written to \(report) (\(String(cString: strerror(error)))); "
                        + "flotilla mailing report \(id)\(settings.ledger.hint) --output json prints it")
                throw ExitCode(.failed)
            }
        }
        if !quiet {
            StandardOutput.write(ReportText(outcome, ledger: settings.ledger.hint, rules: settings.visitors.version).text)
            StandardOutput.write("\n  More:  flotilla mailing report \(id)\(settings.ledger.hint)")
            if let file = settings.ledger.place.file {
                StandardOutput.write("         sqlite3 \(file) \"SELECT * FROM delivery WHERE state <> 'sent' LIMIT 10\"")
            }
        }
        for fault in faults { StandardError.write("not reconciled: \(fault)") }
        let before = outcome.excluded[.sentBefore] ?? 0
        if !quiet, before > 0, outcome.planned == 0 { StandardOutput.write("\nNobody is new: \(grouped(before)) in the file have had it.") }
        if !outcome.balances || !faults.isEmpty { throw ExitCode(.failed) }
        if outcome.state == .failed {
            StandardError.write("error: mailing \(id): \(outcome.reason)")
            throw ExitCode(outcome.stateReason.kind == .nobody ? .nobody : .failed)
        }
        guard outcome.state == .sent else {
            let held = outcome.states[.uncertain] ?? 0
            if !quiet, held > 0 {
                StandardOutput.write(
                    """

                    \(counted(held, "recipient")) may have got their message and \(held == 1 ? "waits" : "wait") for your decision:
                      flotilla mailing uncertain \(id)\(settings.ledger.hint)
                    """)
            }
            if outcome.state == .paused, outcome.stateReason.needsPerson, let record = try await ledger.mailing(id) {
                StandardError.write("error: \(PausedText(record).text)")
            } else {
                if !quiet, outcome.state != .stopped {
                    StandardOutput.write("\nThe mailing has not ended; the same command continues it.")
                }
                if outcome.state == .paused { StandardError.write("error: mailing \(id) is paused: \(outcome.reason)") }
            }
            throw ExitCode(outcome.state == .paused ? .paused : .interrupted)
        }
    }
}
