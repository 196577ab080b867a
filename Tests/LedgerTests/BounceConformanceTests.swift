import Model
import TestServers
import Testing

@testable import Ledger

/// Whoever is refused for good, and certainly for their own sake, is not sent to by the next mailing.
@Suite struct BounceConformanceTests {
    private let folder: TemporaryFolder
    private let id = Example.id()
    private let now = Example.start

    init() throws { folder = try TemporaryFolder() }

    private func open(_ engine: Engine) async throws -> any LedgerStore {
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: [3, 2])
        return ledger
    }

    private func refused(
        _ index: Int, _ reason: ResponseReason, _ action: ResponseAction = .fail, about subject: ResponseSubject = .recipient,
        state: RecipientState = .failed, at: Int64 = Example.start
    ) -> RecipientResult {
        RecipientResult(
            index: index, state: state, attempts: 1, at: at,
            response: ProviderResponse(reason, action, about: subject, stage: .rcpt, code: 550, text: "5.0.0 \(reason.rawValue)"))
    }

    /// Writes what came by Redis.
    @discardableResult
    private func write(
        _ ledger: any LedgerStore, batch: Int = 0, sequence: Int = 0, mailing: MailingID = Example.id(), _ results: [RecipientResult]
    ) async throws -> WriteSummary {
        let base = results.map(\.at).min() ?? 0
        var group = resultGroup(
            batch: batch, sequence: sequence, mailing: mailing, try [RecipientResult](decoding: results.encoded(base: base), base: base))
        group.provider = "main"
        return try await ledger.write(groups: [group], events: [], letters: [], now: now + 5)
    }

    private func list(_ ledger: any LedgerStore) async throws -> [Suppression] {
        try await ledger.suppressions(SuppressionFilter(), after: nil, limit: 99)
    }

    @Test(arguments: Engine.all) func aCertainRefusalSuppressesTheAddress(engine: Engine) async throws {
        let ledger = try await open(engine)
        let before = try await ledger.suppressionList()
        try await write(ledger, [refused(0, .unknownUser, at: now + 3), sent(1), refused(2, .unknownHost)])
        try await write(ledger, batch: 1, [refused(1, .moved)])
        let found = try await list(ledger)
        #expect(found.map(\.key.address) == ["p0-0@example.com", "p0-2@example.com", "p1-1@example.com"])
        #expect(found.allSatisfy { $0.reason == .hardBounce && $0.key.category.isEmpty && $0.key.channel == .email })
        #expect(found.first?.source == "\(id).0.0" && found.first?.at == now + 3)
        // Mailings that are planned already do not look for it.
        #expect(try await ledger.suppressionList() == SuppressionList(revision: before.revision, entries: 3))
        #expect(try await ledger.audit(AuditFilter(), limit: 9).isEmpty)
        // The same groups again, and another mailing that is refused: one entry stays.
        try await write(ledger, [refused(0, .unknownUser, at: now + 3), sent(1), refused(2, .unknownHost)])
        try await Example.plan(ledger, Example.id(1), batches: [3])
        try await write(ledger, mailing: Example.id(1), [refused(0, .unknownUser, at: now + 4)])
        #expect(try await list(ledger) == found)
        #expect(try await ledger.suppressionList().entries == 3)
    }

    /// Nobody is suppressed for a fault of ours, nor for what may be one.
    @Test(arguments: Engine.all) func nothingElseSuppresses(engine: Engine) async throws {
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: [40])
        var results = ResponseReason.allCases.filter { ![.unknownUser, .unknownHost, .moved, .inactive, .complaint, .accepted].contains($0) }
            .enumerated().map { refused($0, $1) }
        for reason in [ResponseReason.unknownUser, .unknownHost, .moved, .inactive] {
            // Nobody knows whose fault it is, or it may be better next time.
            results.append(refused(results.count, reason, about: .unclear))
            results.append(refused(results.count, reason, .retry))
            results.append(refused(results.count, reason, .retry, state: .expired))
        }
        results.append(RecipientResult(index: results.count, state: .stopped, attempts: 0, at: now))
        try await write(ledger, results)
        #expect(try await list(ledger).isEmpty)
        #expect(try await ledger.suppressionList() == SuppressionList())
    }

    @Test(arguments: Engine.all) func whatAPersonRemovedDoesNotComeBackWithAnOlderRefusal(engine: Engine) async throws {
        let ledger = try await open(engine)
        try await write(ledger, [refused(0, .unknownUser)])
        let keys = try await list(ledger).map(\.key)
        _ = try await ledger.unsuppress(keys, audit: nil, now: now + 10)
        try await Example.plan(ledger, Example.id(1), batches: [3])
        try await Example.plan(ledger, Example.id(2), batches: [3])
        try await write(ledger, mailing: Example.id(1), [refused(0, .unknownUser, at: now + 9)])
        #expect(try await list(ledger).isEmpty)
        try await write(ledger, mailing: Example.id(2), [refused(0, .unknownUser, at: now + 11)])
        #expect(try await list(ledger).count == 1)
    }

    @Test(arguments: Engine.all) func whoHasTheMessageAfterAllIsTakenOff(engine: Engine) async throws {
        let ledger = try await open(engine)
        try await write(ledger, [refused(0, .unknownUser), refused(1, .unknownUser)])
        let keys = try await list(ledger).map(\.key)
        // Another worker, taken for lost, has sent it.
        let summary = try await write(ledger, sequence: 1, [sent(0, at: now + 9)])
        #expect(summary.unsuppressed == [keys[0]])
        #expect(try await list(ledger).map(\.key) == [keys[1]])
        #expect(try await ledger.suppressionList().entries == 1)
        // Who has unsubscribed meanwhile stays.
        let unsubscribed = Suppression(keys[1], reason: .unsubscribe, at: now + 4)
        _ = try await ledger.suppress([unsubscribed], audit: nil, now: now + 4)
        #expect(try await write(ledger, sequence: 2, [sent(1, at: now + 9)]).unsuppressed.isEmpty)
        #expect(try await list(ledger) == [unsubscribed])
    }

    @Test(arguments: Engine.all) func ofAnErasedPersonNothingIsKept(engine: Engine) async throws {
        let ledger = try await open(engine)
        _ = try await ledger.erase(ErasedPerson(["p0-0@example.com"]), note: nil, now: now)
        try await write(ledger, [refused(0, .unknownUser), refused(1, .unknownUser)])
        #expect(try await list(ledger).map(\.key.address) == ["p0-1@example.com"])
    }
}
