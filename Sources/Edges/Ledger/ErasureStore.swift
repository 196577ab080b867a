package import Model

/// Takes the values of a person out of what is kept.
package protocol ErasureStore: Sendable {
    /// Empties the values of all recipients with an address but their ids, and takes addresses out of what providers said of them and of
    /// excluded rows. States, counters and suppressions stay. Who is still to be sent to stays as well: stop the mailing first. A dead
    /// letter of such a batch goes, as it holds values.
    /// - Parameter note: the order; its audit entry names no value.
    func erase(address: String, note: AuditNote?, now: Int64) async throws(LedgerError) -> Erasure
}

/// What an erasure did.
package struct Erasure: Sendable, Equatable {
    /// Recipients whose values are empty now.
    package var recipients = 0
    /// Excluded rows.
    package var excluded = 0
    /// Recipients that were left, as they are still to be sent to.
    package var open: [MailingID] = []

    package init() {}
}
