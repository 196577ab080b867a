import GRDB
package import Model

extension SQLiteLedger: ResultStore {
    package func write(
        groups: [ResultGroup], events: [EventGroup], letters: [DeadLetter], now: Int64
    ) async throws(LedgerError) -> WriteSummary {
        try await write("results") { db in
            try Self.keep(letters, db)
            var writing = ResultWriting(db, now: now)
            for group in groups { try writing.add(group) }
            for group in events { try writing.add(group) }
            var summary = try writing.finish()
            summary.commits = try Self.countCommit(db)
            return summary
        }
    }
}
