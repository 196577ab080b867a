import Model

/// Which mailings a dispatcher has dispatched something of since it began. A ledger that goes back to a moment after that has lost no
/// dispatches but these: of a mailing that is not among them nothing was sent.
struct OwnDispatches {
    /// Mailings that are remembered at most.
    private static let most = 100_000

    /// The ledger's number of commits when it began; nil before.
    private var since: Int64?
    private var mailings: Set<MailingID> = []

    /// Begins, if it has not begun.
    /// - Parameter commits: those of a ledger that was found to be no older copy after they were counted.
    mutating func begin(at commits: Int64) { since = since ?? commits }

    /// Something of mailings is about to be dispatched.
    mutating func note(_ ids: some Sequence<MailingID>) {
        mailings.formUnion(ids)
        guard mailings.count > Self.most else { return }
        self = OwnDispatches()
    }

    /// Of some mailings those of which nothing was dispatched since a moment.
    /// - Parameter commits: how many the ledger had at that moment.
    func untouched(_ ids: some Sequence<MailingID>, since commits: Int64) -> Set<MailingID> {
        guard let since, commits >= since else { return [] }
        return Set(ids).subtracting(mailings)
    }
}
