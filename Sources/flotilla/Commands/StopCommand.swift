import ArgumentParser
import Control
import Foundation
import Ledger
import Model
import Telemetry

extension MailingCommand {
    struct Stop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "stop", abstract: "Stop a mailing for good; recipients that were not sent to become stopped.",
            discussion: """
                On a terminal it asks first. Without a terminal it takes the whole id of a mailing, or --yes with the beginning of one.
                """)
        @OptionGroup var order: OrderOptions
        @Option(help: "Why, for those who see it later.") var reason = ""
        @Flag(help: "Do not ask.") var yes = false
        @OptionGroup var mailing: MailingArgument

        func run() async throws {
            let session = try order.session(order.settings())
            let record = try await mailing.find(in: session.ledger)
            if !yes, !record.state.isTerminal { try await confirm(record, session.ledger) }
            let outcome = try await session.give(StopMailing(record.id, reason: reason))
            StandardOutput.write(StopText(outcome).text)
            outcome.reach.warnUnlessFollowed()
        }

        private func confirm(_ record: MailingRecord, _ ledger: any OpenLedger) async throws {
            guard isatty(STDIN_FILENO) != 0, isatty(STDERR_FILENO) != 0 else {
                // A script that names the whole id means that mailing. The beginning of one may fit another tomorrow.
                guard mailing.id.lowercased() == record.id.description else {
                    throw CommandError("'\(mailing.id)' is only the beginning of an id: write \(record.id), or add --yes")
                }
                return
            }
            let progress = try await ledger.progress(record.id)
            let waiting = (progress?[.planned] ?? 0) + (progress?[.deferred] ?? 0)
            let who =
                progress?.planningDone == true
                ? "\(counted(waiting, "recipient")) that \(waiting == 1 ? "waits gets" : "wait get") nothing" : "it is not planned yet"
            StandardError.write(
                "Stop mailing \(record.id) '\(LogText.line(record.mailing.name))' (\(record.state.rawValue); \(who))? "
                    + "This cannot be undone. [y/N]"
            )
            guard ["y", "yes"].contains(readLine()?.lowercased() ?? "") else {
                throw CommandError("mailing \(record.id) was not stopped")
            }
        }
    }
}

/// What a stop did, for people.
struct StopText {
    private let record: MailingRecord
    private let progress: MailingProgress

    init(_ outcome: StopMailing.Outcome) {
        record = outcome.record
        progress = outcome.progress
    }

    var text: String {
        var parts = ["\(grouped(progress[.sent] + progress[.delivered])) were sent to", "\(grouped(progress[.stopped])) get nothing"]
        let working = progress[.planned] + progress[.deferred]
        if working > 0 { parts.append("\(grouped(working)) are with workers, and get nothing unless their message is on its way") }
        if progress[.failed] + progress[.expired] > 0 { parts.append("\(grouped(progress[.failed] + progress[.expired])) had failed") }
        if progress[.skipped] > 0 { parts.append("\(grouped(progress[.skipped])) were skipped") }
        if progress[.uncertain] > 0 {
            parts.append("\(grouped(progress[.uncertain])) may have got it (flotilla mailing uncertain \(record.id))")
        }
        let people = progress.planned == 0 ? "nobody was sent to" : parts.joined(separator: ", ")
        return "\(record.id): stopped for good. '\(LogText.line(record.mailing.name))': \(people)."
    }
}
