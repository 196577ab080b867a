package import Model

/// How an older copy of a ledger is recognised, and what is done about the people who were sent to since it was made.
package protocol CopyStore: Sendable {
    /// Makes sure that the ledger is where it was opened.
    /// - Throws: `LedgerError.replaced`.
    func checkFile() throws(LedgerError)

    /// How many commits there were of dispatches and results. Redis is told the number after each.
    func commits() async throws(LedgerError) -> Int64

    /// Whether this is a copy that the leader has not seen to yet.
    func copyMark() async throws(LedgerError) -> CopyMark

    /// Notes that this is an older copy, before it is written to: its own number of commits tells that no longer then.
    /// - Parameter commits: the number that Redis knows.
    func noteOlder(than commits: Int64) async throws(LedgerError)

    /// What is noted beside the ledger; nil for nothing.
    func note() async throws(LedgerError) -> LedgerNote?

    /// Notes beside the ledger how far it has come.
    /// - Parameter reached: the highest batch of each unfinished mailing that was ever dispatched; nil where more may be dispatched from
    ///   now on.
    func note(reached: [MailingID: Int]?) async throws(LedgerError)

    /// The mailings of which messages may have been sent since a copy was made: all that have not ended.
    func unfinished() async throws(LedgerError) -> [MailingID]

    /// Lists everybody as uncertain who may have been sent to since this copy was made, in one transaction, and takes the copy for the
    /// truth from now on. A mailing that was not planned as a whole is paused where it may have been sent as a whole.
    /// - Parameters:
    ///   - doubt: of each unfinished mailing the batches concerned; nil where nothing was sent since.
    ///   - commits: the number that Redis knows; the ledger's is higher from now on.
    /// - Returns: recipients that were listed, and mailings that were paused.
    func acceptCopy(_ doubt: CopyDoubt?, commits: Int64, now: Int64) async throws(LedgerError) -> (listed: Int, paused: [MailingID])

    /// Lists everybody as uncertain in the first batches of a mailing that was planned again, since the server that had its plan before had
    /// dispatched them. Does nothing where the ledger has dispatched something of it.
    /// - Parameter last: the last batch that was dispatched.
    /// - Returns: recipients that were listed.
    func listDispatchedBefore(_ id: MailingID, upTo last: Int, why: String, now: Int64) async throws(LedgerError) -> Int
}

/// How far a ledger has come, and how it is marked as a copy.
package struct CopyMark: Sendable, Equatable {
    /// Commits of dispatches and results.
    package var commits: Int64
    /// When `flotilla ledger restore` put it in its place, in milliseconds since 1970.
    package var restored: Int64?
    /// The number of commits that Redis knew when it was found to be older.
    package var olderThan: Int64?
    /// Another server has taken the place of the one before: a standby, or one that was brought back to an earlier moment. The commits are
    /// those that it had then.
    package var isMoved: Bool
    /// On which server it stands, and after which fail-over; nil for a file.
    package var standing: String?

    package init(
        commits: Int64 = 0, restored: Int64? = nil, olderThan: Int64? = nil, isMoved: Bool = false, standing: String? = nil
    ) {
        self.commits = commits
        self.restored = restored
        self.olderThan = olderThan
        self.isMoved = isMoved
        self.standing = standing
    }
}

/// What is not known after an older copy of a ledger took its place.
package struct CopyDoubt: Sendable {
    /// The highest batch of each mailing that was ever dispatched; a mailing that is missing may have been sent as a whole.
    package var reached: [MailingID: Int]
    /// Mailings of which it is known how far they were sent, or that nothing was sent that the copy does not know: where they were not
    /// planned as a whole, their planning continues.
    package var known: Set<MailingID> = []
    /// Everybody is held for a person, whatever the mailings say.
    package var holdsAll: Bool
    /// For people.
    package var why: String

    package init(reached: [MailingID: Int], holdsAll: Bool, why: String) {
        self.reached = reached
        self.holdsAll = holdsAll
        self.why = why
    }
}
