package import Model

/// Who is not to be sent to, and the categories of mailings.
///
/// The list has a revision, which grows with each transaction that changes it. A mailing keeps the revision of before its planning: what is
/// newer is looked for again when its batches are dispatched.
package protocol SuppressionStore: Sendable {
    /// Adds suppressions, and their categories, in one transaction. Of two with one key that one stays which `Suppression.merged` says.
    /// - Parameters:
    ///   - audit: the order that adds them; nil where nobody gave one.
    ///   - now: milliseconds since 1970.
    func suppress(_ new: [Suppression], audit: SuppressionAudit?, now: Int64) async throws(LedgerError) -> SuppressionChange

    /// Removes suppressions, in one transaction.
    /// - Returns: those that there were.
    func unsuppress(_ keys: [Suppression.Key], audit: SuppressionAudit?, now: Int64) async throws(LedgerError) -> [Suppression]

    /// Removes suppressions that a filter finds, in one transaction.
    /// - Parameters:
    ///   - limit: how many at most.
    ///   - audit: with the entry of the transactions before, which is brought up to date.
    /// - Returns: those that there were, and the number of the audit entry.
    func unsuppress(
        _ filter: SuppressionFilter, limit: Int, audit: SuppressionAudit?, now: Int64
    ) async throws(LedgerError) -> (removed: [Suppression], entry: Int64?)

    /// How many suppressions a filter finds, those that have expired among them.
    func suppressionCount(_ filter: SuppressionFilter) async throws(LedgerError) -> Int

    /// Suppressions by channel, address and category, those that have expired among them.
    /// - Parameters:
    ///   - after: the last one of the page before; nil for the first page.
    ///   - limit: how many at most.
    func suppressions(
        _ filter: SuppressionFilter, after: Suppression.Key?, limit: Int
    ) async throws(LedgerError) -> [Suppression]

    /// The suppressions of one address of a channel, for all categories, those that have expired among them, and those by what stands for
    /// the address (`AddressHasher`).
    func suppressions(of address: String, _ channel: Channel) async throws(LedgerError) -> [Suppression]

    /// Which of some addresses mailings of a kind are not sent to at a moment.
    /// - Parameter addresses: as `AddressKey` has them.
    /// - Returns: by the place of the address, the suppression that says so; that for all mailings where there are two.
    func suppressed(
        _ addresses: [String], for target: SuppressionTarget, now: Int64
    ) async throws(LedgerError) -> [Int: Suppression]

    /// The addresses that have a suppression for mailings of a kind, in order, for a filter in memory: expired ones are among them, and an
    /// address may occur twice. What stands for an address (`AddressHasher`) is as it is.
    /// - Parameters:
    ///   - after: the last one of the page before; empty for the first page.
    ///   - limit: how many at most.
    func suppressedAddresses(
        for target: SuppressionTarget, after: String, limit: Int
    ) async throws(LedgerError) -> [String]

    func suppressionList() async throws(LedgerError) -> SuppressionList

    /// The suppressions that came or changed last, the oldest of them first.
    /// - Parameters:
    ///   - revision: those with a higher one.
    ///   - time: those that were stored or confirmed at or after it, in milliseconds since 1970.
    ///   - limit: how many at most, the newest of all.
    func suppressions(since revision: Int64, changedAt time: Int64, limit: Int) async throws(LedgerError) -> [Suppression]

    /// The names of all categories, in order.
    func categories() async throws(LedgerError) -> [String]

    /// All categories with what has them, in the order of their names.
    func categoryUses() async throws(LedgerError) -> [CategoryUse]

    /// Makes categories known, in one transaction.
    /// - Parameter note: the order that adds them; nil where nobody gave one.
    /// - Returns: those that are new.
    func addCategories(_ names: [String], note: AuditNote?, now: Int64) async throws(LedgerError) -> [String]

    /// Forgets a category that nothing has.
    /// - Throws: `LedgerError.refused` where there is none of that name, or a mailing or a suppression has it.
    func removeCategory(_ name: String, note: AuditNote?, now: Int64) async throws(LedgerError)

    /// Whether anybody is unsubscribed by a channel from one category and not from all.
    func hasCategorySuppressions(_ channel: Channel) async throws(LedgerError) -> Bool

    /// Which of some addresses are suppressed for a category, whatever it is, and not for all mailings: a mailing without a category is
    /// sent to them.
    /// - Parameter addresses: as `AddressKey` has them.
    func suppressedForCategories(
        _ addresses: [String], _ channel: Channel, now: Int64
    ) async throws(LedgerError) -> Set<String>

    /// The recipients of a mailing that were skipped when their batches were dispatched, by batch and index.
    /// - Parameters:
    ///   - after: the last one of the page before; nil for the first page.
    ///   - limit: how many at most.
    func skipped(_ id: MailingID, after: SkippedRecipient?, limit: Int) async throws(LedgerError) -> [SkippedRecipient]
}

