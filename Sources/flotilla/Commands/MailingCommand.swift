import ArgumentParser
import CommandSupport
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
        commandName: "mailing", abstract: "Check mailings; add, list, show, report, pause, resume or stop those of a ledger.",
        subcommands: [
            List.self, Show.self, Report.self, Excluded.self, Recipient.self, History.self, Check.self, Preview.self, Test.self, Add.self,
            Pause.self, Resume.self, Stop.self, Speed.self, Uncertain.self, Retry.self,
        ])
}

/// Names the ledger.
struct LedgerOptions: ParsableArguments {
    @Option(help: "The configuration file; ./flotilla.yaml where it exists.")
    var config: String?

    @Option(help: "The ledger: a file (SQLite), or postgres://user@host/database.")
    var ledger: String?

    /// What follows a command in a hint, so that it asks the same ledger; empty where the settings name it.
    var hint: String { ledger.map { " --ledger \($0)" } ?? "" }

    /// - Parameters:
    ///   - level: the lowest level that is logged.
    ///   - mayDiffer: `--ledger` may name another ledger than `ledger.url`: what is done changes neither unasked.
    func settings(level: Logger.Level = .warning, mayDiffer: Bool = false) throws -> Settings {
        var settings = try Settings.loadWithWarnings(file: config)
        if let ledger { try settings.ledger.take(ledger, mayDiffer: mayDiffer) }
        Log.bootstrap(level: level, format: .human, terminal: Terminal())
        return settings
    }

    /// Opens an existing ledger. It never creates one.
    /// For a question: `--ledger` may name a copy.
    func open() throws -> any OpenLedger { try open(settings(mayDiffer: true)) }

    func open(_ settings: Settings) throws -> any OpenLedger {
        try OpenLedgers.open(settings.ledger.place, logger: Logger(label: "flotilla"))
    }

    /// The same for a command that is to change nothing, and so brings no older ledger forward.
    func openUnchanged(_ settings: Settings) throws -> any OpenLedger {
        if let path = settings.ledger.place.file { try SQLiteLedger.requireCurrent(path) }
        return try open(settings)
    }
}

/// Names the ledger for questions that it answers alone. Orders and `show` have `--redis` too, and so it is taken here, with a word.
struct LedgerAloneOptions: ParsableArguments {
    @OptionGroup var ledger: LedgerOptions

    @Option(help: .hidden)
    var redis: String?

    func settings() throws -> Settings {
        var settings = try ledger.settings(mayDiffer: true)
        guard let redis else { return settings }
        try settings.redis.take(redis)
        StandardError.warn("--redis changes nothing here: the ledger \(settings.ledger.name) has the answer")
        return settings
    }

    /// Opens an existing ledger. It never creates one.
    func open() throws -> any OpenLedger { try open(settings()) }

    func open(_ settings: Settings) throws -> any OpenLedger { try ledger.open(settings) }
}

struct MailingArgument: ParsableArguments {
    @Argument(help: "The mailing's id, or the beginning of it if that is unambiguous.")
    var id: String

    func validate() throws {
        if id.isEmpty { throw ValidationError("an empty id names no mailing; flotilla mailing list shows the ids") }
    }

    func find(in ledger: any OpenLedger) async throws -> MailingRecord { try await Self.find(id, in: ledger) }

    /// The one mailing whose id begins with a text.
    static func find(_ id: String, in ledger: any OpenLedger) async throws -> MailingRecord {
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
    struct Report: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "report", abstract: "Report the outcome of a mailing, and reconcile its numbers.")
        @OptionGroup var options: LedgerAloneOptions
        @OptionGroup var mailing: MailingArgument
        @OptionGroup var output: OutputOptions

