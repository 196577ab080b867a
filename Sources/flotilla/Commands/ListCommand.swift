import ArgumentParser
import CommandSupport
import Ledger
import Model
import Policy
import Telemetry

extension MailingCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List the mailings, the newest first.")
        @OptionGroup var options: LedgerAloneOptions
        @Option(help: "How many at most.") var limit = 50
        @OptionGroup var output: OutputOptions

        func validate() throws {
            if limit < 1 { throw ValidationError("--limit is 1 or more") }
        }

        func run() async throws {
            output.warnOfOldOption()
            let ledger = try options.open()
            let found = try await ledger.statuses(states: nil, limit: limit)
            let unreadable = try await ledger.unreadableMailings(limit: limit)
            for one in unreadable { StandardError.write("\(one.error)") }
            if output.isJSON {
                for status in found { StandardOutput.write(json: try ScriptJSON.line(MailingJSON(status.record, status.progress))) }
                return
            }
            if found.isEmpty, unreadable.isEmpty { return StandardOutput.write("no mailings yet") }
            StandardOutput.write(
                TextTable(
                    header: ["ID", "STATE", "RECIPIENTS", "SENT", "FAILED", "OPEN", "CREATED", "NAME"],
                    rows: found.map(row)
                        + unreadable.map {
                            [$0.id, $0.state, "-", "-", "-", "-", "-", $0.isNewer ? "(of a newer release)" : "(unreadable)"]
                        },
                    rightAligned: [2, 3, 4, 5]
                ).text)
        }

        private func row(_ status: MailingStatus) -> [String] {
            let (record, progress) = (status.record, status.progress)
            return [
                record.id.description, stateText(record), grouped(record.plannedCount), grouped(progress[.sent] + progress[.delivered]),
                grouped(progress[.failed]), grouped(progress.open), Timestamp.text(record.created), record.mailing.name,
            ]
        }

        private func stateText(_ record: MailingRecord) -> String {
            guard let seconds = record.secondsToStart(Clock.milliseconds()) else { return record.state.rawValue }
            return "\(record.state.rawValue), in \(TimeSpan.text(seconds: seconds))"
        }
    }
}
