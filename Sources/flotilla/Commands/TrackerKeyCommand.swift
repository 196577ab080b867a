import ArgumentParser
import CommandSupport
import Settings
import Signing
import Telemetry

/// The keys that sign links to the tracker.
struct TrackerKeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "List or add the keys that sign links of messages.",
        discussion: """
            The keys lie in the file that tracker.keys names, or beside the ledger (LEDGER.keys). The one with the highest number signs; \
            all verify, so that links of earlier messages work for as long as their key is there. Secrets are never shown.
            To change the key of a fleet: add one, copy the file to all machines, restart the trackers, the planners and then the workers.
            """,
        subcommands: [List.self, Add.self], defaultSubcommand: List.self)

    struct Options: ParsableArguments {
        @Option(help: "The configuration file; ./flotilla.yaml where it exists.")
        var config: String?

        @Option(help: "The ledger beside which the keys lie, where tracker.keys names no file.")
        var ledger: String?

        func path() throws -> String {
            var settings = try Settings.loadWithWarnings(file: config)
            if let ledger { try settings.ledger.take(ledger) }
            return try settings.trackerKeyPath()
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List the numbers of the keys.")
        @OptionGroup var options: Options

        func run() throws {
            let file = try TrackerKeyFile(reading: options.path())
            for number in file.secrets.keys.sorted() {
                StandardOutput.write("\(number)  \(number == file.secrets.keys.max() ? "signs and verifies" : "verifies")")
            }
        }
    }

    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add", abstract: "Add a key, which signs from the next start of the workers on; make the file where there is none."
        )
        @OptionGroup var options: Options

        func run() throws {
            let path = try options.path()
            if try TrackerKeyFile.make(path) { return StandardOutput.write("key 1 is in \(path)") }
            let number = try TrackerKeyFile(reading: path).add()
            StandardOutput.write(
                "key \(number) is in \(path): copy it to all machines, restart the trackers, the planners and then the workers")
        }
    }
}
