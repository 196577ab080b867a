import ArgumentParser
import CommandSupport
import Control
import Foundation
import Ledger
import Model
import Policy
import Settings
import Telemetry
import Text

extension MailingCommand {
    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "retry", abstract: "Send a mailing again to those who failed for some reasons, and to nobody else.",
            discussion: """
                The recipients become planned again: a new round of the mailing, which has ended or is still sending. Nobody is sent \
                to who has the message, or may have it; who is suppressed by now is skipped. The lifetime of the messages begins anew. \
                `mailing report` counts failures by class, and each round by itself. On a terminal it asks first; without a terminal \
                it takes --yes. The exit status is 5 where there is nobody to send to again.
                """)

        @Option(name: .customLong("class"), help: "For which reasons they failed, by commas: full,greylisted. May be repeated.")
        var classes: [String] = []
        @Option(help: "With which reply codes or HTTP statuses they failed, by commas. May be repeated.") var code: [String] = []
        @Option(help: "Who failed since then: a time as 2026-12-01T09:00:00Z, or a span back from now as 2d or 3h.") var since: String?
        @Option(help: "Who failed until then; by default until now.") var until: String?
        @Option(help: "Only where the last attempt went through this provider: a name of flotilla.yaml, or a URL.") var provider: String?
        @Flag(help: "Only count them.") var dryRun = false
        @Flag(help: "Do not ask.") var yes = false
        @OptionGroup var order: OrderOptions
        @OptionGroup var mailing: MailingArgument
        @OptionGroup var output: OutputOptions

        func validate() throws {
            let filter = try filter(now: 0)
            if filter.reasons.isEmpty, filter.codes.isEmpty {
                throw ValidationError("--class or --code says who is to be sent to again, as --class full,greylisted")
            }
        }

        func run() async throws {
            let now = Clock.milliseconds()
            let filter = try filter(now: now)
            if let fault = RetryFailed.fault(filter) { throw CommandError(fault) }
            let settings = try order.settings()
            if dryRun {
                let ledger = try order.ledger.openUnchanged(settings)
                let record = try await mailing.find(in: ledger)
                try await requireProvider(settings, ledger)
                return try report(try await ledger.retriable(record.id, filter, now: now), of: record)
            }
            let session = try order.session(settings)
            let record = try await mailing.find(in: session.ledger)
            try await requireProvider(settings, session.ledger)
            if !yes, try await !confirm(record, filter, session.ledger, now: now) { return }
            let outcome = try await session.give(RetryFailed(record.id, filter))
            if outcome.selection.count > 0, record.state != .paused { outcome.reach.warnWithoutPlanner("they are sent to") }
            try report(outcome.selection, of: record)
        }

        private func filter(now: Int64) throws -> RetryFilter {
            let reasons = try Self.parts(classes).map { name in
                if let reason = RetryFilter.choices.first(where: { $0.rawValue == name }) { return reason }
                let names = RetryFilter.choices.map(\.rawValue)
                let near = NearestName.of(name, among: names).map { ", did you mean \($0)?" } ?? "."
                throw ValidationError(
                    "--class: nobody fails as '\(LogText.line(name))'\(near) There are \(names.joined(separator: ", "))")
            }
            let codes = try Self.parts(code).map { text in
                guard let code = Int(text), (100...999).contains(code) else {
                    throw ValidationError("--code: '\(LogText.line(text))' is no reply code, which has three digits, as 452")
                }
                return code
            }
            if provider?.isEmpty == true { throw ValidationError("--provider is empty; it is a name of flotilla.yaml, or a URL") }
            return RetryFilter(
                reasons: Set(reasons), codes: Set(codes), since: try since.map { try PastTime.milliseconds($0, "--since", now: now) },
                until: try until.map { try PastTime.milliseconds($0, "--until", now: now) }, provider: provider)
        }

        /// What stands between commas; something empty stays, so that it is refused.
        private static func parts(_ texts: [String]) -> [String] {
            texts.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false) }.map {
                $0.trimmingCharacters(in: .whitespaces)
            }
        }

        private func requireProvider(_ settings: Settings, _ ledger: any OpenLedger) async throws {
            guard let provider else { return }
            try await KnownProvider.require(provider, settings, ledger)
        }

        /// - Returns: false where there is nobody to ask for; that is said.
        private func confirm(_ record: MailingRecord, _ filter: RetryFilter, _ ledger: any OpenLedger, now: Int64) async throws -> Bool {
            let selection = try await ledger.retriable(record.id, filter, now: now)
            guard selection.count > 0 else {
                try report(selection, of: record)
                return false
            }
            let people = counted(selection.count, "recipient")
            guard isatty(STDIN_FILENO) != 0, isatty(STDERR_FILENO) != 0 else {
                throw CommandError("\(people) of '\(LogText.line(record.mailing.name))' would be sent to again: add --yes, or --dry-run")
            }
            StandardError.write("Send '\(LogText.line(record.mailing.name))' again to \(people)? [y/N]")
            guard ["y", "yes"].contains(readLine()?.lowercased() ?? "") else { throw CommandError("nothing was changed") }
            return true
        }

        private struct JSON: Encodable {
            let mailing: String
            let dryRun: Bool
            let recipients: Int
            let round: Int?
            let mayHaveIt: Int
            let erased: Int
            let interrupted: String?
        }

        private func report(_ found: RetrySelection, of record: MailingRecord) throws {
            if output.isJSON {
                let json = JSON(
                    mailing: record.id.description, dryRun: dryRun, recipients: found.count, round: found.round,
                    mayHaveIt: found.mayHaveIt, erased: found.erased, interrupted: found.interrupted)
                StandardOutput.write(json: try ScriptJSON.text(json))
            } else {
                StandardOutput.write("\(record.id): \(words(found))")
                for line in left(found) { StandardOutput.write(line) }
                if found.count > 0, !dryRun { StandardOutput.write(next(record)) }
            }
            if let why = found.interrupted {
                throw CommandError("not all of them were planned again, and those who were are stopped: \(why)")
            }
            if found.count == 0 { throw ExitCode(.nobody) }
        }

        private func words(_ found: RetrySelection) -> String {
            guard found.count > 0 else { return "nobody failed in this way and can be sent to again" }
            let people = counted(found.count, "recipient")
            return dryRun ? "\(people) would be sent to again" : "round \(found.round ?? 0): \(people) planned again"
        }

        private func left(_ found: RetrySelection) -> [String] {
            var lines: [String] = []
            if found.mayHaveIt > 0 {
                lines.append("not sent to again, as they may have the message: \(counted(found.mayHaveIt, "recipient"))")
            }
            if found.erased > 0 { lines.append("not sent to again, as they were erased: \(counted(found.erased, "recipient"))") }
            return lines
        }

        private func next(_ record: MailingRecord) -> String {
            let named = "\(record.id)\(order.ledger.hint)"
            return record.state == .paused
                ? "their messages go out once the mailing is resumed: flotilla mailing resume \(named)"
                : "a running planner and worker send their messages; flotilla mailing report \(named) counts the round"
        }
    }
}
