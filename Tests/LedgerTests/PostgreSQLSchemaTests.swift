import Logging
import Model
import TestServers
import Testing

@testable import Ledger

/// A ledger stays in the schema in which it was found, whatever schema comes first in the `search_path` later.
@Suite(.timeLimit(.minutes(3))) struct PostgreSQLSchemaTests {
    private let quiet = Logger(label: "test")

    @Test func aSchemaOfTheUsersNameThatIsMadeLaterChangesNothing() async throws {
        let url = try await Engine.postgreSQL(TemporaryFolder())
        let ledger = try SQLLedger.open(postgreSQL: url, logger: quiet, sessions: 1)
        try await ledger.setLimit(.channel(.email), "5/s", now: 1)
        let connection = try PostgreSQLConnection(url: url)
        try connection.run("CREATE SCHEMA flotilla")
        try await ledger.setLimit(.channel(.sms), "6/s", now: 1)
        // A session that is opened anew, too.
        try connection.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
        try await ledger.setLimit(.channel(.webhook), "7/s", now: 1)
        #expect(try await ledger.limits().count == 3)
        // Whoever begins now finds the same ledger, and makes none beside it.
        var isMade = false
        let other = try SQLLedger.open(PostgreSQLAddress(url: url), logger: quiet, sessions: 1) { isMade = true }
        #expect(try await other.limits().count == 3)
        #expect(!isMade)
        #expect(try !SQLLedger.isMissing(PostgreSQLAddress(url: url)))
        #expect(try SQLLedger.inspect(PostgreSQLAddress(url: url)).faults == [])
    }

    @Test func aSchemaOfItsOwnIsPinnedWhateverItsName() async throws {
        let url = try await PostgreSQLServer.shared.database()
        try PostgreSQLConnection(url: url).run(#"CREATE SCHEMA "Odd ""name""" "#)
        let own = try PostgreSQLAddress(url: url + "&options=-csearch_path%3D%22Odd%5C%20%22%22name%22%22%22")
        let ledger = try SQLLedger.open(own, logger: quiet, sessions: 1, willMake: {})
        try await ledger.setLimit(.channel(.email), "5/s", now: 1)
        try await Example.plan(ledger, batches: [2])
        #expect(try SQLLedger.inspect(own).faults == [])
        let parts = PostgreSQLStatement(
            name: "parts", sql: "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'batch_2023_11'")
        let connection = try PostgreSQLConnection(url: own.url)
        try connection.prepareSession()
        #expect(try connection.run(parts).integer(0, 0) == 1)
        #expect(try SQLLedger.isMissing(PostgreSQLAddress(url: url)))
    }

    @Test func aSchemaThatIsNotThereIsNamed() async throws {
        let url = try await PostgreSQLServer.shared.database()
        let error = #expect(throws: LedgerError.self) {
            try SQLLedger.open(PostgreSQLAddress(url: url + "&options=-csearch_path%3Dnowhere"), logger: quiet, willMake: {})
        }
        let said = String(describing: error)
        #expect(said.contains("search_path: nowhere") && said.contains("CREATE SCHEMA"), "\(said)")
    }
}
