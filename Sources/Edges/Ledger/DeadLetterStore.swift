package import Model

/// Entries of Redis that could not be read, kept for people and for a release that can read them: 10,000 of 64 MiB in all, the newest. Of
/// older ones it is known how many there were.
package protocol DeadLetterStore: Sendable {
    /// Those that are kept, the oldest first.
    /// - Parameter after: the last of the page before; nil for the first page.
    func deadLetters(after: Int64?, limit: Int) async throws(LedgerError) -> [StoredDeadLetter]

    /// One of them with its fields; nil when there is none.
    func deadLetter(_ id: Int64) async throws(LedgerError) -> StoredDeadLetter?

    /// How many came that are not kept any more, by where they were found.
    func discardedDeadLetters() async throws(LedgerError) -> [DeadLetter.Source.Kind: Int]

    /// How many nobody has dealt with, those that are not kept any more included.
    func deadLetterCount() async throws(LedgerError) -> Int

    /// Notes that one was put back.
    /// - Returns: false when there is none.
    func noteRetry(_ id: Int64, note: AuditNote?, now: Int64) async throws(LedgerError) -> Bool

    /// Forgets some; for nil all, and those that are not kept any more.
    /// - Returns: how many.
    func dropDeadLetters(_ ids: [Int64]?, note: AuditNote?, now: Int64) async throws(LedgerError) -> Int
}

/// A dead letter in the ledger.
package struct StoredDeadLetter: Sendable, Equatable {
    package var id: Int64
    /// Without its fields in a list.
    package var letter: DeadLetter
    /// Bytes of all its fields.
    package var bytes: Int
    /// When it was put back, in milliseconds since 1970; nil while nobody has dealt with it.
    package var retried: Int64?
}
