/// Attempts by what a provider calls them.
package protocol MessageStore: Sendable {
    /// The recipients of whom an attempt has a provider's message id, the newest mailing first: from the recipient's side its attempts have
    /// provider and message id (`RecipientDetail`). It reads all results: a look-up for people.
    /// - Parameters:
    ///   - provider: only attempts that went to it; nil for any.
    ///   - limit: how many at most.
    func recipients(ofMessage id: String, provider: String?, limit: Int) async throws(LedgerError) -> [RecipientDetail]

    /// Whether an attempt went to a provider of that name.
    func hasAttempts(through provider: String) async throws(LedgerError) -> Bool
}
