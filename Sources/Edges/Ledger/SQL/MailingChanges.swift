import Model
import Policy

/// What one transaction changes in a mailing's counters.
struct MailingChanges {
    private struct Moment {
        var sent = 0
        var failed = 0
        var deferred = 0
        /// What the brake counts of it; nil where that is nothing.
        var brake: BrakeCounts?
    }

    let id: MailingID
    var failures: ResponseCounts
    /// Changes of the counters, by `RecipientState.rank`.
    var moves = [Int](repeating: 0, count: RecipientState.allCases.count)
    private var timeline: [Int64: Moment] = [:]

    init(id: MailingID) {
        self.id = id
        failures = ResponseCounts(mailing: id)
    }

    /// Counts what happened at a time in milliseconds since 1970.
    mutating func count(_ at: Int64, sent: Int = 0, failed: Int = 0, deferred: Int = 0) {
        timeline[at / 1000, default: Moment()].sent += sent
        guard failed != 0 || deferred != 0 else { return }
        timeline[at / 1000, default: Moment()].failed += failed
        timeline[at / 1000, default: Moment()].deferred += deferred
    }

    /// Counts what became of a message that was sent at a time in milliseconds since 1970.
    mutating func count(_ at: Int64, _ change: WritableKeyPath<BrakeCounts, Int>) {
        var counts = timeline[at / 1000]?.brake ?? BrakeCounts()
        counts[keyPath: change] += 1
        timeline[at / 1000, default: Moment()].brake = counts
    }

    func store(_ db: any SQLTransaction) throws {
        for state in RecipientState.allCases { try SQLLedger.count(db, id, state, moves[state.rank]) }
        try failures.store(db)
        for (second, moment) in timeline.sorted(by: { $0.key < $1.key }) {
            guard let brake = moment.brake else {
                try db.add(
                    to: "timeline", ["mailing": id.description, "second": second],
                    ["sent": moment.sent, "failed": moment.failed, "deferred": moment.deferred])
                continue
            }
            try db.add(
                to: "timeline", ["mailing": id.description, "second": second],
                [
                    "sent": moment.sent, "failed": moment.failed, "deferred": moment.deferred, "refused": brake.refused,
                    "bounced": brake.bounced, "complained": brake.complained,
                ])
        }
    }
}
