import ArgumentParser
import CommandSupport
import Control
import Foundation
import Ledger
import Model
import Telemetry

extension SuppressionsCommand {
    struct Undo: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "undo", abstract: "Remove the suppressions of a reason, a provider and a time.",
            discussion: """
                For what was no fault of the recipients, such as a provider that called everybody unknown for an hour. On a terminal it \
                says how many there are, and asks; without a terminal it takes --yes. Mailings that are planned from now on are sent to \
                them again.
                """)
        @Option(help: "Their reason.") var reason: Suppression.Reason
        @Option(help: "Only of this channel.") var channel: Channel?
        @OptionGroup var cause: Cause
        @Flag(help: "Only say how many there are.") var dryRun = false
        @Flag(help: "Do not ask.") var yes = false
        @OptionGroup var order: OrderOptions
        @OptionGroup var output: OutputOptions

        private struct Answer: Encodable {
            /// That would be removed, in a dry run.
            var found: Int?
            var removed: Int?
        }

        func run() async throws {
            let settings = try order.settings()
            let filter = try cause.filter(SuppressionFilter(channel: channel, reason: reason), now: Clock.milliseconds())
            guard !dryRun else {
                let count = try await order.ledger.openUnchanged(settings).suppressionCount(filter)
                return say(Answer(found: count), "\(counted(count, "suppression")) would be removed")
            }
            let session = try order.session(settings)
            if !yes { try await confirm(try await session.ledger.suppressionCount(filter)) }
            let removed = try await session.give(UndoSuppressions(filter))
            say(Answer(removed: removed), "\(counted(removed, "suppression")) removed")
        }

        private func say(_ answer: Answer, _ words: String) {
            StandardOutput.write(output.isJSON ? (try? ScriptJSON.text(answer)) ?? "" : words)
        }

        private func confirm(_ count: Int) async throws {
            let what = "\(counted(count, "suppression")) with the reason \(reason.rawValue)"
            guard isatty(STDIN_FILENO) != 0, isatty(STDERR_FILENO) != 0 else {
                throw CommandError("\(what) would be removed: add --yes")
            }
            StandardError.write("Remove \(what)? [y/N]")
            guard ["y", "yes"].contains(readLine()?.lowercased() ?? "") else { throw CommandError("nothing was removed") }
        }
    }
}
