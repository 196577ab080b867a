import ArgumentParser
import Control
import Ledger
import Model
import Planning
import Policy
import Settings
import Telemetry

/// Finds the mailing that `send` sends: one that has not ended, or a new one.
struct MailingResolver {
    let ledger: any OpenLedger
    let job: PreparedJob
    /// The mailing file as it was given, and its absolute path.
    let file: String
    let origin: String
    let policy: RepeatPolicy
    /// The `--ledger` of the command; nil where it named none.
    var ledgerOption: String?

    /// - Throws: `ExitCode`, behind words about it, when nothing is to be sent now.
    func resolve() async throws -> SendDecision {
        let decision = SendDecision(try await ledger.earlier(job.identity), policy)
        switch decision {
        case .new where policy != .again:
            try await RepeatText(file: file).refuseOlderCopy(ledger)
            return decision
        case .new, .goOn: return decision
        case .waits(let record):
            StandardError.write("error: \(PausedText(record).text)")
            throw ExitCode(.paused)
        case .sentBefore(let earlier): throw RepeatText(file: file).refusal(earlier)
        case .lost(let id): throw RepeatText(file: file).refusal(lost: id)
        case .forgotten(let earlier): throw RepeatText(file: file).refusal(forgotten: earlier)
        }
    }

    /// Says what is remarkable about the decision.
    func say(_ decision: SendDecision) async throws {
        if case .new = decision { try await CategoryText.check(job, in: ledger, option: ledgerOption) }
        switch decision {
        case .new where policy == .again:
            let earlier = try await ledger.earlier(job.identity)
            if earlier.reached > 0 { StandardError.warn(RepeatText(file: file).again(earlier)) }
        case .goOn(let record):
            let changes = MailingDifference(record, job).names
            if !changes.isEmpty {
                StandardError.warn(
                    """
                    mailing \(record.id) of \(file) has not ended (\(record.state.rawValue)) and continues as it was added \
                    \(Timestamp.text(record.created)). What has changed since is not used: \(changes.joined(separator: ", ")). \
                    To use it, end that mailing first: flotilla mailing stop \(record.id)
                    """)
            }
            if policy != .refuse {
                StandardError.warn(
                    "mailing \(record.id) of \(file) has not ended, and continues; --again and --only-new are for ended ones")
            }
        case .new, .waits, .sentBefore, .lost, .forgotten: break
        }
    }

    /// Writes the decision to the ledger.
    func commit(_ control: Control, by actor: OrderActor) async throws -> MailingID {
        switch try await resolve() {
        case .goOn(let record):
            if record.state == .paused { _ = try await control.carryOut(ResumeMailing(record.id, atOnce: false), by: actor) }
            return record.id
        default:
            var generator = SystemRandomNumberGenerator()
            let id = MailingID(milliseconds: Clock.milliseconds(), using: &generator)
            let new = job.new(id, origin: origin, onlyNew: policy == .onlyNew)
            let outcome = try await control.carryOut(AddMailing(new, repeating: policy), by: actor)
            // Another process was faster.
            if outcome.added != .added { return try await commit(control, by: actor) }
            return id
        }
    }
}

/// Words about a mailing that waits for a person.
struct PausedText {
    private let record: MailingRecord

    init(_ record: MailingRecord) { self.record = record }

    /// What a `send` says that runs while its mailing is paused, and waits.
    /// - Parameter ledger: the option that names it, with a space before.
    func waiting(ledger: String) -> String {
        """
        mailing \(record.id) '\(LogText.line(record.mailing.name))' is \(LogText.line(record.reason)). This command waits: \
        flotilla mailing resume \(record.id)\(ledger) lets it go on, and Ctrl-C ends the command, with the mailing paused
        """
    }

    var text: String {
        let since = record.stateChanged.map { " since \(Timestamp.text($0))" } ?? ""
        let why = record.stateReason.kind == .person ? "\(record.reason)\(since)" : "paused\(since): \(record.reason)"
        return """
            mailing \(record.id) '\(LogText.line(record.mailing.name))' is \(LogText.line(why)), and `send` does not lift that. \
            flotilla mailing resume \(record.id) lets it go on; then the same command sends it
            """
    }
}

/// In what a mailing in the ledger differs from its file of now.
struct MailingDifference {
    let names: [String]

    init(_ record: MailingRecord, _ job: PreparedJob) {
        let (old, new) = (record.mailing, job.mailing)
        // When a person resumes a mailing whose start has passed, the ledger drops the start.
        let isStartForgotten = record.start == nil && (job.start ?? .max) <= Clock.milliseconds()
        func content(_ mailing: Mailing) -> [String] {
            let templates = [mailing.subject, mailing.preheader ?? .empty, mailing.html, mailing.text, mailing.body]
            return [mailing.from, mailing.replyTo] + templates.map(\.source)
                + (mailing.files?.all ?? []).flatMap { [$0.name, $0.type, $0.digest] }
        }
        let parts: [(name: String, isSame: Bool)] = [
            ("name", old.name == new.name), ("channel", old.channel == new.channel), ("provider", old.provider == new.provider),
            ("category", old.category == new.category), ("tracking", old.tracking == new.tracking),
            ("content", content(old) == content(new)),
            ("speed", old.speed == new.speed),
            ("recipients", record.source == job.source),
            ("columns", old.fields == new.fields && old.nestedFields == new.nestedFields),
            ("start", record.start == job.start || isStartForgotten),
            (
                "options",
                old.batchSize == new.batchSize && old.attempts == new.attempts && old.lifetime == new.lifetime
                    && old.uncertain == new.uncertain && old.late == new.late && old.maximumDelay == new.maximumDelay
            ),
        ]
        names = parts.filter { !$0.isSame }.map(\.name)
    }
}
