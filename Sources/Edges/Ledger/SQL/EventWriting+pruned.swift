import Model
import Signing

/// Whoever unsubscribes by a message of a mailing whose recipients are pruned.
extension EventWriting {
    /// Suppresses them by what stands for their addresses, or takes that back.
    /// - Returns: of how many recipients nothing is kept.
    func applyPruned(
        _ added: inout [Suppression.Key: Suppression], _ removed: inout Set<Suppression.Key>, now: Int64
    ) throws -> Int {
        // Anybody who has a link can follow it any number of times: the last choice of each recipient counts.
        var last: [Place: TrackedEvent] = [:]
        for event in prunedChoices where Self.isPossible(event) {
            let place = Place(mailing: event.mailing, batch: event.batch, index: event.index)
            if let known = last[place], known.time > event.time { continue }
            last[place] = event
        }
        var unknown = 0
        for (place, event) in last.sorted(by: { $0.key < $1.key }) {
            let row = try db.row("SELECT id, channel, category FROM mailing WHERE number = ?", [Int64(place.mailing)])
            guard let row, let id = try MailingID(row.read(0) as String), let channel = try Channel(rawValue: row.read(1)),
                let hash = try PrunedAddresses.hash(db, place.mailing, batch: place.batch, index: place.index)
            else {
                unknown += 1
                continue
            }
            let key = try Suppression.Key(channel, AddressHasher.text(of: hash), category: row.read(2))
            let source = BatchID(mailing: id, number: Int(place.batch)).message(Int(place.index))
            try choose(key, event.action == .unsubscribe, at: event.time, source: source, &added, &removed, now: now)
        }
        return unknown
    }

    private struct Place: Hashable, Comparable {
        var mailing: UInt32
        var batch: UInt32
        var index: UInt32

        static func < (left: Place, right: Place) -> Bool {
            (left.mailing, left.batch, left.index) < (right.mailing, right.batch, right.index)
        }
    }
}
