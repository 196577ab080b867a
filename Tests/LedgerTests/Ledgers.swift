import Foundation
import GRDB
import Logging
import Model
import Synchronization
import TestServers
import Testing

@testable import Ledger

/// An engine that the conformance suite runs on; a further one is one more element of `all`.
struct Engine: Sendable, CustomTestStringConvertible {
    var name: String
    var open: @Sendable (TemporaryFolder) async throws -> any LedgerStore

    var testDescription: String { name }

    static let all = [
        Engine(name: "SQLite") { folder in
            try SQLiteLedger.open(folder.path + "/ledger.sqlite", logger: Logger(label: "test"))
        },
        Engine(name: "PostgreSQL") { folder in
            try SQLLedger.open(postgreSQL: try await Self.postgreSQL(folder), logger: Logger(label: "test"), sessions: 2)
        },
    ]

    /// The database of a test's folder, which it has by its first call.
    static func postgreSQL(_ folder: TemporaryFolder) async throws -> String {
        if let known = folder.text("postgres.url") { return known }
        let url = try await PostgreSQLServer.shared.database { url in
            _ = try SQLLedger.open(postgreSQL: url, logger: Logger(label: "test"))
        }
        try url.write(toFile: folder.path("postgres.url"), atomically: true, encoding: .utf8)
        return url
    }
}

extension SQLLedger {
    /// The database of a ledger in a SQLite file.
    var pool: DatabasePool { get throws { try #require(engine as? SQLiteEngine).pool } }
}

/// Example mailings: batch `b` holds recipients `r<b>-<i>` with addresses `p<b>-<i>@example.com`.
enum Example {
    static let start: Int64 = 1_700_000_000_000

    static func id(_ number: Int = 0) -> MailingID {
        var generator = SeededGenerator(seed: UInt64(number))
        return MailingID(milliseconds: start + Int64(number), using: &generator)
    }

    static func recipients(batch: Int, count: Int) -> Recipients {
        var recipients = Recipients(width: 3)
        for index in 0..<count {
            recipients.append(row: ["r\(batch)-\(index)", "p\(batch)-\(index)@example.com", "Ann \"\(index)\""])
        }
        return recipients
    }

    static func mailing(lifetime: Double = 3600, uncertain: Mailing.UncertainPolicy = .redeliver) -> Mailing {
        var mailing = Mailing(
            name: "Spring", channel: .email, provider: "smtp://127.0.0.1:2525", fields: ["id", "email", "name"])
        mailing.lifetime = lifetime
        mailing.uncertain = uncertain
        return mailing
    }

    /// Makes a mailing that is being sent, with batches of the given sizes.
    static func plan(
        _ ledger: any LedgerStore, _ id: MailingID = id(), batches: [Int], mailing: Mailing = mailing()
    ) async throws {
        try await ledger.create(
            id, mailing: mailing, source: nil, origin: "/mailing.yaml", state: .collecting, now: start)
        try await ledger.appendPlan(
            id,
            batches: batches.enumerated().map { number, count in
                PlannedBatch(number: number, recipients: recipients(batch: number, count: count))
            }, exclusions: [], rowsRead: batches.reduce(0, +))
        try await ledger.finishPlan(id, now: start)
    }
}

func sent(_ index: Int, attempts: Int = 1, at: Int64 = Example.start) -> RecipientResult {
    RecipientResult(
        index: index, state: .sent, attempts: attempts, at: at,
        response: ProviderResponse(
            action: .accept, stage: .response, code: 250, text: "2.0.0 queued as \(index)", messageID: "m\(index)"))
}

func deferred(_ index: Int, attempts: Int = 1, due: Int64, at: Int64 = Example.start) -> RecipientResult {
    RecipientResult(
        index: index, state: .deferred, attempts: attempts, at: at, due: due,
        response: ProviderResponse(action: .retry, stage: .rcpt, code: 450, text: "4.2.0 <p0-\(index)@example.com> try later"))
}

func failed(_ index: Int, attempts: Int = 1, text: String = "5.1.1 no such user", at: Int64 = Example.start)
    -> RecipientResult
{
    RecipientResult(
        index: index, state: .failed, attempts: attempts, at: at,
        response: ProviderResponse(.unknownUser, .fail, about: .recipient, stage: .rcpt, code: 550, text: text))
}

func uncertain(
    _ index: Int, attempts: Int = 1, due: Int64 = 0, missed: MissedResponse = .workerEnded, at: Int64 = Example.start
) -> RecipientResult {
    RecipientResult(
        index: index, state: .uncertain, attempts: attempts, at: at, due: due,
        response: ProviderResponse(missed: missed, stage: .response, text: "worker w died with it in flight"))
}

func resultGroup(
    batch: Int = 0, dispatchNumber: Int = 1, worker: String = "w", sequence: Int = 0,
    closing: ResultGroup.Closing = .open, groups: Int = 1, mailing: MailingID = Example.id(), _ results: [RecipientResult]
) -> ResultGroup {
    ResultGroup(
        Dispatch(batch: BatchID(mailing: mailing, number: batch), dispatchNumber: dispatchNumber), worker: worker, sequence: sequence,
        closing: closing, groups: groups, results: results)
}
