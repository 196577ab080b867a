/// A fleet at one moment: its mailings and what holds them up, its processes, its streams. Its keys, in snake case, are what
/// `top --json` prints and docs/operations.md describes.
struct FleetView: Encodable {
    struct MailingLine: Encodable {
        var id: String
        var name: String
        var channel: String
        var provider: String
        var state: String
        var planned: Int
        var sent: Int
        var failed: Int
        var open: Int
        /// Recipients that got their last result, a second; nil in a first look.
        var perSecond: Double?
        var secondsLeft: Double?
        /// What holds it up, as a word for scripts and a sentence for people; empty where nothing does.
        var holdupKind: String
        var blockingReason: String
        var isStuck: Bool
    }

    struct ProcessLine: Encodable {
        var name: String
        var role: String
        var host: String
        var version: String
        var isAlive: Bool
        /// Since its last sign of life.
        var seenSeconds: Double
        /// A planner that has the leadership.
        var hasDuty: Bool
        /// Messages on the wire, and batches in hand.
        var inFlight: Int
        var batches: Int
        /// Answers a second, and the share of a core; nil in a first look.
        var perSecond: Double?
        var cpu: Double?
        var memoryBytes: Int
        var uptimeSeconds: Double
    }

    /// Batches on their way to workers.
    struct BatchStream: Encodable {
        var channel: String
        var ready: Int
        var inWork: Int
        /// Of the oldest, be it ready or in work.
        var oldestSeconds: Double
    }

    /// Results on their way to the ledger.
    struct ResultStream: Encodable {
        var partition: Int
        /// Entries that no collector has read, and those that one has and not yet confirmed.
        var waiting: Int
        var pending: Int
        var oldestSeconds: Double
    }

    /// Milliseconds since 1970.
    var at: Int64
    var mailings: [MailingLine] = []
    var processes: [ProcessLine] = []
    var batchStreams: [BatchStream] = []
    var resultStreams: [ResultStream] = []
    /// Results that are not in the ledger yet, over all partitions, and how long the oldest waits.
    var lagEntries = 0
    var lagSeconds = 0.0
    /// Why something of it could not be asked; empty where all could.
    var problems: [String] = []
}
