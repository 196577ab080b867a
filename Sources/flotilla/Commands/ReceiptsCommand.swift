import ArgumentParser
import CommandSupport
import Ledger
import Model
import Telemetry

/// What providers tell of messages by their webhooks.
struct ReceiptsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "receipts", abstract: "List what providers tell of messages that the ledger does not know.",
        discussion: """
            A receipt that names no message may have come before the result of its message: it is tried again for an hour, and kept here for
            30 days. What receipts of known messages say is in `flotilla mailing report` and `recipient` (docs/receipts.md).
            """,
        subcommands: [List.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List them, the newest first.")
        @OptionGroup var options: LedgerAloneOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let ledger = try options.open()
            var last: UnknownReceipt?
            while true {
                let page = try await ledger.unknownReceipts(after: last, limit: 1000)
                for one in page {
                    if output.isJSON {
                        StandardOutput.write(json: try ScriptJSON.line(UnknownReceiptJSON(one)))
                    } else {
                        StandardOutput.write(UnknownReceiptText.line(one))
                    }
                }
                guard let end = page.last else { break }
                last = end
            }
            if last == nil, !output.isJSON { StandardOutput.write("no receipts of unknown messages") }
        }
    }
}
