import TestServers
import Testing

@testable import Ledger

/// Rows of either engine: whatever a column holds, who reads it gets a value of its kind, or an error.
@Suite struct SQLRowTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func open(_ engine: Engine) async throws -> SQLLedger {
        try #require(try await engine.open(folder) as? SQLLedger)
    }

    @Test(arguments: Engine.all) func aNullIsDamageThatNamesItsColumn(engine: Engine) async throws {
        let ledger = try await open(engine)
        let error = await #expect(throws: LedgerError.self) {
            try await ledger.read("test") { db in try db.row("SELECT 1, NULL AS speed").map { try $0.read(1) as Int } }
        }
        guard case .corrupt(_, let detail) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(detail.contains("'speed'"))
    }

    @Test(arguments: Engine.all) func aValueOfAnotherKindIsDamage(engine: Engine) async throws {
        let ledger = try await open(engine)
        for sql in ["SELECT 'a'", "SELECT 4611686018427387904"] {
            let error = await #expect(throws: LedgerError.self) {
                try await ledger.read("test") { db in try db.one(Int64.self, sql) }
            }
            guard case .corrupt = error else {
                Issue.record("\(sql): \(String(describing: error))")
                return
            }
        }
    }

    /// SQLite has one statement for one text: what is kept of its rows is a copy.
    @Test(arguments: Engine.all) func keptRowsOutliveTheNextQuestion(engine: Engine) async throws {
        let ledger = try await open(engine)
        let numbers = try await ledger.read("test") { db in
            let sql = "SELECT CAST(? AS bigint) UNION ALL SELECT CAST(? AS bigint) ORDER BY 1"
            let first = try db.row(sql, [1, 2])
            let all = try db.allRows(sql, [3, 4])
            let firsts = try db.firstRows(sql, [[5, 6], [7, 8]]) { row, place in try place + row.read(0) }
            let last = try db.one(Int.self, sql, [9, 10])
            return try [first?.read(0)] + all.map { try $0.read(0) } + firsts + [last]
        }
        #expect(numbers == [1, 3, 4, 5, 8, 9])
    }
}
