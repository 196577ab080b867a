import Ledger
import Model
import Telemetry

/// Words about a mailing whose recipients were removed.
struct PrunedText {
    private let id: MailingID
    /// Milliseconds since 1970.
    private let pruned: Int64

    init(_ id: MailingID, _ pruned: Int64) {
        self.id = id
        self.pruned = pruned
    }

    var text: String {
        """
        mailing \(id) was pruned \(Timestamp.text(pruned)): its recipients, their results, events and excluded rows are not kept any \
        more. flotilla mailing report \(id) has the totals
        """
    }

    /// Refuses a question about recipients of a pruned mailing.
    static func refuse(_ record: MailingRecord) throws(CommandError) {
        if let pruned = record.pruned { throw CommandError(PrunedText(record.id, pruned).text) }
    }
}
