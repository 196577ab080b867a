package import Model
package import Policy

/// What providers tell of messages that they took: each counts once, and moves its recipient by `DeliveryEvidence`, in whatever order it
/// comes. What names no message that the ledger knows is kept aside, since it may come before the result that has the provider's id.
package protocol ReceiptStore: Sendable {
    /// From now on the ids are kept by which these providers call our messages, and those of no others. Those that are older than 30 days
    /// are forgotten.
    /// - Parameters:
    ///   - providers: names, as results have them.
    ///   - now: milliseconds since 1970.
    func expectReceipts(of providers: Set<String>, now: Int64) async throws(LedgerError)

    /// Writes receipts, and what follows from them, in one transaction.
    /// - Parameters:
    ///   - letters: entries that could not be read.
    ///   - rules: for how long mailboxes are suppressed that are not there.
    ///   - now: milliseconds since 1970.
    func write(
        receipts: [ProviderReceipt], letters: [DeadLetter], suppressing rules: SuppressionRules, now: Int64
    ) async throws(LedgerError) -> ReceiptSummary

    /// Tries those again that are aside since less than an hour.
    func retryReceipts(suppressing rules: SuppressionRules, now: Int64) async throws(LedgerError) -> ReceiptSummary

    /// Those that are aside, the newest first.
    /// - Parameters:
    ///   - after: the last one of the page before; nil for the first page.
    ///   - limit: how many at most.
    func unknownReceipts(after: UnknownReceipt?, limit: Int) async throws(LedgerError) -> [UnknownReceipt]

    /// How many are aside.
    func unknownReceiptCount() async throws(LedgerError) -> Int
}

extension ReceiptStore {
    package func write(receipts: [ProviderReceipt], letters: [DeadLetter], now: Int64) async throws(LedgerError) -> ReceiptSummary {
        try await write(receipts: receipts, letters: letters, suppressing: SuppressionRules(), now: now)
    }

    package func retryReceipts(now: Int64) async throws(LedgerError) -> ReceiptSummary {
        try await retryReceipts(suppressing: SuppressionRules(), now: now)
    }
}

/// A receipt that names no message which the ledger knows, or is of a kind that this release does not.
package struct UnknownReceipt: Sendable, Equatable {
    /// Names it in the ledger.
    package var key: String
    package var receipt: ProviderReceipt
    /// Until when it is tried again, in milliseconds since 1970.
    package var until: Int64
}

/// What a write of receipts did.
package struct ReceiptSummary: Sendable, Equatable {
    /// Receipts of known messages that say something new, by kind.
    package var counted: [ProviderReceipt.Kind: Int] = [:]
    /// Those that had been counted before.
    package var duplicates = 0
    /// Those of machines, by the provider's own judgement: they change nothing.
    package var machines = 0
    /// Those that came as mail, to no address that we had signed, and do not have the recipient of the message that they name.
    package var forged = 0
    /// Those that were put aside now.
    package var aside = 0
    /// Those that were aside and have found their messages.
    package var found = 0
    /// Those that were removed from those aside, as there are too many.
    package var discarded = 0
    /// Recipients that moved, by their new state.
    package var moved: [RecipientState: Int] = [:]
    /// Suppressions in force that these receipts are about, in any order.
    package var suppressed: [Suppression] = []
    /// Keys of those that were removed.
    package var unsuppressed: [Suppression.Key] = []
    /// As those of `WriteSummary`.
    package var standing: String?
    package var braked: Set<MailingID> = []

    package init() {}
}
