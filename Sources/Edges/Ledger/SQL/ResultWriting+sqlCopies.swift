import Model

/// Nobody gets a third copy from a provider that takes messages and does not answer in time: a recipient who may have got two copies in
/// this way is held until a person decides. A connection that ends without a response does not count, since the server may never have seen
/// the message.
extension SQLLedger.ResultWriting {
    /// The group with those held who would be sent to again although a response was waited for in vain in another attempt too.
    func capped(_ group: ResultGroup) throws -> ResultGroup {
        guard group.results.contains(where: Self.isLate) else { return group }
        var group = group
        for (place, result) in group.results.enumerated() where Self.isLate(result) {
            guard try wasLate(result.index, besides: group) else { continue }
            // The deferral that follows in the group counts no more: held ranks higher.
            group.results[place].due = 0
            group.results[place].response?.text += "; a copy may have arrived before, so no third one is sent"
        }
        return group
    }

    static func isLate(_ result: RecipientResult) -> Bool { result.isListing && result.response?.missed == .timedOut }

    /// The recipient is on the list for a time-out in another dispatch, or of another worker.
    private func wasLate(_ index: Int, besides group: ResultGroup) throws -> Bool {
        try db.one(
            Bool.self,
            """
            SELECT EXISTS (
                SELECT 1 FROM uncertain
                WHERE mailing = ? AND batch = ? AND idx = ? AND missed = ? AND (dispatch <> ? OR worker <> ?))
            """,
            [
                group.batch.mailing.description, group.batch.number, index, MissedResponse.timedOut.rawValue, group.dispatchNumber,
                group.worker,
            ]) == true
    }
}
