import Model

/// When a dispatch has ended: pure rules.
extension BatchProgress {
    /// Takes what a group of results says of its dispatch beside the results.
    /// - Parameter groups: with a closing group, how many groups there are of the dispatch.
    mutating func take(_ closing: ResultGroup.Closing, of dispatchNumber: Int, groups: Int) {
        guard isDispatched, dispatchNumber == self.dispatchNumber, closing != .open else { return }
        if closing == .done { isDone = true }
        released = max(released, groups)
    }

    /// Moves a recipient to a state without a result: the dispatch owes no result of it any more.
    mutating func end(_ index: Int, as state: RecipientState) {
        states[index] = StateCode.code(state)
        if isDispatched { awaited[index >> 3] &= ~(1 << UInt8(index & 7)) }
    }

    /// Whether the dispatch has ended; nil where its groups of results have to be counted for that.
    var isOver: Bool? {
        guard isDispatched else { return false }
        if isDone, owesNothing { return true }
        return released > 0 ? nil : false
    }

    /// Whether the dispatch has ended, by the number of its groups. Status streams have several readers: the closing group may overtake
    /// others, and ends the dispatch only once those are in.
    /// - Parameters:
    ///   - known: groups of the dispatch that are in.
    ///   - isPartial: not all results of one of them could be read: who still owes a result is uncertain.
    func isOver(known: Int, isPartial: Bool) -> Bool { known >= released && (isPartial || !isDone) }
}
