package import Model

/// Removes the recipients of mailings that ended long ago: their values, results, errors, events and excluded rows. The mailing's row, its
/// identity and all that its report counts stay; and for three years, where the messages had links to the tracker, a hash of each address,
/// by which whoever unsubscribes is heard.
package protocol RetentionStore: Sendable {
    /// The mailings that ended before the rule's time and whose recipients are still kept, the oldest first, with why they have to be.
    func agedMailings(_ rule: RetentionRule) async throws(LedgerError) -> [AgedMailing]

    /// Removes a part of a mailing's recipients in one transaction of about `budget`; the first part notes that the mailing is pruned.
    /// - Parameter note: the order that prunes it; the first part adds its audit entry.
    /// - Throws: `LedgerError.refused` where the rule keeps them, with nothing changed.
    func prunePart(
        _ id: MailingID, _ rule: RetentionRule, budget: Duration, note: AuditNote?, now: Int64
    ) async throws(LedgerError) -> PrunedPart

    /// How many mailings are pruned: a person's history lacks them.
    func prunedMailings() async throws(LedgerError) -> Int
}

/// A mailing that ended long ago.
package struct AgedMailing: Sendable, Equatable {
    package var id: MailingID
    package var name: String
    package var ended: Int64
    /// Recipients and excluded rows.
    package var recipients: Int
    package var excluded: Int
    /// Why its recipients are kept; nil where they may go.
    package var obstacle: RetentionRule.Obstacle?
}

/// What one transaction removed.
package struct PrunedPart: Sendable, Equatable {
    package var recipients = 0
    /// Nothing of the mailing is left to remove.
    package var isLast = false
    /// How long the transaction kept others from writing.
    package var took = Duration.zero

    package init() {}
}

extension RetentionStore {
    /// Removes all recipients of a mailing, in parts, between which other writers get their turn.
    /// - Parameters:
    ///   - onPart: is told how many recipients are gone after each part.
    /// - Returns: how many were removed.
    /// - Throws: `LedgerError`; what was removed until then stays removed, and the next call continues.
    @discardableResult
    package func prune(
        _ id: MailingID, _ rule: RetentionRule, note: AuditNote?, now: Int64, onPart: (Int) -> Void = { _ in }
    ) async throws(LedgerError) -> Int {
        var budget = PruneBudget()
        var removed = 0
        while true {
            let part = try await prunePart(id, rule, budget: budget.part, note: note, now: now)
            removed += part.recipients
            onPart(removed)
            if part.isLast { return removed }
            budget.take(part.took)
            // Who waits for SQLite's lock looks for it every 25 ms, and longer the longer it has waited.
            do { try await Task.sleep(for: budget.pause) } catch { return removed }
        }
    }
}

/// How much is removed in one transaction, so that no other writer waits longer than some 100 ms. A pure value.
package struct PruneBudget: Sendable, Equatable {
    /// How long a transaction should keep others from writing, its commit included.
    package static let target = Duration.milliseconds(40)
    private static let range = Duration.milliseconds(1)...Duration.milliseconds(40)

    /// How long the next part may remove rows; the commit comes on top of it, and takes as long as the disk needs.
    package private(set) var part = Duration.milliseconds(5)

    package init() {}

    /// Others write that long, at least, between two parts.
    package var pause: Duration { .milliseconds(60) }

    /// Learns from a part that took that long, its commit included: a slow disk gets smaller ones at once, a fast one larger ones by
    /// and by.
    package mutating func take(_ took: Duration) {
        let factor = took > .zero ? Self.target / took : 1.5
        part = min(max(part * min(factor, 1.5), Self.range.lowerBound), Self.range.upperBound)
    }
}
