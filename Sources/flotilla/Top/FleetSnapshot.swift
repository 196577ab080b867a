/// A fleet at one moment: its mailings and what blocks them, its processes, its streams. `top --output json` prints its keys in snake case;
/// docs/operations.md describes them.
struct FleetSnapshot: Encodable {
    struct MailingLine: Encodable {
        var id: String
        var name: String
        var channel: String
        var provider: String
        var state: String
        /// Of the mailing, whatever their states.
        var recipients: Int
        var sent: Int
        var failed: Int
        var open: Int
        /// Recipients that became terminal, a second; nil in the first sample.
        var perSecond: Double?
        var secondsLeft: Double?
        /// What blocks it, as a word for scripts and as a sentence for people; empty when nothing does.
        var blockingKind: String
        var blockingReason: String
        var isStuck: Bool
        /// The commonest response to those who wait for another attempt, while nobody becomes terminal; empty otherwise.
        var commonestResponse = ""
        /// What the brake warns of, since the mailing was resumed last.
        var warnings: [String] = []
    }

    struct ProcessLine: Encodable {
        var name: String
        var role: String
        var host: String
        var version: String
        var isAlive: Bool
        /// Since its last heartbeat.
        var seenSeconds: Double
        /// The planner that leads.
        var isLeader: Bool
        /// Messages and batches in flight.
        var inFlight: Int
        var batches: Int
        /// Responses a second, and the share of a core; nil in the first sample.
        var perSecond: Double?
        var cpu: Double?
        var memoryBytes: Int
        var uptimeSeconds: Double
    }

    /// The batches of one provider and channel, between the dispatcher and the end of their delivery.
    struct LaneLine: Encodable {
        var channel: String
        var provider: String
        var ready: Int
        var inFlight: Int
        /// Of the oldest, be it ready or in flight.
        var oldestSeconds: Double
    }

    /// Results between a worker and the ledger.
    struct ResultStream: Encodable {
        var partition: Int
        /// Entries that no collector has read, and entries that a collector has read and not yet confirmed.
        var waiting: Int
        var pending: Int
        var oldestSeconds: Double
    }

    /// What visitors did, between a tracker and the ledger.
    struct EventStream: Encodable {
        var stream: Int
        /// Entries that no collector has read, and entries that a collector has read and not yet confirmed; each has up to a thousand
        /// events.
        var waiting: Int
        var pending: Int
        var oldestSeconds: Double
    }

    /// What providers tell, between a tracker and the ledger.
    struct ReceiptStream: Encodable {
        /// Entries that no collector has read, and entries that a collector has read and not yet confirmed; each has up to 500 receipts.
        var waiting: Int
        var pending: Int
        var oldestSeconds: Double
    }

    /// Milliseconds since 1970.
    var at: Int64
    var mailings: [MailingLine] = []
    var processes: [ProcessLine] = []
    var lanes: [LaneLine] = []
    var resultStreams: [ResultStream] = []
    /// Results that are not in the ledger yet, over all partitions, and the age of the oldest.
    var lagEntries = 0
    var lagSeconds = 0.0
    var eventStreams: [EventStream] = []
    /// Entries of questions of trackers that no collector has answered; each has up to two hundred questions.
    var unansweredQuestions = 0
    /// Events that the ledger keeps and has not counted yet.
    var uncountedEvents = 0
    var receiptStreams: [ReceiptStream] = []
    /// Receipts that the ledger keeps and that name no message of it.
    var unknownReceipts = 0
    /// Why the ledger or Redis could not be read; empty if both could.
    var problems: [String] = []
}
