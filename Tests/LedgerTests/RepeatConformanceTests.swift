import Ledger
import Model
import TestServers
import Testing

/// What was sent is known again.
@Suite struct RepeatConformanceTests {
    private static let identity = MailingIdentity.file("/m.yaml")

    private func new(_ number: Int, _ identity: MailingIdentity? = identity, onlyNew: Bool = false) -> NewMailing {
        var new = NewMailing(id: Example.id(number), mailing: Example.mailing(), source: nil)
        new.identity = identity
        new.onlyNew = onlyNew
        return new
    }

    private func add(_ ledger: any LedgerStore, _ new: NewMailing, _ policy: RepeatPolicy) async throws -> AddOutcome {
        try await ledger.add(new, repeating: policy, note: nil, now: Example.start)
    }

    /// Plans a mailing of one batch, and ends it with results.
    private func send(_ ledger: any LedgerStore, _ number: Int, _ results: [RecipientResult], of count: Int) async throws {
        let id = Example.id(number)
        try await ledger.appendPlan(
            id, batches: [PlannedBatch(number: 0, recipients: Example.recipients(batch: number, count: count))], exclusions: [],
            rowsRead: count)
        try await ledger.finishPlan(id, now: Example.start)
        _ = try await ledger.dispatchBatches([(id, 1)], now: Example.start)
        _ = try await ledger.write(
            groups: [resultGroup(closing: results.count == count ? .done : .open, mailing: id, results)], events: [], now: Example.start)
    }

    @Test(arguments: Engine.all) func aMailingIsAddedTwiceOnlyWhenToldTo(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        #expect(try await add(ledger, new(0), .refuse) == .added)
        for policy in [RepeatPolicy.refuse, .onlyNew] {
            guard case .unfinished(let record) = try await add(ledger, new(1), policy) else { throw Unexpected() }
            #expect(record.id == Example.id(0))
        }
        try await send(ledger, 0, [sent(0), failed(1), uncertain(2, due: 0)], of: 3)
        _ = try await ledger.setState(Example.id(0), to: .stopped, from: [.sending], reason: .none, now: Example.start)
        guard case .sentBefore(let earlier) = try await add(ledger, new(1), .refuse) else { throw Unexpected() }
        #expect(earlier.reached == 2 && earlier.sent.map(\.id) == [Example.id(0)])
        #expect(try await ledger.mailing(Example.id(1)) == nil)
        // Another key is another mailing, and one without identity is compared with none.
        #expect(try await add(ledger, new(2, .key("two")), .refuse) == .added)
        #expect(try await add(ledger, new(3, nil), .refuse) == .added)
        #expect(try await add(ledger, new(4, onlyNew: true), .onlyNew) == .added)
        #expect(try await ledger.mailing(Example.id(4))?.onlyNew == true)
        #expect(try await ledger.earlier(than: Example.id(4)) == [Example.id(0)])
        #expect(try await ledger.earlier(than: Example.id(3)) == [])
        #expect(try await add(ledger, new(5), .again) == .added)
    }

    @Test(arguments: Engine.all) func whatReachedNobodyWasNotSent(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        _ = try await add(ledger, new(0), .refuse)
        try await send(ledger, 0, [failed(0), failed(1)], of: 2)
        _ = try await ledger.complete([Example.id(0)], now: Example.start)
        #expect(try await ledger.earlier(Self.identity).reached == 0)
        #expect(try await add(ledger, new(1), .refuse) == .added)
    }

    @Test(arguments: Engine.all) func thoseReachedAreSentDeliveredUncertainOrWithAWorker(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        _ = try await add(ledger, new(0), .refuse)
        try await send(ledger, 0, [sent(1), failed(2), uncertain(4)], of: 6)
        _ = try await ledger.setState(Example.id(0), to: .stopped, from: [.sending], reason: .none, now: Example.start)
        func places() async throws -> [Int] {
            try await ledger.reached(by: Example.id(0), after: -1, limit: 9).flatMap(\.places)
        }
        // The worker may send to the others as long as it has the batch.
        #expect(try await places() == [0, 1, 3, 4, 5])
        _ = try await ledger.write(
            groups: [resultGroup(sequence: 1, closing: .released, groups: 2, mailing: Example.id(0), [])], events: [], now: Example.start)
        _ = try await ledger.stopOpen(Example.id(0), now: Example.start)
        #expect(try await places() == [1, 4])
        #expect(try await ledger.earlier(Self.identity).reached == 2)
        #expect(try await ledger.reached(by: Example.id(0), after: 0, limit: 9).isEmpty)
    }

    /// Who was uncertain keeps that, whatever end they have, but for those of whom a person said that nothing arrived.
    @Test(arguments: Engine.all) func whoMayHaveBeenReachedIsNotSentToAgain(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        _ = try await add(ledger, new(0), .refuse)
        try await send(ledger, 0, [uncertain(0), uncertain(1), failed(2), uncertain(3, due: 9)], of: 4)
        _ = try await ledger.write(
            groups: [resultGroup(sequence: 1, closing: .done, [failed(3, attempts: 2)])], events: [], now: Example.start)
        _ = try await ledger.decide(Example.id(0), recipients: ["r0-0"], as: .failed, note: nil, now: Example.start)
        _ = try await ledger.decide(Example.id(0), recipients: ["r0-1"], as: .resend, note: nil, now: Example.start)
        _ = try await ledger.setState(Example.id(0), to: .stopped, from: [.sending], reason: .none, now: Example.start)
        _ = try await ledger.stopOpen(Example.id(0), now: Example.start)
        #expect(try await ledger.progress(Example.id(0))?.states.filter { $0.value > 0 } == [.failed: 3, .stopped: 1])
        #expect(try await ledger.reached(by: Example.id(0), after: -1, limit: 9).map(\.places) == [[1, 3]])
        guard case .sentBefore(let earlier) = try await add(ledger, new(1), .refuse) else { throw Unexpected() }
        #expect(earlier.reached == 2)
        #expect(try await add(ledger, new(1, onlyNew: true), .onlyNew) == .added)
    }

    private struct Unexpected: Error {}
}
