package import Model

/// What a write of results changed.
package struct WriteSummary: Sendable, Equatable {
    /// Recipients that moved into a state, by state.
    package var moved: [RecipientState: Int] = [:]
    /// Groups that were written before: they changed nothing.
    package var duplicates = 0
    /// Groups of an earlier dispatch of their batch: logged, and their results taken.
    package var late = 0
    /// Groups of mailings or batches that this ledger does not know: ignored.
    package var unknown = 0
    /// Groups with an index, a time or a number of attempts that cannot be: ignored.
    package var invalid = 0
    /// Recipients who were called expired before their time has come by the ledger: they are deferred.
    package var early = 0
    /// Events that were new.
    package var events = 0
    /// Batches that this write ended the dispatch of.
    package var closed: [BatchID] = []
    /// The dispatches that groups of this write belong to and that have ended, with this write or before.
    package var over: Set<Dispatch> = []

    /// Keys of suppressions that were removed, as the messages that had led to them have arrived.
    package var unsuppressed: [Suppression.Key] = []

    /// The ledger's number of commits, this one included.
    package var commits: Int64 = 0
    /// On which server the ledger stood, and after which fail-over; nil for a file.
    package var standing: String?
    /// Mailings of which recipients wait who were refused before anybody was accepted.
    package var refused: Set<MailingID> = []

    /// Mailings of which more messages bounced for good, or were called spam.
    package var braked: Set<MailingID> = []

    package init() {}
}
