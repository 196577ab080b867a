import ArgumentParser

struct TrackerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tracker", abstract: "What counts opens and clicks: docs/tracking.md.", subcommands: [TrackerKeyCommand.self])
}
