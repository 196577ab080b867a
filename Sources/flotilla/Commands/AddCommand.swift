import ArgumentParser
import Control
import Foundation
import Ledger
import Model
import Planning
import Policy
import Settings
import Telemetry

/// What is to be done where a mailing was sent before.
struct RepeatOptions: ParsableArguments {
    @Flag(help: "Send it to everybody again, though it was sent before.")
    var again = false

    @Flag(help: "Send it to recipients that no earlier mailing of the same file or key has reached.")
    var onlyNew = false

    func validate() throws {
        if again, onlyNew { throw ValidationError("--again and --only-new exclude each other") }
    }

    var policy: RepeatPolicy { again ? .again : onlyNew ? .onlyNew : .refuse }
}

/// A provider as a command line names it.
enum ProviderArgument {
    /// Refuses what looks like a URL and is none; whether the settings have a name is seen with them.
    static func check(_ text: String?) throws {
        guard let text, ProviderURL.isURL(text) else { return }
        do { _ = try ProviderURL.parse(text) } catch { throw ValidationError("--provider \(error)") }
    }
}

extension MailingCommand {
    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add", abstract: "Add a mailing to the ledger, for a running planner (flotilla planner, flotilla up).",
            discussion: """
                A mailing is known by its `key:`, or else by its file. One that was sent before is added only with --again or --only-new \
                (exit status 6 otherwise).
                """)
        @Argument(help: "The mailing's file (YAML).") var file: String
        @Option(help: "The recipients' file, in place of the mailing's.") var recipients: String?
        @Option(help: "A provider of flotilla.yaml, or a URL.") var provider: String?
        @Flag(help: "Put the recipients into the ledger, for a planner on a machine that cannot read their file.")
        var upload = false
        @OptionGroup var repeating: RepeatOptions
        @OptionGroup var order: OrderOptions

        func validate() throws { try ProviderArgument.check(provider) }

        func run() async throws {
            let settings = try order.settings()
            let loaded = try MailingFile.load(file, overrides: .init(recipients: recipients, provider: provider))
            var job = try MailingPreparation.prepare(
                loaded, providers: settings.providers, tracker: settings.tracker.publicAddresses)
            job.headers = settings.email.headers
            job.warnings.forEach(StandardError.warn)
            let session = try await order.beginningSession(
                settings, near: [file], sending: repeating.again ? nil : job.identity)
            if !repeating.again { try await RepeatText(file: file).refuseOlderCopy(session.ledger) }
            try await CategoryText.check(job, in: session.ledger, option: order.ledger.ledger)
            let earlier = repeating.again ? try await session.ledger.earlier(job.identity) : EarlierMailings()
            let now = Clock.milliseconds()
            var generator = SystemRandomNumberGenerator()
            let id = MailingID(milliseconds: now, using: &generator)
            let origin = URL(fileURLWithPath: file).standardizedFileURL.path
            if upload, try await session.ledger.earlier(job.identity).obstacle(repeating.policy) == nil {
                _ = try await RecipientStoring(job.source, in: session.ledger, by: "\(id)").store(id)
            }
            let outcome = try await session.give(
                AddMailing(job.new(id, origin: origin, onlyNew: repeating.onlyNew), repeating: repeating.policy))
            if upload, outcome.added != .added { try await session.ledger.abandonUpload(id, by: "\(id)") }
            let repetition = RepeatText(file: file)
            switch outcome.added {
            case .added: break
            case .unfinished(let record): throw repetition.refusal(unfinished: record)
            case .sentBefore(let earlier): throw repetition.refusal(earlier)
            case .lost(let id): throw repetition.refusal(lost: id)
            case .forgotten(let earlier): throw repetition.refusal(forgotten: earlier)
            }
            StandardOutput.write("\(id)")
            if earlier.reached > 0 { StandardError.warn(repetition.again(earlier)) }
            if let late = LateStartText(StartRule(job.mailing, start: job.start), id: id, now: now).text { StandardError.warn(late) }
            outcome.reach.warnWithoutPlanner("mailing \(id) waits, and is sent")
        }
    }
}

/// Words about a start that has passed when a mailing is added.
struct LateStartText {
    let rule: StartRule
    let id: MailingID
    /// Milliseconds since 1970.
    let now: Int64

    init(_ rule: StartRule, id: MailingID, now: Int64) {
        self.rule = rule
        self.id = id
        self.now = now
    }

    /// Nil for a start that is to come.
    var text: String? {
        guard let start = rule.start, start < now else { return nil }
        let past = "its start \(Moment(milliseconds: start)) is \(TimeSpan.text(seconds: (Double(now - start) / 1000).rounded())) past"
        return switch rule.decide(now: now) {
        case .hold:
            """
            \(past), and at most \(TimeSpan.text(seconds: rule.maximumDelay)) is allowed (max_delay): the planner pauses it. \
            flotilla mailing resume \(id) sends it, flotilla mailing stop \(id) ends it
            """
        case .begin, .beginLate, .wait: "\(past): it begins at once"
        }
    }
}
