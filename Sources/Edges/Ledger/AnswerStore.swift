package import Model

/// What trackers ask of the ledger, since it is not in the links of messages.
package protocol AnswerStore: Sendable {
    /// The recipients whom questions are about, on one view of the ledger.
    /// - Returns: in the order of the questions; nil for mailings and recipients that there never were.
    func asked(about questions: [Question]) async throws(LedgerError) -> [AskedRecipient?]

    /// What recipients chose, on one view of the ledger.
    /// - Parameters:
    ///   - questions: whose recipients are meant.
    ///   - now: milliseconds since 1970.
    /// - Returns: in the order of the questions; nil for those of whom nothing is kept: erased, pruned long ago, never there.
    func preferences(of questions: [Question], now: Int64) async throws(LedgerError) -> [RecipientPreferences?]
}

/// A recipient whom a question is about.
package struct AskedRecipient: Sendable {
    package var batch: BatchID
    /// Their place in the batch.
    package var index: Int
    /// Their values, as one row; nil where they are erased, or the mailing is pruned.
    package var values: Recipients?

    package init(batch: BatchID, index: Int, values: Recipients?) { (self.batch, self.index, self.values) = (batch, index, values) }
}
