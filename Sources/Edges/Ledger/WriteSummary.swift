package import Model

/// What a write of results changed.
package struct WriteSummary: Sendable, Equatable {
    /// Recipients that moved into a state, by state.
    package var moved: [RecipientState: Int] = [:]
    /// Groups that were written before: they changed nothing.
    package var duplicates = 0
    /// Groups of a dispatchNumber that is no longer the batch's: logged, and their results taken.
    package var late = 0
    /// Groups of mailings or batches that this ledger does not know: left out.
    package var unknown = 0
    /// Groups with an index, a time or a number of attempts that cannot be: left out.
    package var invalid = 0
    /// Events that were new.
    package var events = 0
    /// Batches that this write ended the dispatch of.
    package var closed: [BatchID] = []
    /// Feedings that groups of this write were of and that are over, by this write or by one before.
    package var over: Set<Dispatch> = []

    package init() {}
}