        func run() async throws {
            output.warnOfOldOption()
            let settings = try options.settings()
            let ledger = try options.open(settings)
            let record = try await mailing.find(in: ledger)
            guard let report = try await ledger.report(record.id, now: Clock.milliseconds()) else { return }
            if output.isJSON {
                StandardOutput.write(json: String(decoding: try report.json(), as: UTF8.self))
            } else {
                StandardOutput.write(ReportText(report, ledger: options.ledger.hint, rules: settings.visitors.version).text)
            }
            let faults = try await ledger.recount(record.id)
            for fault in faults { StandardError.write("not reconciled: \(fault)") }
            if !faults.isEmpty || !report.balances { throw ExitCode(.failed) }
        }
    }

    struct Recipient: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "recipient", abstract: "Show the state, attempts, responses and times of one recipient of a mailing.")
        @OptionGroup var options: LedgerAloneOptions
        @OptionGroup var mailing: MailingArgument
        @Argument(help: "The recipient's address or id.") var recipient: String
        @OptionGroup var output: OutputOptions

        func validate() throws {
            if recipient.isEmpty { throw ValidationError("an empty address or id names no recipient") }
        }

        func run() async throws {
            output.warnOfOldOption()
            let ledger = try options.open()
            let record = try await mailing.find(in: ledger)
            try PrunedText.refuse(record)
            for form in AddressForms.of(recipient, country: record.source?.country) {
                guard let detail = try await ledger.recipient(record.id, form) else { continue }
                // Ids are the file's own, and need not be of one row alone.
                let others = detail.address == form ? [] : try await ledger.addresses(record.id, ofID: detail.id, limit: Self.others + 1)
                let same = others.filter { $0 != detail.address }
                if output.isJSON { return StandardOutput.write(json: try ScriptJSON.text(RecipientJSON(detail, sameID: same))) }
                StandardOutput.write(RecipientText(detail).text)
                if !same.isEmpty { StandardError.warn(sharedID(detail, same)) }
                return
            }
            throw CommandError(try await missing(record, ledger))
        }

        /// Others with the same id that are named.
        private static let others = 10

        private func sharedID(_ detail: RecipientDetail, _ same: [String]) -> String {
            let named = same.prefix(Self.others).map(LogText.line).joined(separator: ", ")
            let more = same.count > Self.others ? " and more" : ""
            return "the id \(detail.id) is not of this recipient alone: also of \(named)\(more). Name an address to see another"
        }

        /// Why there is no such recipient: its row may be excluded.
        private func missing(_ record: MailingRecord, _ ledger: any OpenLedger) async throws -> String {
            let forms = AddressForms.of(recipient, country: record.source?.country)
            for try await page in ExclusionPages(ledger: ledger, mailing: record.id, after: 0) {
                guard let found = page.first(where: { forms.contains($0.address) || $0.id == recipient }) else { continue }
                let why = found.detail.isEmpty ? found.reason.rawValue : "\(found.reason.rawValue), \(found.detail)"
                return "'\(recipient)' is no recipient of mailing \(record.id): row \(found.row) of its file is excluded (\(why))"
            }
            return """
                mailing \(record.id) has no recipient '\(recipient)', and no excluded row that is listed has it; \
                flotilla mailing report \(record.id) counts all rows
                """
        }
    }

    struct History: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "history", abstract: "Show all messages to an address, the newest first.")
        @OptionGroup var options: LedgerAloneOptions
        @Argument(help: "The address.") var address: String
        @Option(help: "How many at most.") var limit = 100
        @OptionGroup var output: OutputOptions

        func validate() throws {
            if address.isEmpty { throw ValidationError("an empty address names nobody") }
            if limit < 1 { throw ValidationError("--limit is 1 or more") }
        }

        func run() async throws {
            output.warnOfOldOption()
            let ledger = try options.open()
            var details: [RecipientDetail] = []
            for form in AddressForms.of(address) { details += try await ledger.history(address: form, limit: limit) }
            let newest = details.sorted { $0.mailing > $1.mailing }.prefix(limit)
            let pruned = try await ledger.prunedMailings()
            if pruned > 0 {
                StandardError.warn("\(counted(pruned, "mailing")) \(pruned == 1 ? "was" : "were") pruned, and nobody is found in them")
            }
            if output.isJSON {
                for detail in newest { StandardOutput.write(json: try ScriptJSON.line(RecipientJSON(detail))) }
                return
            }
            if newest.isEmpty { return StandardOutput.write("nothing was sent to this address") }
            for detail in newest { StandardOutput.write(RecipientText(detail).text) }
        }
    }
}
