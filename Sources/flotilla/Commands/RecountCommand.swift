import ArgumentParser
import CommandSupport
import Control
import Ledger
import Model
import Telemetry

/// Applies rules about visitors to what is stored: numbers follow that were counted by other rules.
struct RecountCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recount",
        abstract: "Classify all visits of a mailing's messages again, by the rules of this release and configuration.",
        discussion: """
            Nothing is lost: each visit is kept as it came. Roles may run meanwhile. Only the classes of visits are decided again: \
            flotilla ledger check compares all counters with what they count.
            """)
    @OptionGroup var options: OrderOptions
    @OptionGroup var mailing: MailingArgument
    @OptionGroup var output: OutputOptions

    private struct Outcome: Encodable {
        var id: String
        var recipients: Int
        var visits: Int
        var changed: Int
        var rules: String
    }

    func run() async throws {
        let settings = try options.settings()
        let session = try options.session(settings)
        let record = try await mailing.find(in: session.ledger)
        try PrunedText.refuse(record)
        let rules = EventRules.usual(settings)
        let done = try await session.give(RecountVisits(record.id, rules))
        if output.isJSON {
            let outcome = Outcome(
                id: "\(record.id)", recipients: done.recipients, visits: done.events, changed: done.changed, rules: rules.version)
            return StandardOutput.write(json: try ScriptJSON.text(outcome))
        }
        StandardOutput.write(
            """
            \(record.id): \(counted(done.events, "visit")) of \(counted(done.recipients, "recipient")) classified again by \
            the rules of \(rules.version); \
            \(done.changed == 0 ? "none has" : done.changed == 1 ? "1 has" : "\(grouped(done.changed)) have") another class now
            """)
    }
}
