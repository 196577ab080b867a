import ArgumentParser

/// The executable of the product; each subcommand has its own file.
@main
struct Flotilla: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flotilla",
        abstract: "Send one message to millions of people: e-mail, SMS, messengers, webhooks.",
        discussion: """
            To send a mailing from this machine alone:   flotilla send MAILING.yaml
            To try it against a test provider:           flotilla-lab sink --smtp 127.0.0.1:2525
            A fleet: planner, worker (any number) and collector share a Redis and a configuration file, flotilla.yaml.
            """,
        version: Build.version,
        subcommands: [
            Send.self, MailingCommand.self, LimitCommand.self, Up.self, PlannerCommand.self, WorkerCommand.self,
            CollectorCommand.self, TopCommand.self, ResponsesCommand.self, LoadtestCommand.self, SimulateCommand.self, SinkCommand.self,
            Generate.self,
        ])

    static func main() async {
        await main(DeprecatedCommands.replacing(Array(CommandLine.arguments.dropFirst())))
    }
}

/// The version of this build.
enum Build {
    static let version = "0.1.0"
}
