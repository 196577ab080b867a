import Ledger
import Model
import Telemetry

/// A mailing as `mailing list` and `mailing show` print it for scripts. Times are ISO 8601 in UTC; a value that is not known has no key.
struct MailingJSON: Encodable {
    let id: String
    let name: String
    let key: String?
    let channel: Channel
    let category: String?
    let provider: String
    /// The limit in force, as `500/s`.
    let speed: String?
    let state: MailingState
    let reason: String?
    let reasonKind: String?
    let actor: String?
    let created: String
    let start: String?
    let started: String?
    let finished: String?
    /// When its recipients were removed.
    let pruned: String?
    /// Recipients that are planned, and rows that are not.
    let planned: Int
    let excluded: Int
    /// Delivered ones are among those that are sent; those that are open are not terminal.
    let sent: Int
    let failed: Int
    let open: Int
    let states: [String: Int]
    let file: String?
    let recipientsFile: String?
    /// The deprecated name of `recipientsFile`: elsewhere `recipients` is a number.
    let recipients: String?
    /// What blocks it, as a word and as a sentence: `mailing show` alone looks at the fleet for it.
    var blockingKind: String?
    var blockingReason: String?
    /// Why planners cannot read its recipients, by machine; and whether the ledger has them: `mailing show` alone tells.
    var unreadable: [Unreadable]?
    var recipientsStored: Bool?
    /// What the brake has found since it was resumed last: `mailing show` alone tells.
    var brake: [NotedBrakeFinding]?
    /// Its rounds, where a person opened one: `mailing show` alone tells.
    var rounds: [MailingRound]?

    struct Unreadable: Encodable {
        let host: String
        let problem: String
    }

    init(_ record: MailingRecord, _ progress: MailingProgress) {
        func known(_ text: String) -> String? { text.isEmpty ? nil : text }
        id = record.id.description
        name = record.mailing.name
        if case .key(let key)? = record.identity { self.key = key } else { key = nil }
        channel = record.mailing.channel
        category = record.mailing.category
        provider = record.mailing.provider
        speed = record.speed
        state = record.state
        reason = known(record.reason)
        reasonKind = record.stateReason.kind?.rawValue
        actor = known(record.stateReason.actor)
        created = Timestamp.text(record.created)
        start = record.start.map(Timestamp.text)
        started = record.started.map(Timestamp.text)
        finished = record.finished.map(Timestamp.text)
        pruned = record.pruned.map(Timestamp.text)
        planned = record.plannedCount
        excluded = record.excludedCount
        sent = progress[.sent] + progress[.delivered]
        failed = progress[.failed]
        open = progress.open
        states = Dictionary(RecipientState.allCases.map { ($0.name, progress[$0]) }.filter { $0.1 > 0 }, uniquingKeysWith: +)
        file = known(record.origin)
        recipientsFile = record.source?.file
        recipients = recipientsFile
    }
}
