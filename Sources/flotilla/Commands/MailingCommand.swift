import ArgumentParser
import Foundation
import Ledger
import Logging
import Model
import Planning
import Policy
import Settings
import Telemetry

/// Questions and orders about the mailings of a ledger.
struct MailingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mailing", abstract: "List, show, report, pause, resume or stop the mailings of a ledger.",
        subcommands: [
            List.self, Show.self, Report.self, Recipient.self, History.self, Add.self, Pause.self, Resume.self, Stop.self,
            Speed.self, Uncertain.self,
        ])
}

/// Names the ledger.
struct LedgerOptions: ParsableArguments {
    @Option(help: "The configuration file; ./flotilla.yaml where it exists.")
    var config: String?

    @Option(help: "The ledger's file (SQLite).")
    var ledger: String?

    func settings() throws -> Settings {
        var settings = try Settings.loadWithWarnings(file: config)
        if let ledger { settings.ledger.path = ledger }
        Log.bootstrap(level: .warning, format: .human, terminal: Terminal())
        return settings
    }

    /// Opens an existing ledger. It never creates one.
    func open() throws -> SQLiteLedger { try open(settings()) }

    func open(_ settings: Settings) throws -> SQLiteLedger {
        let path = settings.ledger.path
        guard FileManager.default.fileExists(atPath: path) else {
            throw CommandError("there is no ledger \(path); name one with --ledger")
        }
        return try SQLiteLedger.open(path, logger: Logger(label: "flotilla"))
    }
}

struct MailingArgument: ParsableArguments {
    @Argument(help: "The mailing's id, or the beginning of it if that is unambiguous.")
    var id: String

    func find(in ledger: SQLiteLedger) async throws -> MailingRecord {
        let found = try await ledger.find(prefix: id)
        guard let record = found.first else {
            throw CommandError("no mailing begins with '\(id)'; flotilla mailing list shows them")
        }
        guard found.count == 1 else {
            throw CommandError("'\(id)' is the beginning of several mailings: \(found.map(\.id.description).joined(separator: ", "))")
        }
        return record
    }
}

