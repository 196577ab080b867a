package import Model

/// The rounds of mailings. The first begins with the plan; a person who has the message sent again to some who failed opens the next.
package protocol RoundStore: Sendable {
    /// All rounds of a mailing; empty where there is but the first.
    func rounds(_ id: MailingID) async throws(LedgerError) -> [MailingRound]

    /// Whom `retry` would send to again. Nothing is changed.
    func retriable(_ id: MailingID, _ filter: RetryFilter, now: Int64) async throws(LedgerError) -> RetrySelection

    /// Plans failed and expired recipients once more, in steps of one transaction each: whoever is planned is failed no more, so that a
    /// second call, by whomever, takes the rest. The lifetime of the mailing's messages begins anew; one that had ended is sending again.
    /// - Parameters:
    ///   - note: the order; its one audit entry, and its round, count the recipients of all steps.
    ///   - now: in milliseconds since 1970. Who failed later is not taken.
    /// - Throws: `LedgerError.refused` for a mailing that is not there, was stopped or pruned, was never planned, or has too many rounds.
    func retry(_ id: MailingID, _ filter: RetryFilter, note: AuditNote?, now: Int64) async throws(LedgerError) -> RetrySelection
}

/// Which failed and expired recipients are wanted.
package struct RetryFilter: Sendable, Equatable {
    /// The reasons for which a message can have failed that is worth another attempt.
    package static let choices = ResponseReason.allCases.filter { ![.accepted, .complaint, .autoReply].contains($0) }

    /// By the last response; any for an empty set.
    package var reasons: Set<ResponseReason>
    /// The reply codes or HTTP statuses; any for an empty set.
    package var codes: Set<Int>
    /// When they failed, in milliseconds since 1970, both included.
    package var since: Int64?
    package var until: Int64?
    /// Whom the last attempt went to: a name of the configuration, or a URL; nil for any.
    package var provider: String?

    package init(
        reasons: Set<ResponseReason> = [], codes: Set<Int> = [], since: Int64? = nil, until: Int64? = nil, provider: String? = nil
    ) {
        self.reasons = reasons
        self.codes = codes
        self.since = since
        self.until = until
        self.provider = provider
    }

    /// For people, and for the ledger.
    package var words: String {
        let names = reasons.map(\.rawValue).sorted() + codes.sorted().map { "code \($0)" }
        return (names + (provider.map { ["through \($0)"] } ?? [])).joined(separator: ", ")
    }
}

/// Whom an order to retry is about, and who is left as they are.
package struct RetrySelection: Sendable, Equatable {
    /// Recipients that are planned once more.
    package var count = 0
    /// Those who failed for one of the reasons, and may have the message: they are on the list of the uncertain, or somebody has opened it.
    package var mayHaveIt = 0
    /// Those whose address was erased.
    package var erased = 0
    /// Suppressions that their bounces had led to, and that are none any more.
    package var lifted: [Suppression.Key] = []
    /// The round that was opened; nil where nobody was found.
    package var round: Int?
    /// Why not all of them could be planned again, after some were; nil where they were.
    package var interrupted: String?

    package init() {}
}

/// A round of a mailing.
package struct MailingRound: Sendable, Equatable {
    /// From 1, which begins with the plan.
    package var number: Int
    /// When it was opened, in milliseconds since 1970; nil where the mailing has not started.
    package var at: Int64?
    /// Who opened it; empty for the first.
    package var actor: String
    /// For whom; empty for the first.
    package var reasons: String
    package var recipients: Int
    /// What they came to in this round. One who was retried later is counted here as what the recipient had come to.
    package var states: [RecipientState: Int]

    package subscript(state: RecipientState) -> Int { states[state] ?? 0 }
}

/// That a message was sent again to somebody who had failed, by a person's order.
package struct RetriedRecipient: Sendable, Equatable {
    package var round: Int
    /// Milliseconds since 1970.
    package var at: Int64
    /// What the recipient had come to.
    package var state: RecipientState
}
