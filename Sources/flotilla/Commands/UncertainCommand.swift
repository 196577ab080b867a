import ArgumentParser
import CommandSupport
import Control
import Foundation
import Ledger
import Model
import Telemetry

extension MailingCommand {
    struct Uncertain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "uncertain", abstract: "List the uncertain recipients of a mailing, and decide about those that are held.",
            discussion: """
                A recipient is uncertain if no response says whether the message arrived. Without a decision the command lists them. \
                Only held recipients need a decision; the mailing sends to the others again (uncertain: redeliver).
                """)

        enum Settlement: String, ExpressibleByArgument, CaseIterable {
            case sent, failed
        }

        @OptionGroup var order: OrderOptions
        @OptionGroup var mailing: MailingArgument
        @Flag(help: "List only the recipients that are held.") var held = false
        @OptionGroup var output: OutputOptions
        @Option(help: "How many to list at most.") var limit: Int?
        @Flag(help: "Send the message again.") var resend = false
        @Option(help: "Count the message as arrived (sent) or as not arrived (failed).") var settle: Settlement?
        @Flag(help: "Decide about all held recipients.") var all = false
        @Option(help: "Decide about the recipient with this address or id; may be repeated.") var recipient: [String] = []

        func validate() throws {
            if resend, settle != nil { throw ValidationError("--resend and --settle exclude each other") }
            if all, !recipient.isEmpty { throw ValidationError("--all and --recipient exclude each other") }
            if recipient.contains(where: \.isEmpty) { throw ValidationError("--recipient is empty; it is an address or an id") }
            let isNamed = all || !recipient.isEmpty
            if decision == nil, isNamed {
                throw ValidationError("--all and --recipient need a decision: --resend, or --settle sent|failed")
            }
            if decision != nil, !isNamed { throw ValidationError("a decision needs --all, or --recipient ADDRESS_OR_ID") }
            if decision != nil, held || output.isJSON || limit != nil {
                throw ValidationError("--held, --output json and --limit need a list, not a decision")
            }
            if let limit, limit < 1 { throw ValidationError("--limit is 1 or more") }
        }

        /// Nil for a list.
        private var decision: UncertainDecision? {
            resend ? .resend : settle.map { $0 == .sent ? .sent : .failed }
        }

        func run() async throws {
            output.warnOfOldOption()
            let session = try order.session(order.settings())
            let record = try await mailing.find(in: session.ledger)
            try PrunedText.refuse(record)
            if let decision { try await decide(decision, record, session) } else { try await list(record, session.ledger) }
        }

        /// Rows that are read and printed at a time, so that memory does not grow with the list.
        private static let page = 1000

        private func list(_ record: MailingRecord, _ ledger: any OpenLedger) async throws {
            var list = UncertainText()
            var last: UncertainRecipient?
            var left = limit ?? Int.max
            while left > 0 {
                let page = try await ledger.uncertain(
                    record.id, onlyHeld: held, after: last, limit: min(left, Self.page))
                guard let end = page.last else { break }
                if output.isJSON {
                    StandardOutput.write(json: try page.map(UncertainText.json).joined(separator: "\n"))
                } else {
                    StandardOutput.write(page.map { list.row($0, of: page) }.joined(separator: "\n"))
                }
                last = end
                left -= page.count
            }
            guard !output.isJSON, let counts = try await ledger.report(record.id, now: Clock.milliseconds())?.uncertain else { return }
            if last == nil { StandardOutput.write(held ? "no held recipients" : "no uncertain recipients") }
            guard counts.held > 0 else { return }
            StandardOutput.write(
                """

                \(grouped(counts.held)) held: decide with --resend, or --settle sent|failed; and --all, or --recipient \
                ADDRESS_OR_ID
                """)
        }

        private func decide(_ decision: UncertainDecision, _ record: MailingRecord, _ session: OrderSession) async throws {
            let ledger = session.ledger
            let outcome = try await session.give(ResolveUncertain(record.id, recipients: all ? nil : recipient, as: decision))
            let settled = outcome.settlement
            if decision == .resend, settled.count > 0 { outcome.reach.warnWithoutPlanner("they are sent to") }
            let held = try await ledger.progress(record.id)?[.uncertain] ?? 0
            StandardOutput.write("\(record.id): \(did(decision, settled.count)); \(grouped(held)) still held")
            if settled.count > 0 { StandardOutput.write(next(decision, record, held: held)) }
            for name in settled.notHeld.prefix(20) {
                let found = try await ledger.recipient(record.id, name)
                StandardError.write(found.map { "'\(name)' is not held: it is \($0.state.name)" } ?? "there is no recipient '\(name)'")
            }
            if settled.notHeld.count > 20 { StandardError.write("\(settled.notHeld.count - 20) more are not held") }
            if !settled.notHeld.isEmpty { throw ExitCode(.failed) }
        }

        private func did(_ decision: UncertainDecision, _ count: Int) -> String {
            let people = count == 1 ? "1 recipient" : "\(grouped(count)) recipients"
            return decision == .resend ? "\(people) planned again" : "\(people) settled as \(decision.rawValue)"
        }

        private func next(_ decision: UncertainDecision, _ record: MailingRecord, held: Int) -> String {
            switch decision {
            case .resend where record.state == .paused:
                "their messages go out with the same Message-ID or Idempotency-Key once the mailing is resumed"
            case .resend: "a running planner and worker send their messages with the same Message-ID or Idempotency-Key"
            case .sent, .failed:
                held > 0 || record.state.isTerminal
                    ? "nothing more is sent to them"
                    : "nothing more is sent to them; the mailing ends when all other recipients are terminal"
            }
        }
    }
}
