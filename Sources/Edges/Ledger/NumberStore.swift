package import Model

/// The short names of mailings, for what has no room for an id, as tokens in links have not.
package protocol NumberStore: Sendable {
    /// The number of a mailing, which it has for good from the moment that it is added; nil for one that is not known.
    func number(of id: MailingID) async throws(LedgerError) -> UInt32?

    func mailing(numbered number: UInt32) async throws(LedgerError) -> MailingID?
}
