import Foundation
import Logging
import Model
import TestServers
import Testing

@testable import Ledger

/// pgbouncer in front of the server: one that keeps sessions is like the server, and one that shares them is refused.
@Suite(.timeLimit(.minutes(3))) struct PostgreSQLPoolerTests {
    private let quiet = Logger(label: "test")

    private func change(_ ledger: SQLLedger) async -> LedgerError? {
        do throws(LedgerError) {
            _ = try await ledger.setLimit(.channel(.email), "5/s", now: 1)
            return nil
        } catch {
            return error
        }
    }

    @Test func aLedgerIsKeptBehindAPoolerThatKeepsSessions() async throws {
        let server = try await OwnPostgreSQL()
        let pooler = try await Pgbouncer(server)
        let options = PostgreSQLSession.Options(connectTime: .seconds(2), statementTime: .seconds(5), retryTime: .zero)
        let ledger = try SQLLedger.open(postgreSQL: pooler.url(), logger: quiet, sessions: 2, options: options)
        try await Example.plan(ledger, batches: [2, 2])
        _ = try await ledger.dispatchBatches([(Example.id(), 1)], now: Example.start)
        let signal = WakeSignal()
        let subscription = ledger.wake(signal)
        while await signal.wait(atMost: .milliseconds(200)) {}
        #expect(await change(try SQLLedger.open(postgreSQL: server.url(), logger: quiet, sessions: 1)) == nil)
        #expect(await signal.wait(atMost: .seconds(10)))
        subscription.cancel()

        // The pooler says by one code that the server is away, and by no other that it went away in the middle of something.
        try await server.stop(SIGQUIT)
        var errors = [await change(ledger), await change(ledger)]
        try await server.start()
        try await eventually("it goes on") {
            errors.append(await change(ledger))
            return errors.last == .some(nil)
        }
        for case let error? in errors {
            guard case .unreachable = error else {
                Issue.record("\(error)")
                continue
            }
        }
        #expect(try await ledger.limits().count == 1)
    }

    @Test(arguments: ["transaction", "transaction\nserver_round_robin = 1", "statement"])
    func aPoolerThatSharesSessionsIsRefusedBeforeAnythingIsMade(mode: String) async throws {
        let server = try await OwnPostgreSQL()
        let pooler = try await Pgbouncer(server, mode: mode)
        let error = #expect(throws: LedgerError.self) { try SQLLedger.open(postgreSQL: pooler.url(), logger: quiet) }
        #expect("\(String(describing: error))".contains("set pool_mode = session"), "\(String(describing: error))")
        #expect(try SQLLedger.isMissing(PostgreSQLAddress(url: server.url())))
    }

    @Test func aPoolerThatTakesNoOptionsSaysWhatToDo() async throws {
        let server = try await OwnPostgreSQL()
        let pooler = try await Pgbouncer(server)
        let url = pooler.url("options=-csearch_path%3Dother")
        let error = #expect(throws: LedgerError.self) { try SQLLedger.open(postgreSQL: url, logger: quiet) }
        guard case .failed? = error, "\(String(describing: error))".contains("ALTER ROLE … SET search_path") else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    /// A session that was another's has statements of the same number, and other texts.
    @Test func noNameOfAStatementStandsForTwoTexts() async throws {
        let url = try await PostgreSQLServer.shared.database()
        let names = try ["SELECT ?", "SELECT -?"].map { sql in
            try PostgreSQLConnection(url: url).statement(sql, [.bigint(1)]).name
        }
        #expect(Set(names).count == 2)
        let again = try PostgreSQLConnection(url: url).statement("SELECT ?", [.bigint(1)]).name
        #expect(again == names[0])
    }
}
