package import Model

/// Takes the values of a person out of what is kept.
package protocol ErasureStore: Sendable {
    /// Empties the values of all recipients with an address but their ids, and takes the address out of what providers said of them, of
    /// excluded rows, dead letters and reasons. An id that holds the address goes too. States and counters stay, and so do suppressions,
    /// unless they are to go as well. Whoever may still be sent to, or waits for a person's decision, stays as a whole and is named. Only a
    /// hash of the address is kept, by which `ledger restore` empties an older copy too.
    /// - Parameter note: the order; its audit entry names no value. Where nothing was erased there is none.
    func erase(_ person: ErasedPerson, note: AuditNote?, now: Int64) async throws(LedgerError) -> Erasure
}

/// Whose values are taken out.
package struct ErasedPerson: Sendable, Equatable {
    /// The forms in which the ledger may have the address; case does not matter.
    package var addresses: [String]
    /// The suppressions of the address are removed too: from then on it may be sent to again.
    package var withSuppressions: Bool

    package init(_ addresses: [String], withSuppressions: Bool = false) {
        self.addresses = addresses
        self.withSuppressions = withSuppressions
    }
}

/// What an erasure did.
package struct Erasure: Sendable, Equatable {
    /// A recipient that was left.
    package struct Left: Sendable, Hashable {
        package var mailing: MailingID
        /// `planned` or `deferred`: it is still to be sent to. `uncertain`: a person is still to decide about it.
        package var state: RecipientState
    }

    /// Recipients whose values are empty now.
    package var recipients = 0
    /// Excluded rows.
    package var excluded = 0
    /// Dead letters whose content was removed.
    package var letters = 0
    /// Customers who had the address, with all that the tables of customers had of them.
    package var customers = 0
    /// Suppressions that were removed.
    package var suppressions = 0
    /// Suppressions that stay.
    package var suppressed: [Suppression.Key] = []
    /// Recipients that were left.
    package var open: [Left] = []
    /// Mailings whose recipients' files are still to be read: the address may be in them.
    package var unplanned: [MailingID] = []

    package init() {}

    /// Something of the person was taken out.
    package var hasErased: Bool { recipients + excluded + letters + customers + suppressions > 0 }

    /// Nothing of the person is left but suppressions.
    package var isWhole: Bool { open.isEmpty }
}
