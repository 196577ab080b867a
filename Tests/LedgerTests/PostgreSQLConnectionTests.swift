import TestServers
import Testing

@testable import Ledger

@Suite struct PostgreSQLConnectionTests {
    private func open() async throws -> PostgreSQLConnection {
        try PostgreSQLConnection(url: try await PostgreSQLServer.shared.database())
    }

    private let read = PostgreSQLStatement(name: "read", sql: "SELECT a, b, c FROM t WHERE a = $1::bigint")
    private let add = PostgreSQLStatement(name: "add", sql: "INSERT INTO t (a, b) VALUES ($1, $2)")
    private let table = "CREATE TABLE t (a bigint PRIMARY KEY, b text, c bytea)"

    @Test func copiedRowsComeBackAsTheyWere() async throws {
        let connection = try await open()
        try connection.run(table)
        let values: [[SQLValue]] = [
            [.bigint(.min), .text(""), .bytes([])], [.bigint(7), .text("é\n\\N"), .bytes([0, 255])],
            [.bigint(.max), .null(.text), .null(.bytes)],
        ]
        var rest = values[...]
        #expect(try connection.copy(into: "t (a, b, c)") { rest.popFirst() } == 3)
        for row in values {
            let found = try connection.run(read, [row[0]])
            #expect(try found.count == 1 && found.integer(0, 0).map { .bigint($0) } == row[0])
            #expect(try found.text(0, 1).map { .text($0) } ?? .null(.text) == row[1])
            #expect(try found.bytes(0, 2).map { .bytes($0) } ?? .null(.bytes) == row[2])
        }
    }

    @Test func aResponseOfAnotherShapeIsAnError() async throws {
        let connection = try await open()
        let rows = try connection.run(PostgreSQLStatement(name: "odd", sql: "SELECT true, 1::smallint, '\\xff'::bytea"))
        #expect(try rows.integer(0, 1) == 1)
        #expect(try rows.integer(0, 0) == 1)
        #expect(throws: PostgreSQLError.self) { try rows.integer(0, 2) }
        #expect(throws: PostgreSQLError.self) { try rows.text(0, 2) }
        for (row, column) in [(1, 0), (0, 3), (-1, 0), (0, -1)] {
            #expect(throws: PostgreSQLError.self) { try rows.integer(row, column) }
        }
    }

    @Test func aFailedTransactionLeavesNothingAndTheSessionGoesOn() async throws {
        let connection = try await open()
        try connection.run(table)
        let calls = [1, 2, 1].map { PostgreSQLCall(statement: add, values: [.bigint($0), .text("secret")]) }
        try connection.run("BEGIN")
        let error = #expect(throws: PostgreSQLError.self) { try connection.pipeline(calls) }
        try connection.run("ROLLBACK")
        #expect(error?.kind == .unfit && error?.sqlState == "23505")
        #expect(error?.detail.contains("t_pkey") == true && error?.detail.contains("secret") == false)
        #expect(try connection.run(read, [.bigint(1)]).count == 0)
    }

    /// More than the sockets hold.
    @Test func aLongPipelineAnswersEachStatement() async throws {
        let connection = try await open()
        try connection.run(table)
        let calls = (0..<500).map {
            PostgreSQLCall(statement: add, values: [.bigint($0), .text(String(repeating: "x", count: $0 % 100 == 0 ? 1_000_000 : 100))])
        }
        #expect(try connection.pipeline(calls).map(\.changes) == Array(repeating: 1, count: 500))
    }

    @Test func whatALaterTryMaySolveIsTransient() async throws {
        let connection = try await open()
        try connection.run("SET statement_timeout = 20")
        let slow = #expect(throws: PostgreSQLError.self) { try connection.run("SELECT pg_sleep(9)") }
        #expect(slow?.kind == .transient && connection.isOpen)
        let cut = #expect(throws: PostgreSQLError.self) { try connection.run("SELECT pg_terminate_backend(pg_backend_pid())") }
        #expect(cut?.kind == .transient && !connection.isOpen)
        let after = #expect(throws: PostgreSQLError.self) {
            try connection.pipeline([PostgreSQLCall(statement: read, values: [.bigint(1)])])
        }
        #expect(after?.kind == .transient)
        let codes = ["40P01", "53300", "53100", "28P01", "42501", "3D000", "22021", "XX001", "42P01", ""]
        #expect(
            codes.map { PostgreSQLError.kind($0) }
                == [.transient, .transient, .full, .denied, .denied, .absent, .unfit, .corrupt, .permanent, .permanent])
    }

    @Test func noErrorTellsThePassword() async throws {
        let url = try await PostgreSQLServer.shared.database()
        let wrong: [(String, PostgreSQLError.Kind)] = [
            ("postgres://u:s3cret%zz@h/d", .permanent), ("postgres://u:s3cret@h:x/d", .permanent),
            ("postgres://u:s3cret\0@h/d", .permanent),
            ("postgres://u:s3cret@127.0.0.1:1/s3cret", .transient), (url + "&dbname=s3cret&password=s3cret", .absent),
        ]
        for (url, kind) in wrong {
            let error = #expect(throws: PostgreSQLError.self) { try PostgreSQLConnection(url: url) }
            #expect(error?.kind == kind && error.map { "\($0)".contains("s3cret") } == false, "\(url)")
        }
    }
}
