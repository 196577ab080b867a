import ArgumentParser
import CommandSupport
import Telemetry

/// The start of the process.
@main
enum Start {
    static func main() async {
        OpenFiles.raise()
        OpenFiles.closeBeyondLimit()
        await CommandRun.main(FlotillaLab.self, Array(CommandLine.arguments.dropFirst()))
    }
}

/// The laboratory's command line: a small file a subcommand.
struct FlotillaLab: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flotilla-lab",
        abstract: "Try Flotilla out: test providers, made-up recipients, load tests, forecasts.",
        discussion: "Nothing here belongs on a production machine; flotilla sends mailings without it.",
        version: Build.version,
        subcommands: [
            SinkCommand.self, GenerateCommand.self, LoadtestCommand.self, SimulateCommand.self, LedgerCommand.self,
            TrackingCommand.self, ManualCommand.self,
        ])
}
