import Model

/// The states of packed characters, found by a table: `RecipientState(code:)` compares characters, which a hot path feels.
enum StateCode {
    private static let states: [RecipientState?] = {
        var table = [RecipientState?](repeating: nil, count: 256)
        for state in RecipientState.allCases { table[Int(state.code)] = state }
        return table
    }()

    /// The codes by `RecipientState.rank`.
    private static let codes: [UInt8] = RecipientState.allCases.sorted { $0.rank < $1.rank }.map(\.code)

    static func state(_ code: UInt8) -> RecipientState? { states[Int(code)] }

    static func code(_ state: RecipientState) -> UInt8 { codes[state.rank] }
}
