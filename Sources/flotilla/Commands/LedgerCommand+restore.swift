import ArgumentParser
import Broker
import CommandSupport
import Control
import Foundation
import Ledger
import Model
import Settings
import Telemetry

extension LedgerCommand {
    struct Restore: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "restore", abstract: "Put a copy in the place of the ledger, while no role runs.",
            discussion: """
                Recipients who may have been sent to since the copy was made are held; flotilla mailing uncertain lists them and \
                decides. The ledger that was there is kept beside the new one, and what it knows is taken over: mailings that the copy \
                lacks, what became of recipients, suppressions, the audit log. Where some of that cannot be taken over the command says \
                so, and asks; without a terminal it takes --yes. Where the ledger is damaged, gone, or another one, it asks the note \
                beside it and Redis what may be missing.
                """)
        @OptionGroup var options: LedgerOptions
        @OptionGroup var redis: RedisOption
        @Argument(help: "The copy, as flotilla ledger backup made it.") var file: String
        @Option(help: "Your name as the audit log of the restored ledger shows it; by default your login name.") var actor: String?
        @Flag(help: "Do not ask where something goes back to what it was when the copy was made.") var yes = false
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
                now: Clock.milliseconds()
            ) { yes || Self.agrees(to: $0) }
            let place = kept.map { "the ledger of before is \($0)" } ?? "there was no ledger at this path before"
            StandardOutput.write("\(path): \(grouped(summary.size)) bytes, restored from \(file); \(place)")
            if let merged = summary.merged { tell(merged, of: kept ?? path) }
            StandardOutput.write(Self.next(summary.doubtful, path))
        }

        private static func agrees(to question: String) -> Bool {
            guard isatty(STDIN_FILENO) != 0, isatty(STDERR_FILENO) != 0 else { return false }
            StandardError.write("\(question)\nPut the copy there? [y/N]")
            return ["y", "yes"].contains(readLine()?.lowercased() ?? "")
        }

        /// Says what was taken over, and what is lost.
        private func tell(_ merged: RestoreMerge, of ledger: String) {
            if merged.mailings > 0 {
                let verb = merged.mailings == 1 ? "is" : "are"
                let taken = "\(counted(merged.mailings, "mailing")) added after the copy was made \(verb) taken over"
                StandardOutput.write("\(taken) from the ledger of before.")
            }
            let parts = [
                merged.outcomes > 0 ? "what became of \(counted(merged.outcomes, "recipient"))" : nil,
                merged.suppressions > 0 ? "\(counted(merged.suppressions, "change")) of the suppressions" : nil,
                merged.orders > 0 ? "\(counted(merged.orders, "order")) of the audit log" : nil,
                merged.erased > 0 ? "the erasure of \(counted(merged.erased, "row")) of people" : nil,
            ].compactMap { $0 }
            if !parts.isEmpty { StandardOutput.write("Taken over as well: \(parts.joined(separator: ", ")).") }
            if merged.unerased > 0 {
                StandardError.warn(
                    """
                    \(counted(merged.unerased, "recipient")) who \(merged.unerased == 1 ? "was" : "were") erased \
                    \(merged.unerased == 1 ? "is" : "are") open again: erase them once more when their mailings have ended \
                    (flotilla recipient erase ADDRESS)
                    """)
            }
            if let undone = merged.revertedText { StandardError.warn("not all that the ledger of before knew is in this one:\(undone)") }
            if let losses = merged.losses { StandardError.warn("the ledger \(ledger) \(losses.why). \(losses.text)") }
        }

        /// What happens next, and what a person does.
        private static func next(_ doubtful: [String], _ path: String) -> String {
            let start = "Start the roles again (collectors and workers first, then the planner), or go on with flotilla send."
            guard !doubtful.isEmpty else { return "No mailing of it is unfinished: nobody is in doubt. \(start)" }
            let commands = doubtful.prefix(5).map { "\n  flotilla mailing uncertain \($0) --ledger \(path)" }.joined()
            let more = doubtful.count > 5 ? "\nand of the other mailings: flotilla mailing list --ledger \(path)" : ""
            return """
                \(start) When the planner starts, recipients who may have been sent to since are held; decide about them with --resend or \
                --settle:\(commands)\(more)
                """
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
