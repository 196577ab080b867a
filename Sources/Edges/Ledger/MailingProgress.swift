package import Model

/// A mailing's counters at a moment: cheap enough to be asked for several times a second.
package struct MailingProgress: Sendable, Equatable {
    package var state: MailingState
    package var planned: Int
    package var excluded: Int
    package var planningDone: Bool
    /// Recipients by state.
    package var states: [RecipientState: Int]
    /// Batches that are with the workers.
    package var dispatched: Int
    package var started: Int64?
    package var finished: Int64?

    package subscript(state: RecipientState) -> Int { states[state] ?? 0 }

    /// Recipients that are not terminal.
    package var open: Int { states.reduce(0) { $1.key.isTerminal ? $0 : $0 + $1.value } }

    /// Each recipient of the mailing is planned and terminal.
    package var isComplete: Bool { planningDone && open == 0 }

    /// The planned recipients equal the sum of the states.
    package var balances: Bool { planned == states.values.reduce(0, +) && states.values.allSatisfy { $0 >= 0 } }
}