extension MailingCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the mailings, the newest first.")
        @OptionGroup var options: LedgerOptions
        @Option(help: "How many at most.") var limit = 50

        func run() async throws {
            let ledger = try options.open()
            let records = try await ledger.mailings(states: nil, limit: limit)
            if records.isEmpty { return print("no mailings yet") }
            print(
                TextTable(
                    header: ["ID", "STATE", "PLANNED", "SENT", "FAILED", "OPEN", "CREATED", "NAME"],
                    rows: try await rows(records, ledger), rightAligned: [2, 3, 4, 5]
                ).text)
        }

        private func rows(_ records: [MailingRecord], _ ledger: SQLiteLedger) async throws -> [[String]] {
            var rows: [[String]] = []
            for record in records {
                let progress = try await ledger.progress(record.id)
                rows.append([
                    record.id.description, stateText(record), grouped(record.plannedCount),
                    grouped((progress?[.sent] ?? 0) + (progress?[.delivered] ?? 0)), grouped(progress?[.failed] ?? 0),
                    grouped(progress?.open ?? 0), Timestamp.text(record.created), record.mailing.name,
                ])
            }
            return rows
        }

        private func stateText(_ record: MailingRecord) -> String {
            guard let seconds = record.secondsToStart(Clock.milliseconds()) else { return record.state.rawValue }
            return "\(record.state.rawValue), in \(TimeSpan.text(seconds: seconds))"
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show the state and the progress of a mailing.")
        @OptionGroup var options: LedgerOptions
        @OptionGroup var mailing: MailingArgument

        func run() async throws {
            let ledger = try options.open()
            let record = try await mailing.find(in: ledger)
            guard let progress = try await ledger.progress(record.id) else { return }
            var rows = [
                ["id", record.id.description], ["name", record.mailing.name], ["state", record.state.rawValue],
                ["channel", record.mailing.channel.rawValue], ["provider", record.mailing.provider],
                ["speed", record.speed ?? "no limit"], ["file", record.origin],
                ["recipients", record.source?.file ?? "-"],
            ]
            if let start = record.start { rows.append(["start", Timestamp.text(start)]) }
            if !record.reason.isEmpty { rows.append(["reason", record.reason]) }
            print(TextTable(header: [], rows: rows).text)
            let line = ProgressLine(
                name: record.mailing.name, progress: progress, rate: nil,
                secondsToStart: record.secondsToStart(Clock.milliseconds()))
            print(line.text)
        }
    }

    struct Report: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Report the outcome of a mailing, and reconcile its numbers.")
        @OptionGroup var options: LedgerOptions
        @OptionGroup var mailing: MailingArgument
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            let ledger = try options.open()
            let record = try await mailing.find(in: ledger)
            guard let report = try await ledger.report(record.id, now: Clock.milliseconds()) else { return }
            print(json ? String(decoding: try report.json(), as: UTF8.self) : ReportText(report).text)
            let faults = try await ledger.recount(record.id)
            for fault in faults { StandardError.write("not reconciled: \(fault)") }
            if !faults.isEmpty || !report.balances { throw ExitCode(1) }
        }
    }

    struct Recipient: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the state, attempts, responses and times of one recipient of a mailing.")
        @OptionGroup var options: LedgerOptions
        @OptionGroup var mailing: MailingArgument
        @Argument(help: "The recipient's address or id.") var recipient: String

        func run() async throws {
            let ledger = try options.open()
            let record = try await mailing.find(in: ledger)
            guard let detail = try await ledger.recipient(record.id, recipient) else {
                throw CommandError(
                    "mailing \(record.id) has no recipient '\(recipient)'; it may be excluded: flotilla mailing report \(record.id)")
            }
            print(RecipientText(detail).text)
        }
    }

    struct History: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show all messages to an address, the newest first.")
        @OptionGroup var options: LedgerOptions
        @Argument(help: "The address.") var address: String
        @Option(help: "How many at most.") var limit = 100

        func run() async throws {
            let details = try await options.open().history(address: address, limit: limit)
            if details.isEmpty { return print("nothing was sent to this address") }
            for detail in details { print(RecipientText(detail).text) }
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add a mailing to the ledger, for a running planner (flotilla planner, flotilla up).")
        @Argument(help: "The mailing's file (YAML).") var file: String
        @Option(help: "The recipients' file, in place of the mailing's.") var recipients: String?
        @Option(help: "A provider of flotilla.yaml, or a URL.") var provider: String?
        @OptionGroup var options: LedgerOptions

        func run() async throws {
            let settings = try options.settings()
            let loaded = try MailingFile.load(file, overrides: .init(recipients: recipients, provider: provider))
            let job = try MailingPreparation.prepare(
                loaded, providers: settings.providers, hostname: settings.email.hostname)
            let ledger = try SQLiteLedger.open(settings.ledger.path, logger: Logger(label: "flotilla"))
            var generator = SystemRandomNumberGenerator()
            let id = MailingID(milliseconds: Clock.milliseconds(), using: &generator)
            try await ledger.create(
                id, mailing: job.mailing, source: job.source,
                origin: URL(fileURLWithPath: file).standardizedFileURL.path, state: .scheduled, start: job.start,
                now: Clock.milliseconds())
            print(id)
        }
    }

    struct Pause: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Pause a mailing until: flotilla mailing resume.")
        @OptionGroup var options: LedgerOptions
        @OptionGroup var order: OrderOptions
        @OptionGroup var mailing: MailingArgument

        func run() async throws {
            try await change(
                options, mailing, to: .paused, from: [.scheduled, .collecting, .sending], reason: .person(order.name))
        }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Resume a paused mailing; one whose start has passed begins now.")
        @OptionGroup var options: LedgerOptions
        @OptionGroup var mailing: MailingArgument

        func run() async throws {
            let ledger = try options.open()
            let record = try await mailing.find(in: ledger)
            guard let state = try await ledger.resume(record.id, atOnce: true, now: Clock.milliseconds()) else {
                throw CommandError("mailing \(record.id) is \(record.state.rawValue), not paused")
            }
            print("\(record.id): \(state.rawValue)")
        }
    }

    struct Stop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Stop a mailing for good; recipients that were not sent to become stopped.")
        @OptionGroup var options: LedgerOptions
        @OptionGroup var order: OrderOptions
        @OptionGroup var mailing: MailingArgument

        func run() async throws {
            try await change(
                options, mailing, to: .stopped, from: [.draft, .scheduled, .collecting, .sending, .paused],
                reason: .person(order.name))
        }
    }

    struct Speed: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Change a mailing's limit while it is sent.")
        @OptionGroup var options: LedgerOptions
        @OptionGroup var mailing: MailingArgument
        @Argument(help: "The new limit, as 500/s or 6000/min,burst=50; 'own' restores that of the mailing file.") var speed: String

        func run() async throws {
            let ledger = try options.open()
            let record = try await mailing.find(in: ledger)
            guard !record.state.isTerminal else {
                throw CommandError("mailing \(record.id) is \(record.state.rawValue) and sends no more messages")
            }
            try await ledger.setSpeed(record.id, speed == "own" ? nil : RateLimit(speed).description)
            print("\(record.id): \(speed)")
        }
    }
}

private func change(
    _ options: LedgerOptions, _ argument: MailingArgument, to state: MailingState, from: Set<MailingState>, reason: StateReason
) async throws {
    let ledger = try options.open()
    let record = try await argument.find(in: ledger)
    guard try await ledger.setState(record.id, to: state, from: from, reason: reason, now: Clock.milliseconds()) else {
        throw CommandError("mailing \(record.id) is \(record.state.rawValue) and cannot become \(state.rawValue)")
    }
    if state == .stopped {
        // A planner does the same, but none may be running. Batches in flight are stopped when their results come back.
        _ = try await ledger.stopOpen(record.id, now: Clock.milliseconds())
    }
    print("\(record.id): \(state.rawValue)")
}
