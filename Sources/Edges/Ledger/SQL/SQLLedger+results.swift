package import Model
package import Policy

extension SQLLedger: ResultStore {
    package func write(
        groups: [ResultGroup], events: [EventGroup], letters: [DeadLetter], suppressing rules: SuppressionRules, now: Int64
    ) async throws(LedgerError) -> WriteSummary {
        let summary = try await write("results", .sideBySide) { db in
            try Self.keep(letters, db)
            var writing = ResultWriting(db, suppressing: rules, now: now)
            try writing.add(groups)
            for group in events { try writing.add(group) }
            var summary = try writing.finish()
            // The row of webhooks is locked before that of the session's commits, as in all other transactions.
            try db.outbox.store(db)
            summary.commits = try db.countCommit()
            summary.standing = try db.standing()
            return summary
        }
        if let skipped = summary.moved[.skipped] { SkipMeter.count(suppressed: skipped) }
        return summary
    }
}
