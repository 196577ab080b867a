package import Model

/// Recipients of a mailing who wait because they were refused before anybody was accepted.
package struct DoubtfulRefusals: Sendable, Equatable {
    /// Messages of the mailing that a provider took.
    package var accepted: Int
    /// Recipients that are not terminal.
    package var open: Int
    /// All of its recipients are planned.
    package var isPlanned: Bool
    /// Those who wait, by response, the commonest first.
    package var responses: [MailingReport.ResponseCount]

    package init(accepted: Int, open: Int, isPlanned: Bool, responses: [MailingReport.ResponseCount]) {
        self.accepted = accepted
        self.open = open
        self.isPlanned = isPlanned
        self.responses = responses
    }
}

/// Tells whether a provider refuses everybody.
package protocol RefusalStore: Sendable {
    /// Those who wait for a refusal that may be everybody's; nil for a mailing that is not known. Once somebody was accepted, `responses`
    /// is empty.
    func doubtfulRefusals(_ id: MailingID) async throws(LedgerError) -> DoubtfulRefusals?
}
