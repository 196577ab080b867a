/// What a ledger knows of the epoch of Redis that its last dispatcher worked in, so that a dispatcher which comes after a loss of both
/// knows whom to ask.
package struct EpochNote: Sendable, Equatable {
    /// The epoch, as Redis names it.
    package var epoch: String
    /// The boot of the dispatcher's machine in which the epoch began: what a process there wrote to a file before is whole as long as this
    /// boot lasts, however the process ended.
    package var boot: String
    /// The workers that may have messages in flight, or results that are in Redis alone.
    package var workers: Set<String>

    package init(epoch: String, boot: String, workers: Set<String> = []) {
        self.epoch = epoch
        self.boot = boot
        self.workers = workers
    }
}

/// Notes of the epoch. What a dispatcher writes that has lost the leadership is refused.
package protocol EpochNoteStore: Sendable {
    /// The last note; nil for none.
    func epochNote() async throws(LedgerError) -> EpochNote?

    /// Replaces the note; nil removes it.
    func setEpochNote(_ note: EpochNote?) async throws(LedgerError)

    /// Why the dispatcher dispatches nothing by way of Redis, for people; nil where it does.
    func redisProblem() async throws(LedgerError) -> String?

    /// Notes that; nil where it dispatches again.
    func setRedisProblem(_ problem: String?) async throws(LedgerError)
}
