package import Model

/// Those whom a message may have reached that no response tells of, and what a person decides about them.
package protocol UncertainStore: Sendable {
    /// A page of a mailing's list, by batch, place in it and dispatch number.
    /// - Parameters:
    ///   - onlyHeld: leaves out those that wait for nobody's decision.
    ///   - after: the last of the page before; nil for the first page.
    func uncertain(
        _ id: MailingID, onlyHeld: Bool, after: UncertainRecipient?, limit: Int
    ) async throws(LedgerError) -> [UncertainRecipient]

    /// Decides about held recipients, in steps of one transaction each.
    /// - Parameters:
    ///   - recipients: their addresses (ASCII case does not matter) or ids; nil for all that are held.
    ///   - note: the order that decides; nil where nobody gave one. Its one audit entry counts the recipients of all steps.
    /// - Throws: `LedgerError.refused` when there is no such mailing, or its messages are to be sent again though its lifetime has ended,
    ///   or its lifetime is.
    func decide(
        _ id: MailingID, recipients: [String]?, as decision: UncertainDecision, note: AuditNote?, now: Int64
    ) async throws(LedgerError) -> UncertainSettlement
}

/// What a person decides about a held recipient.
package enum UncertainDecision: String, Sendable, CaseIterable {
    /// The message is sent again: the recipient is planned once more.
    case resend
    /// It arrived.
    case sent
    /// It did not, and nothing is sent any more.
    case failed

    /// The state that the recipient moves to.
    package var state: RecipientState {
        switch self {
        case .resend: .planned
        case .sent: .sent
        case .failed: .failed
        }
    }
}

/// What a decision did.
package struct UncertainSettlement: Sendable, Equatable {
    /// Recipients that it moved.
    package var count = 0
    /// Those of the names given that no held recipient has, as they were given.
    package var notHeld: [String] = []

    package init() {}
}

/// Why, and since when, it is not known whether a message arrived; times are milliseconds since 1970.
package struct UncertainListing: Sendable, Equatable {
    /// The dispatch of the batch in which it happened.
    package var dispatchNumber: Int
    /// It waits, or waited, for a person; otherwise the message is sent again.
    package var isHeld: Bool
    /// The worker that reported it; empty where the dispatcher did.
    package var worker: String
    package var at: Int64
    package var why: String
    /// When a person decided, and what.
    package var settled: Int64?
    package var outcome: UncertainDecision?
}

/// A row of a mailing's list.
package struct UncertainRecipient: Sendable, Equatable {
    package var batch: Int
    /// Its place in the batch, from 0.
    package var index: Int
    package var id: String
    package var address: String
    /// Where it stands now.
    package var state: RecipientState
    package var listing: UncertainListing
}

/// A mailing's list in numbers.
package struct UncertainCounts: Sendable, Equatable, Encodable {
    /// Recipients that were ever on the list.
    package var listed: Int
    /// Those that wait for a decision.
    package var held: Int
    /// Those that are sent to once more, by the mailing's policy or by a person; without those who were suppressed or stopped before that.
    package var redelivered: Int
    /// Those that ended as stopped, skipped, expired or failed, though a message may have reached them.
    package var unresolved: Int

    package init(listed: Int, held: Int, redelivered: Int, unresolved: Int) {
        self.listed = listed
        self.held = held
        self.redelivered = redelivered
        self.unresolved = unresolved
    }
}
