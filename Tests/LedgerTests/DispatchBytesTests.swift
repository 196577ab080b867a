import Ledger
import Model
import TestServers
import Testing

/// What is dispatched is bounded in bytes.
@Suite struct DispatchBytesTests {
    let id = Example.id()
    let now = Example.start

    private func recipients(_ sizes: [Int], batch: Int = 0) -> Recipients {
        var recipients = Recipients(width: 3)
        for (index, size) in sizes.enumerated() {
            recipients.append(row: ["\(index)", "p\(batch)-\(index)@example.com", String(repeating: "x", count: size)])
        }
        return recipients
    }

    private func plan(_ ledger: any LedgerStore, _ sizes: [[Int]]) async throws {
        try await ledger.create(id, mailing: Example.mailing(), source: nil, origin: "", state: .collecting, now: now)
        let batches = sizes.enumerated().map { PlannedBatch(number: $0, recipients: recipients($1, batch: $0)) }
        try await ledger.appendPlan(id, batches: batches, exclusions: [], rowsRead: sizes.reduce(0) { $0 + $1.count })
        try await ledger.finishPlan(id, now: now)
    }

    @Test(arguments: Engine.all) func noMoreIsTakenThanFits(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await plan(ledger, Array(repeating: [500, 500], count: 10))
        let bytes = DispatchBytes(batch: 100_000, total: 3_000)
        #expect(try await ledger.dispatchBatches([(id, 10)], bytes: bytes, now: now).map(\.id.number) == [0, 1, 2])
        #expect(try await ledger.dispatchBatches([(id, 10)], bytes: DispatchBytes(batch: 100_000, total: 1), now: now).count == 1)
    }

    /// As an older release may have cut it.
    @Test(arguments: Engine.all) func aBatchThatIsTooLargeIsDispatchedInParts(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await plan(ledger, [[900, 900, 900, 900, 900]])
        var seen: [Int] = []
        for number in 1...3 {
            let batch = try #require(
                try await ledger.dispatchBatches([(id, 1)], bytes: DispatchBytes(batch: 2_000, total: 1 << 20), now: now).first)
            let open = try #require(batch.open)
            #expect(batch.dispatchNumber == number && batch.count == 5 && batch.recipients.count < 2_500 && open.count <= 2)
            let read = try Recipients(decoding: batch.recipients, width: 3)
            #expect(read.count == 5 && open.allSatisfy { read[$0.index, 1] == "p0-\($0.index)@example.com" })
            seen += open.map(\.index)
            _ = try await ledger.write(
                groups: [resultGroup(dispatchNumber: number, closing: .done, groups: 1, open.map { sent($0.index) })], events: [], now: now)
        }
        #expect(seen == [0, 1, 2, 3, 4])
        #expect(try await ledger.progress(id)?[.sent] == 5)
        #expect(try await ledger.recount(id) == [])
    }
}
