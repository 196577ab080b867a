import ArgumentParser
import Configuration
import Yams

@main
struct Flotilla: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "flotilla", abstract: "Mass-message dispatch.", subcommands: [Generate.self])
}
