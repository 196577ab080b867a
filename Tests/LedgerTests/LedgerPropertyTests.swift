import Ledger
import Model
import TestServers
import Testing

/// Whatever dispatchers, workers and people do, and in whatever order: the numbers add up, and nobody is sent to who must not be.
@Suite struct LedgerPropertyTests {
    static let sizes = [4, 3, 5]

    @Test(arguments: 0..<16) func theNumbersAddUpWhateverHappens(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        for engine in Engine.all {
            let folder = try TemporaryFolder()
            let ledger = try await engine.open(folder)
            try await Example.plan(
                ledger, batches: Self.sizes, mailing: Example.mailing(uncertain: seed.isMultiple(of: 2) ? .hold : .redeliver))
            var sequence = 0
            for step in 0..<60 {
                try await Self.act(ledger, Example.start + Int64(step * 100), &sequence, &generator)
                let progress = try #require(try await ledger.progress(Example.id()))
                #expect(progress.balances && progress.planned == 12, "step \(step)")
                #expect(try await ledger.recount(Example.id()) == [], "step \(step)")
            }
        }
    }

    static func act(
        _ ledger: any LedgerStore, _ now: Int64, _ sequence: inout Int, _ generator: inout SeededGenerator
    ) async throws {
        let id = Example.id()
        switch Int.random(in: 0..<15, using: &generator) {
        case 0..<3:
            for batch in try await ledger.dispatchBatches([(id, 2)], now: now) {
                try await expectToBeFed(batch, ledger)
            }
        case 3..<8:
            let groups = (0..<Int.random(in: 1...3, using: &generator)).map { _ in
                sequence += 1
                return group(sequence, now, &generator)
            }
            _ = try await ledger.write(groups: groups + groups.prefix(1), events: [], now: now)
        case 8..<10:
            guard let mark = try await ledger.openDispatches(of: [id])[id, default: []].randomElement(using: &generator) else { return }
            let dispatch = Dispatch(batch: BatchID(mailing: id, number: mark.number), dispatchNumber: mark.dispatchNumber)
            let why = Bool.random(using: &generator) ? "Redis is another" : nil
            _ = try await ledger.giveUp([dispatch], why: why, now: now)
        case 10:
            let decision = UncertainDecision.allCases.randomElement(using: &generator) ?? .sent
            let names = (0..<3).map { "r\($0)-\(Int.random(in: 0..<5, using: &generator))" }
            let before = try await ledger.progress(id)?[.uncertain] ?? 0
            let isAll = Bool.random(using: &generator)
            let done = try await ledger.decide(id, recipients: isAll ? nil : names, as: decision, now: now)
            let after = try await ledger.progress(id)?[.uncertain] ?? 0
            #expect(after == before - done.count && (!isAll || after == 0))
        case 14: try await retry(ledger, now, &generator)
        case 11: _ = try await ledger.stopOpen(id, now: now)
        default: try await suppress(ledger, now, &generator)
        }
    }

    /// Only those who failed, and cannot have the message, are planned once more.
    private static func retry(_ ledger: any LedgerStore, _ now: Int64, _ generator: inout SeededGenerator) async throws {
        let id = Example.id()
        let filter = RetryFilter(reasons: [.unknownUser], since: now - Int64.random(in: 0...3000, using: &generator))
        var failed: [String: RecipientDetail] = [:]
        var others: [String: RecipientState] = [:]
        for (batch, size) in sizes.enumerated() {
            for index in 0..<size {
                let name = "r\(batch)-\(index)"
                let found = try #require(try await ledger.recipient(id, name))
                if found.state == .failed { failed[name] = found } else { others[name] = found.state }
            }
        }
        let dry = try await ledger.retriable(id, filter, now: now)
        let done = try await ledger.retry(id, filter, note: nil, now: now)
        #expect(done.count == dry.count && done.mayHaveIt == dry.mayHaveIt)
        var planned = 0
        for (name, before) in failed {
            let after = try #require(try await ledger.recipient(id, name))
            guard after.state == .planned else {
                #expect(after.state == .failed)
                continue
            }
            planned += 1
            #expect(after.attempts == 0 && after.retried.count == before.retried.count + 1)
            #expect(before.uncertain.allSatisfy { $0.outcome == .failed } || before.uncertain.contains { $0.outcome == .failed })
            #expect(!before.history.contains { $0.state == .sent })
        }
        #expect(planned == done.count)
        for (name, state) in others { #expect(try await ledger.recipient(id, name)?.state == state) }
        let rounds = try await ledger.rounds(id)
        for round in rounds { #expect(round.states.values.reduce(0, +) == round.recipients, "\(round)") }
    }

    /// Adds or removes the suppression of a recipient.
    private static func suppress(_ ledger: any LedgerStore, _ now: Int64, _ generator: inout SeededGenerator) async throws {
        let batch = Int.random(in: 0..<3, using: &generator)
        let key = Suppression.Key(.email, "p\(batch)-\(Int.random(in: 0..<sizes[batch], using: &generator))@example.com")
        if Int.random(in: 0..<4, using: &generator) == 0 {
            _ = try await ledger.unsuppress([key], audit: nil, now: now)
        } else {
            let expires = Bool.random(using: &generator) ? now + Int64.random(in: 0...900, using: &generator) : nil
            _ = try await ledger.suppress([Suppression(key, reason: .complaint, at: now, expires: expires)], audit: nil, now: now)
        }
    }

    /// Only planned recipients, and deferred ones that are due, are dispatched, and none that is suppressed. A mailing that is planned does
    /// not look for those whom providers refuse since: an uncertain recipient who is to be sent to again may be one.
    private static func expectToBeFed(_ batch: DispatchedBatch, _ ledger: any LedgerStore) async throws {
        for index in batch.open?.map(\.index) ?? Array(0..<batch.count) {
            let found = try await ledger.recipient(batch.id.mailing, "r\(batch.id.number)-\(index)")
            #expect(found?.state == .planned || (found?.state == .deferred && found?.due ?? 0 <= batch.dispatched))
            let suppressions = try await ledger.suppressions(of: found?.address ?? "", .email)
            #expect(!suppressions.contains { $0.isInForce(at: batch.dispatched) && $0.reason != .hardBounce })
        }
    }

    private static func group(_ sequence: Int, _ now: Int64, _ generator: inout SeededGenerator) -> ResultGroup {
        let batch = Int.random(in: 0..<3, using: &generator)
        let results = (0..<sizes[batch]).filter { _ in Bool.random(using: &generator) }.map { index in
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: sent(index, at: now)
            case 1: failed(index, at: now)
            case 2: uncertain(index, at: now)
            case 3: uncertain(index, due: now + 50, at: now)
            default: deferred(index, due: now + Int64.random(in: 1...500, using: &generator), at: now)
            }
        }
        let closing = [ResultGroup.Closing.open, .done, .released].randomElement(using: &generator) ?? .open
        return resultGroup(
            batch: batch, dispatchNumber: Int.random(in: 0...4, using: &generator), sequence: sequence, closing: closing,
            groups: closing == .released ? Int.random(in: 0...6, using: &generator) : 1, results)
    }
}
