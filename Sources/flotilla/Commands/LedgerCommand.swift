import ArgumentParser
import Broker
import CommandSupport
import Control
import Ledger
import Logging
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
        @Argument(help: "The file to write; an older copy of that name is replaced once the new one is whole.") var file: String

        func run() async throws {
            let path = try options.settings(mayDiffer: true).ledger.file(
                to: "copies", instead: "pg_dump copies a database, and a base backup with its WAL brings it back to any moment")
            try OutputFile.check(file, option: "the copy", example: "ledger.backup")
            try OutputFile.check(
                file, option: "the copy", against: [options.config ?? Settings.usualFile], ledger: path, of: "this command")
            let begun = ContinuousClock.now
            let summary = try LedgerBackup.make(of: path, to: file)
            let took = TimeSpan.text(seconds: max(0.1, Double((ContinuousClock.now - begun).nanoseconds) / 1e9))
            StandardOutput.write(
                "\(file): \(grouped(summary.size)) bytes, a copy of \(path) of \(Timestamp.text(Clock.milliseconds())), in \(took)")
        }
    }

    struct Restore: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "restore", abstract: "Put a copy in the place of the ledger, while no role runs.",
            discussion: """
                Recipients who may have been sent to since the copy was made are held; flotilla mailing uncertain lists them and \
                decides. The ledger that was there is kept beside the new one, and its mailings that the copy lacks are taken over. Where \
                it is damaged, or is another one, the command asks the note beside it and Redis what may be missing, and says so.
                """)
        @OptionGroup var options: LedgerOptions
        @OptionGroup var redis: RedisOption
        @Argument(help: "The copy, as flotilla ledger backup made it.") var file: String
        @Option(help: "Your name as the audit log of the restored ledger shows it; by default your login name.") var actor: String?
        @Flag(help: "Replace a ledger that is newer than the copy and has mailings that have not ended, or that cannot be read.")
        var force = false

        func validate() throws {
            if let actor { do { _ = try OrderActor(actor) } catch { throw ValidationError("--actor: \(error)") } }
        }

        func run() async throws {
            var settings = try options.settings(mayDiffer: true)
            try redis.apply(to: &settings)
            let path = try settings.ledger.file(
                to: "puts a copy in the place of", instead: "pg_restore or point-in-time recovery brings a database back")
            let actor = try self.actor.map { try OrderActor($0) } ?? .user
            let elsewhere = await KnownElsewhere(settings, identity: LedgerBackup.identity(of: file))
            let (summary, kept) = try LedgerBackup.restore(
                file, to: path, isForced: force, elsewhere: elsewhere, note: AuditNote(.restore, actor: actor.description),
                now: Clock.milliseconds(), logger: Logger(label: "flotilla"))
            StandardOutput.write(
                "\(path): \(grouped(summary.size)) bytes, restored from \(file)\(kept.map { "; the ledger of before is \($0)" } ?? "")")
            if let carried = summary.carried?.count, carried > 0 {
                let taken = "\(counted(carried, "mailing")) added after the copy was made \(carried == 1 ? "is" : "are") taken over"
                StandardOutput.write("\(taken) from the ledger of before.")
            }
            if let kept, let losses = summary.carried?.losses {
                StandardError.warn("the ledger of before, \(kept), \(losses.why). \(losses.text)")
            }
            guard !summary.doubtful.isEmpty else { return StandardOutput.write("No mailing of it is unfinished: nobody is in doubt.") }
            let commands = summary.doubtful.prefix(5).map { "\n  flotilla mailing uncertain \($0) --ledger \(path)" }.joined()
            let more = summary.doubtful.count > 5 ? "\nand of the other mailings: flotilla mailing list --ledger \(path)" : ""
            StandardOutput.write("When the planner starts, recipients who may have been sent to since are held:\(commands)\(more)")
        }
    }
}

extension KnownElsewhere {
    /// Asks the fleet's Redis what it knows of a ledger.
    /// - Parameter identity: the ledger's; nil where it is not known.
    fileprivate init(_ settings: Settings, identity: String?) async {
        self.init()
        guard let identity, let broker = Broker(orders: settings) else {
            problem = "no Redis is named (--redis, redis.url)"
            return
        }
        do throws(RedisError) {
            let epochs = EpochStore(broker)
            let owner = try await epochs.ledger()
            commits = try await epochs.commits(of: identity)
            if owner == identity {
                let published = PublishedMailings(broker)
                for id in try await published.all() {
                    mailings[id] = if case .known(let mailing) = try await published.definition(id) { mailing.name } else { "" }
                }
            }
            if commits == nil, mailings.isEmpty { problem = "the Redis that is named knows nothing of this ledger" }
        } catch {
            problem = "\(error)"
        }
        await broker.close()
    }
}
