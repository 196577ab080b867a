import GRDB
package import Model

extension SQLiteLedger: ResultStore {
    package func write(
        groups: [ResultGroup], events: [EventGroup], now: Int64
    ) async throws(LedgerError) -> WriteSummary {
        try await write("results") { db in
            var writing = ResultWriting(db)
            for group in groups { try writing.add(group) }
            for group in events { try writing.add(group) }
            var summary = try writing.finish()
            summary.commits = try Self.countCommit(db)
            return summary
        }
    }
}
