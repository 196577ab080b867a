import ArgumentParser

/// `flotilla-lab tracking`: what the load test of the tracker needs.
struct TrackingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tracking", abstract: "Try the tracker out: links to ask it for, and who visitors are taken for.",
        subcommands: [TrackingClassifyCommand.self, TrackingLinksCommand.self, TrackingBareCommand.self])
}
