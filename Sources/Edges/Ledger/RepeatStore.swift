package import Model

/// Whom the mailings of an identity have reached.
package protocol RepeatStore: Sendable {
    /// The mailings of an identity.
    func earlier(_ identity: MailingIdentity) async throws(LedgerError) -> EarlierMailings

    /// The other mailings of a mailing's identity that may have reached somebody, the oldest first; none for one without identity.
    func earlier(than id: MailingID) async throws(LedgerError) -> [MailingID]

    /// Recipients that a mailing has reached, or may have reached: sent, delivered, uncertain, or open and with a worker.
    /// - Parameters:
    ///   - after: the last batch of the page before; -1 for the first page.
    ///   - limit: batches of a page at most.
    func reached(by id: MailingID, after: Int, limit: Int) async throws(LedgerError) -> [ReachedBatch]
}

/// Recipients of one batch that a message has reached, or may have reached.
package struct ReachedBatch: Sendable {
    package var number: Int
    package var channel: Channel
    /// Id and address of each recipient of the batch.
    package var recipients: Recipients
    /// Their places in `recipients`.
    package var places: [Int]
}
