import ArgumentParser
import Control
import Foundation
import Ledger
import Logging
import Model
import Policy
import Settings
import Telemetry

extension LedgerCommand {
    struct Prune: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "prune", abstract: "Remove the recipients of mailings that ended long ago; their totals stay.",
            discussion: """
                Roles may run meanwhile, and none waits longer than some 100 ms. Mailings that have not ended, or of which recipients are \
                held as uncertain, stay as they are. A planner does this once a day where ledger.keep is set. It cannot be undone. \
                On a terminal it asks first; without a terminal it takes --yes.
                """)
        @OptionGroup var order: OrderOptions
        @Option(help: "How long ago a mailing has to have ended, as 400d; ledger.keep where it is set.") var olderThan: String?
        @Flag(help: "List the mailings, and remove nothing.") var dryRun = false
        @Flag(help: "Do not ask.") var yes = false

        func validate() throws {
            if let olderThan { do { _ = try TimeSpan(olderThan) } catch { throw ValidationError("--older-than: \(error)") } }
        }

        func run() async throws {
            let settings = try order.settings()
            let rule = RetentionRule(keeping: try age(settings), now: Clock.milliseconds())
            let ledger = try dryRun ? order.ledger.openUnchanged(settings) : order.ledger.open(settings)
            let aged = try await ledger.agedMailings(rule)
            for mailing in aged {
                guard let obstacle = mailing.obstacle else { continue }
                StandardError.write("mailing \(mailing.id) '\(LogText.line(mailing.name))' stays: \(obstacle)")
            }
            let old = aged.filter { $0.obstacle == nil }
            let ended = "that ended before \(Timestamp.text(rule.cutoff))"
            guard !old.isEmpty else { return StandardOutput.write("no mailing \(ended) has recipients to remove") }
            let recipients = old.reduce(0) { $0 + $1.recipients }
            let what = "\(counted(recipients, "recipient")) of \(counted(old.count, "mailing")) \(ended)"
            if dryRun {
                StandardOutput.write(table(old))
                return StandardOutput.write("\n\(what) would be removed")
            }
            if !yes { try confirm(what) }
            let control = Control(ledger: ledger, broker: nil, logger: Logger(label: "flotilla"))
            let removed = try await prune(old, rule, control, try order.giver(), all: recipients)
            StandardOutput.write(
                "\(counted(removed, "recipient")) of \(counted(old.count, "mailing")) \(ended) removed; "
                    + (settings.ledger.place.file != nil
                        ? "the file keeps its size, and its free pages are used again"
                        : "PostgreSQL uses their space again (autovacuum)"))
        }

        private func age(_ settings: Settings) throws -> Duration {
            if let olderThan { return .seconds(try TimeSpan(olderThan).seconds) }
            guard let keep = settings.ledger.keep else {
                throw CommandError("--older-than says how long recipients are kept, or ledger.keep in flotilla.yaml; neither is given")
            }
            return keep
        }

        private func table(_ mailings: [AgedMailing]) -> String {
            TextTable(
                header: ["ID", "ENDED", "RECIPIENTS", "EXCLUDED", "NAME"],
                rows: mailings.map {
                    [$0.id.description, Timestamp.text($0.ended), grouped($0.recipients), grouped($0.excluded), LogText.line($0.name)]
                }, rightAligned: [2, 3]
            ).text
        }

        private func confirm(_ what: String) throws {
            guard isatty(STDIN_FILENO) != 0, isatty(STDERR_FILENO) != 0 else {
                throw CommandError("\(what) would be removed for good: add --yes (--dry-run lists the mailings)")
            }
            StandardError.write("Remove \(what)? Their reports stay. This cannot be undone. [y/N]")
            guard ["y", "yes"].contains(readLine()?.lowercased() ?? "") else { throw CommandError("nothing was removed") }
        }

        private func prune(
            _ mailings: [AgedMailing], _ rule: RetentionRule, _ control: Control, _ actor: OrderActor, all: Int
        ) async throws -> Int {
            var removed = 0
            let progress = DrawnLine()
            for (place, mailing) in mailings.enumerated() {
                let before = removed
                let order = PruneMailing(mailing.id, rule) { [before] count in
                    let part = "\(grouped(before + count)) of \(grouped(all)) recipients"
                    progress.show("removed \(part), mailing \(place + 1) of \(mailings.count)")
                }
                do throws(OrderError) { removed += try await control.carryOut(order, by: actor) } catch {
                    // Somebody changed it meanwhile.
                    guard case .ledger(.refused(let why)) = error else { throw error }
                    StandardError.write(why)
                }
            }
            return removed
        }
    }
}
