import ArgumentParser
import CommandSupport
import Telemetry

/// The start of the process.
@main
enum Start {
    static func main() async {
        OpenFiles.raise()
        OpenFiles.closeBeyondLimit()
        MovedCommands.forward(CommandLine.arguments)
        StandardStreams.secure()
        await CommandRun.main(
            Flotilla.self, DeprecatedCommands.replacing(Array(CommandLine.arguments.dropFirst())), atEnd: OpenLedgers.end)
    }
}

/// The product's command line; each subcommand has its own file.
struct Flotilla: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flotilla",
        abstract: "Send one message to millions of people: e-mail, SMS, messengers, webhooks.",
        discussion: """
            To send a mailing from this machine alone:   flotilla send MAILING.yaml
            To try it against a test provider:           flotilla-lab sink --smtp 127.0.0.1:2525
            A fleet: planner, worker (any number) and collector share a Redis and a configuration file, flotilla.yaml.
            Test providers, load tests, forecasts and invented recipients are commands of flotilla-lab.
            """,
        version: Build.version,
        subcommands: [
            Send.self, MailingCommand.self, RecipientCommand.self, LimitCommand.self, Up.self, PlannerCommand.self, WorkerCommand.self,
            CollectorCommand.self, TrackerCommand.self, BouncesCommand.self, WebhooksCommand.self, DKIMCommand.self, DoctorCommand.self,
            TopCommand.self, ResponsesCommand.self, AuditCommand.self, SuppressionsCommand.self, CustomersCommand.self,
            SegmentsCommand.self, RecountCommand.self, ReceiptsCommand.self,
            DeadCommand.self, LedgerCommand.self,
        ])
}
