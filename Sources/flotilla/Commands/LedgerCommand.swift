import ArgumentParser
import Control
import Ledger
import Logging
import Model
import Policy
import Settings
import Telemetry

/// Copies of the ledger.
struct LedgerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger", abstract: "Copy the ledger while it is in use, and put a copy back.",
        subcommands: [Backup.self, Restore.self])

    struct Backup: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Copy the ledger into one file, as it is at this moment, while roles run.")
        @OptionGroup var options: LedgerOptions
        @Argument(help: "The file to write; an older copy of that name is replaced once the new one is whole.") var file: String

        func run() async throws {
            let path = try options.settings().ledger.path
            let begun = ContinuousClock.now
            let summary = try LedgerBackup.make(of: path, to: file)
            let took = TimeSpan.text(seconds: max(0.1, Double((ContinuousClock.now - begun).nanoseconds) / 1e9))
            StandardOutput.write(
                "\(file): \(grouped(summary.size)) bytes, a copy of \(path) of \(Timestamp.text(Clock.milliseconds())), in \(took)")
        }
    }

    struct Restore: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put a copy in the place of the ledger, while no role runs.",
            discussion: """
                Recipients who may have been sent to since the copy was made are held: flotilla mailing uncertain ID lists them and \
                decides. The ledger that was there is kept beside the new one.
                """)
        @OptionGroup var options: LedgerOptions
        @Argument(help: "The copy, as flotilla ledger backup made it.") var file: String
        @Option(help: "Your name as the audit log of the restored ledger shows it; by default your login name.") var actor: String?
        @Flag(help: "Replace a ledger that is newer than the copy and has mailings that have not ended.") var force = false

        func validate() throws {
            if let actor { do { _ = try OrderActor(actor) } catch { throw ValidationError("--actor: \(error)") } }
        }

        func run() async throws {
            let path = try options.settings().ledger.path
            let actor = try self.actor.map { try OrderActor($0) } ?? .user
            let (summary, kept) = try LedgerBackup.restore(
                file, to: path, isForced: force, note: AuditNote(.restore, actor: actor.description), now: Clock.milliseconds(),
                logger: Logger(label: "flotilla"))
            StandardOutput.write(
                "\(path): \(grouped(summary.size)) bytes, restored from \(file)\(kept.map { "; the ledger of before is \($0)" } ?? "")")
            if let carried = summary.carried, carried > 0 {
                let taken = "\(counted(carried, "mailing")) added after the copy was made \(carried == 1 ? "is" : "are") taken over"
                StandardOutput.write("\(taken) from the ledger of before.")
            } else if let kept, summary.carried == nil {
                StandardError.warn(
                    """
                    mailings and suppressions cannot be taken over from \(kept), which is damaged, another ledger or of another release: \
                    the file of a mailing that was sent since the copy was made would be sent again, and to who was suppressed since. \
                    Compare: flotilla mailing list --ledger \(kept), flotilla suppressions export --ledger \(kept)
                    """)
            }
            StandardOutput.write(
                "When the planner starts, recipients who may have been sent to since are held: flotilla mailing uncertain ID")
        }
    }
}
