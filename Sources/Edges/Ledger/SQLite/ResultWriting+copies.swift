import GRDB
import Model

/// A provider that takes messages and does not answer in time sends nobody a third copy without a question: whoever may have got the
/// message twice waits for a person.
extension ResultWriting {
    /// The group with those held who would be sent to again although they are on the list from another attempt.
    func capped(_ group: ResultGroup) throws -> ResultGroup {
        guard group.results.contains(where: \.isListing) else { return group }
        var group = group
        for (place, result) in group.results.enumerated() where result.isListing {
            // Without a deferral no response was missed: a worker ended, and the next one sends to them in the same dispatch.
            let next = group.results.dropFirst(place + 1).first
            guard let next, next.index == result.index, next.state == .deferred else { continue }
            guard try isListed(result.index, besides: group) else { continue }
            // The deferral behind it counts no more: held ranks higher.
            group.results[place].due = 0
            group.results[place].response?.text += "; a copy may have arrived before, so no third one is sent"
        }
        return group
    }

    /// The recipient is on the list from another dispatch, or of another worker.
    private func isListed(_ index: Int, besides group: ResultGroup) throws -> Bool {
        try Bool.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT EXISTS (
                        SELECT 1 FROM uncertain
                        WHERE mailing = ? AND batch = ? AND idx = ? AND (dispatch <> ? OR worker <> ?))
                    """),
            arguments: [group.batch.mailing.description, group.batch.number, index, group.dispatchNumber, group.worker]) == true
    }
}
