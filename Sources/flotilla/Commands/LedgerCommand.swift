import ArgumentParser
import CommandSupport
import Ledger
import Model
import Policy
import Settings
import Telemetry

/// The ledger as a whole.
struct LedgerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger", abstract: "Make, migrate, check, back up, restore, prune or move the ledger.",
        subcommands: [Init.self, Migrate.self, Check.self, Backup.self, Restore.self, Prune.self, Copy.self])

    struct Backup: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "backup", abstract: "Copy the ledger into one file, as it is at this moment, while roles run.")
        @OptionGroup var options: LedgerOptions
        @Argument(help: "The file to write; an older copy of the same ledger is replaced once the new one is whole.") var file: String

        func validate() throws {
            if file == OutputFile.standardOutput { throw ValidationError("a copy is a file, and - is none; name one") }
        }

        func run() async throws {
            let path = try options.settings(mayDiffer: true).ledger.file(
                to: "copies", instead: "pg_dump copies a database, and a base backup with its WAL brings it back to any moment")
            try OutputFile.check(file, option: "the copy", example: "ledger.backup")
            try OutputFile.check(
                file, option: "the copy", against: [options.config ?? Settings.usualFile], ledger: path, of: "this command")
            let begun = ContinuousClock.now
            let summary = try LedgerBackup.make(of: path, to: file)
            let seconds = Double((ContinuousClock.now - begun).nanoseconds) / 1e9
            let took = seconds < 1 ? "less than a second" : TimeSpan.text(seconds: seconds)
            StandardOutput.write(
                "\(file): \(grouped(summary.size)) bytes, a copy of \(path) of \(Timestamp.text(Clock.milliseconds())), in \(took)")
        }
    }
}
