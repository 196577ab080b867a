/// A mailing whose row in the ledger cannot be read. The others are not concerned.
package struct UnreadableMailing: Sendable, Equatable {
    /// As the row has it: it may be no id.
    package var id: String
    /// As the row has it: it may be no state.
    package var state: String
    /// What is wrong, and what to do, for people.
    package var error: LedgerError

    /// It is of a newer release, for whose planner it is left.
    package var isNewer: Bool { if case .newerMailing = error { true } else { false } }
}