/// A category, and what has it.
package struct CategoryUse: Sendable, Equatable {
    package var name: String
    /// Since when it is known, in milliseconds since 1970.
    package var created: Int64
    package var mailings: Int
    package var suppressions: Int
}

/// The list as a whole.
package struct SuppressionList: Sendable, Equatable {
    /// Grows with each transaction that changes the list.
    package var revision: Int64
    /// How many suppressions there are.
    package var entries: Int

    package init(revision: Int64 = 0, entries: Int = 0) {
        self.revision = revision
        self.entries = entries
    }
}

/// Which suppressions are wanted; nil is all.
package struct SuppressionFilter: Sendable, Equatable {
    package var channel: Channel?
    /// Empty for those of all mailings.
    package var category: String?
    package var reason: Suppression.Reason?
    package var provider: String?
    /// Known since that time at the earliest, and before another, in milliseconds since 1970.
    package var since: Int64?
    package var until: Int64?

    package init(channel: Channel? = nil, category: String? = nil, reason: Suppression.Reason? = nil) {
        self.channel = channel
        self.category = category
        self.reason = reason
    }
}

/// The order that changes the list, and what its audit entry says of it. An order that takes several transactions has one entry.
package struct SuppressionAudit: Sendable, Equatable {
    package var note: AuditNote
    /// The file that the suppressions come from; nil for none.
    package var file: String?
    /// The entry of the transactions before; nil for the first.
    package var entry: Int64?
    /// Changes of the transactions before.
    package var changed = 0

    package init(_ note: AuditNote, file: String? = nil) {
        self.note = note
        self.file = file
    }
}

/// What an addition changed.
package struct SuppressionChange: Sendable, Equatable {
    /// New ones.
    package var added = 0
    /// Those that took the place of one that counted for less.
    package var replaced = 0
    /// Those in whose place another stays.
    package var unchanged = 0
    /// The number of the audit entry.
    package var entry: Int64?

    package init() {}
}

/// A recipient that a mailing had when it was planned, and not any more when the batch was dispatched.
package struct SkippedRecipient: Sendable, Equatable {
    package var batch: Int
    /// Its place in the batch, from 0.
    package var index: Int
    package var reason: ExclusionReason
    package var id: String
    package var address: String
    /// More, for people.
    package var detail: String
    /// When, in milliseconds since 1970.
    package var at: Int64

    package init(batch: Int, index: Int, reason: ExclusionReason, id: String, address: String, detail: String, at: Int64) {
        (self.batch, self.index, self.reason) = (batch, index, reason)
        (self.id, self.address, self.detail, self.at) = (id, address, detail, at)
    }
}

extension Suppression {
    /// What an exclusion says of it, for people: `complaint, for news, since 2026-12-01`.
    package var words: String {
        let day = MailingReport.text(at).prefix(10)
        return "\(reason.rawValue), for \(key.category.isEmpty ? "all mailings" : key.category), since \(day)"
    }
}
