import Foundation
import Ledger
import Logging
import Model
import TestServers
import Testing

@testable import Planning

/// A planner leaves out who is suppressed, on a real ledger.
@Suite(.timeLimit(.minutes(2))) struct SuppressedAddressesTests {
    private let folder: TemporaryFolder
    private let ledger: SQLiteLedger
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private let id: MailingID

    init() throws {
        folder = try TemporaryFolder()
        ledger = try SQLiteLedger.open(folder.path + "/ledger.sqlite", logger: logger)
        var generator = SeededGenerator(seed: 1)
        id = MailingID(milliseconds: 1, using: &generator)
    }

    private func suppress(_ addresses: [String], _ category: String = "", _ channel: Channel = .email) async throws {
        let all = addresses.map { Suppression(Suppression.Key(channel, $0, category: category), reason: .unsubscribe, at: 0) }
        _ = try await ledger.suppress(all, audit: nil, now: 0)
    }

    /// Plans a mailing of the file and returns its exclusions and the addresses that are planned.
    private func plan(_ csv: String, channel: Channel = .email, category: String? = nil) async throws -> ([Exclusion], [String]) {
        let file = try folder.write(csv, to: "recipients.csv")
        var mailing = Mailing(
            name: "x", channel: channel, provider: channel == .email ? "smtp://localhost" : "http://localhost", fields: ["id", "to"])
        mailing.batchSize = 3
        mailing.category = category
        try await ledger.create(
            id, mailing: mailing, source: RecipientSource(file: file, format: .csv, id: "id", address: "to", country: "DE"), origin: "",
            state: .scheduled, now: 1)
        let planner = PlannerService(ledger: ledger, poll: .seconds(60), logger: logger)
        let task = Task { try await planner.run() }
        defer { task.cancel() }
        try await eventually("it is planned") { try await [.sending, .failed].contains(ledger.mailing(id)?.state) }
        #expect(try await ledger.recount(id).isEmpty)
        let batches = try await ledger.dispatchBatches([(id, 10_000)], now: 2)
        let planned = try batches.flatMap { batch in
            let recipients = try Recipients(decoding: batch.recipients, width: 2)
            return (0..<recipients.count).map { recipients[$0, 1] }
        }
        return (try await ledger.exclusions(id, after: 0, limit: 99_999), planned)
    }

    @Test func theyAreExcludedWithRowAndReasonHoweverTheyAreWritten() async throws {
        try await suppress(["ann@example.com", "dee@xn--bcher-kva.example", "not@listed.example"])
        try await suppress(["bob@example.com"], "news")
        try await suppress(["cy@example.com"], "offers")
        let (excluded, planned) = try await plan(
            """
            id,to
            1,Ann@EXAMPLE.com
            2,<Bob@example.com>
            3,cy@example.com
            4,dee@Bücher.example
            5,eve@example.com
            6,ANN@example.com

            """, category: "news")
        #expect(planned == ["cy@example.com", "eve@example.com"])
        #expect(excluded.map(\.row) == [1, 2, 4, 6] && excluded.map(\.id) == ["1", "2", "4", "6"])
        #expect(excluded.map(\.reason) == [.suppressed, .suppressed, .suppressed, .duplicate])
        #expect(excluded[1].detail == "unsubscribe, for news, since 1970-01-01")
        #expect(try await ledger.report(id, now: 2)?.excluded == [.suppressed: 3, .duplicate: 1])
    }

    @Test func telephoneNumbersAreComparedInOneForm() async throws {
        try await suppress(["+4915112345678"], "", .sms)
        try await suppress(["+4915112345679"], "", .messenger)
        let (excluded, planned) = try await plan("id,to\n1,0151/123 45 678\n2,+49 151 12345679\n", channel: .sms)
        #expect(excluded.map(\.row) == [1] && planned == ["+4915112345679"])
    }

    @Test func withoutACategoryOnlyThoseForAllCount() async throws {
        try await suppress(["a@example.com"], "news")
        try await suppress(["b@example.com"])
        let (excluded, planned) = try await plan("id,to\n1,a@example.com\n2,b@example.com\n")
        #expect(excluded.map(\.row) == [2] && planned == ["a@example.com"])
    }

    /// A large list beside a small file is asked row by row, a small one beside a large file by the filter: the answer is the same.
    @Test(arguments: [(3, 20_000), (20_000, 3000)]) func sizesDoNotMatter(_ rows: Int, _ listed: Int) async throws {
        try await suppress((0..<listed).map { "p\($0 * 7)@example.com" })
        let csv = "id,to\n" + (0..<rows).map { "\($0),P\($0)@example.com\n" }.joined()
        let (excluded, planned) = try await plan(csv)
        let expected = (0..<rows).filter { $0 % 7 == 0 && $0 < listed * 7 }
        #expect(excluded.map(\.row) == expected.map { $0 + 1 })
        #expect(planned.count == rows - expected.count && planned.first == "P1@example.com")
    }

    @Test func theFilterMissesNobodyAndPassesFew() {
        var filter = AddressFilter(for: 50_000)
        func key(_ number: Int) -> [UInt8] { Array("person\(number)@example.com".utf8) }
        for number in 0..<50_000 { key(number).withUnsafeBufferPointer { filter.insert($0) } }
        let missed = (0..<50_000).count { number in key(number).withUnsafeBufferPointer { !filter.mayContain($0) } }
        let passed = (50_000..<150_000).count { number in key(number).withUnsafeBufferPointer { filter.mayContain($0) } }
        #expect(missed == 0 && passed < 300, "\(passed)")
    }
}
