import ArgumentParser
import CommandSupport
import Telemetry

extension MailingCommand {
    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check", abstract: "Find everything that is wrong with a mailing before it is sent.",
            discussion: """
                Looks at the mailing file, its templates, every row of the recipients and the provider. Nothing is sent or written, and no \
                Redis is needed. The exit status is 0 without faults, however many warnings there are, and 7 with faults.
                """)
        @OptionGroup var options: MailingFileOptions
        @OptionGroup var ledger: LedgerOptions
        @Flag(help: "Connect to the provider, and try its log-in.") var connect = false
        @Flag(help: "Ask SpamAssassin (spamc or spamassassin) for its score of the first message, by its local rules alone.") var spam =
            false
        @OptionGroup var output: OutputOptions

        func run() async throws {
            output.warnOfOldOption()
            let settings = try ledger.settings(mayDiffer: true)
            var checker = MailingChecker(options, settings: settings, ledgerOption: ledger.ledger)
            await checker.run(connects: connect, asksForSpam: spam)
            let report = checker.report
            if output.isJSON {
                StandardOutput.write(json: try ScriptJSON.text(report))
            } else {
                StandardOutput.write(report.text)
            }
            if report.faults > 0 { throw ExitCode(.faults) }
        }
    }
}
