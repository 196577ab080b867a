import Model
import TestServers
import Testing

@testable import Ledger

/// The values of a person go, and what is counted stays.
@Suite struct ErasureTests {
    private let id = Example.id()
    private let now = Example.start

    private func open(_ engine: Engine, _ folder: TemporaryFolder) async throws -> (any LedgerStore & MessageStore)? {
        try await engine.open(folder) as? (any LedgerStore & MessageStore)
    }

    private func person(_ address: String) -> ErasedPerson { ErasedPerson([address]) }

    @Test(arguments: Engine.all) func aPersonsValuesGoAndTheNumbersStay(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        guard let ledger = try await open(engine, folder) else { return }
        try await Example.plan(ledger, batches: [3, 2])
        let open = Example.id(1)
        try await Example.plan(ledger, open, batches: [1])
        _ = try await ledger.dispatchBatches([(id, 9)], now: now)
        var refused = failed(1)
        refused.response?.text = "550 <p0-1@example.com> is unknown"
        let unreadable = DeadLetter(source: .status(1), entry: "1-0", reason: "no sense", fields: [.init(name: "d", value: [1])])
        var letter = unreadable
        (letter.mailing, letter.batch) = (id, 0)
        _ = try await ledger.write(
            groups: [resultGroup(closing: .done, [sent(0), refused, sent(2)])], events: [], letters: [letter], now: now)
        let before = try await ledger.report(id, now: now)
        let other = try await ledger.recipient(id, "p0-0@example.com")

        let note = AuditNote(.erase, actor: "ann")
        #expect(try await ledger.erase(person("P0-1@example.com"), note: note, now: now).recipients == 1)
        #expect(try await ledger.recipient(id, "p0-1@example.com") == nil)
        #expect(try await ledger.history(address: "p0-1@example.com", limit: 9) == [])
        let erased = try #require(try await ledger.recipient(id, "r0-1"))
        #expect(erased.state == .failed && erased.address.isEmpty && erased.values.dropFirst().allSatisfy { $0.text.isEmpty })
        #expect(erased.history.first?.response?.text.contains("p0-1") == false)
        #expect(try await ledger.recipient(id, "p0-0@example.com") == other)
        #expect(try await ledger.report(id, now: now) == before)
        #expect(try await ledger.recount(id) == [])
        #expect(try await ledger.deadLetters(after: nil, limit: 9).first?.letter.fields == [])
        let entry = try #require(try await ledger.audit(AuditFilter(), limit: 1).first)
        #expect(entry.order == "erase" && !"\(entry)".contains("p0-1"))
        // An order that changed nothing has no entry.
        _ = try await ledger.erase(person("nobody@example.com"), note: note, now: now)
        #expect(try await ledger.audit(AuditFilter(), limit: 1).first == entry)
    }

    /// Who is still to be sent to would be sent nothing.
    @Test(arguments: Engine.all) func whoIsStillToBeSentToStays(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        guard let ledger = try await open(engine, folder) else { return }
        try await Example.plan(ledger, batches: [2])
        let erasure = try await ledger.erase(person("p0-0@example.com"), note: nil, now: now)
        #expect(erasure.recipients == 0 && erasure.open == [.init(mailing: id, state: .planned)] && !erasure.isWhole)
        #expect(try await ledger.recipient(id, "p0-0@example.com") != nil)
    }

    /// A person still has to say whether it is sent again, and to whom that would be is needed for that.
    @Test(arguments: Engine.all) func whoWaitsForADecisionStaysUntilItIsMade(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: [2], mailing: Example.mailing(uncertain: .hold))
        _ = try await ledger.dispatchBatches([(id, 9)], now: now)
        _ = try await ledger.write(groups: [resultGroup(closing: .done, [uncertain(0), sent(1)])], events: [], now: now)
        let held = try await ledger.erase(person("p0-0@example.com"), note: nil, now: now)
        #expect(held.recipients == 0 && held.open == [.init(mailing: id, state: .uncertain)])
        #expect(try await ledger.recipient(id, "r0-0")?.address == "p0-0@example.com")
        let settled = try await ledger.decide(id, recipients: ["p0-0@example.com"], as: .failed, note: nil, now: now)
        #expect(settled.count == 1)
        let erasure = try await ledger.erase(person("p0-0@example.com"), note: nil, now: now)
        #expect(erasure.recipients == 1 && erasure.isWhole)
        #expect(try await ledger.recipient(id, "r0-0")?.address == "")
        #expect(try await ledger.recount(id) == [])
    }

    @Test(arguments: Engine.all) func othersWithALongerAddressStay(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await ledger.create(id, mailing: Example.mailing(), source: nil, origin: "", state: .collecting, now: now)
        let rows = [
            Exclusion(row: 1, reason: .duplicate, id: "ann@example.com", address: " Ann@Example.com", detail: "as ann@example.com"),
            Exclusion(row: 2, reason: .duplicate, id: "2", address: "joann@example.com", detail: ""),
            Exclusion(row: 3, reason: .duplicate, id: "3", address: "ann@example.com.au", detail: "beside ann@example.com"),
            Exclusion(row: 4, reason: .invalidAddress, id: "4", address: "Ann <ann@example.com>;", detail: "two"),
        ]
        try await ledger.appendPlan(id, batches: [], exclusions: rows, rowsRead: 4)
        let erasure = try await ledger.erase(person("ann@example.com"), note: nil, now: now)
        #expect(erasure.excluded == 3 && erasure.unplanned == [id])
        let left = try await ledger.exclusions(id, after: -1, limit: 9)
        #expect(left.map(\.address) == ["", "joann@example.com", "ann@example.com.au", ""])
        #expect(left.map(\.id) == ["", "2", "3", "4"] && left.map(\.detail) == ["", "", "beside (erased)", ""])
        #expect(try await ledger.recount(id) == [])
    }

    /// Suppressions stay, unless they are to go, and what was removed from the list is forgotten.
    @Test(arguments: Engine.all) func theListOfSuppressionsKeepsWhatItIsFor(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        let (all, news) = (Suppression.Key(.email, "ann@example.com"), Suppression.Key(.email, "ann@example.com", category: "news"))
        _ = try await ledger.suppress([all, news].map { Suppression($0, reason: .complaint, at: now) }, audit: nil, now: now)
        _ = try await ledger.unsuppress([news], audit: nil, now: now)
        let first = try await ledger.erase(person("Ann@example.com"), note: nil, now: now)
        #expect(first.suppressed == [all] && first.suppressions == 0)
        let revision = try await ledger.suppressionList().revision
        let second = try await ledger.erase(ErasedPerson(["ann@example.com"], withSuppressions: true), note: nil, now: now)
        #expect(second.suppressed == [] && second.suppressions == 1)
        let list = try await ledger.suppressionList()
        #expect(list.entries == 0 && list.revision > revision)
        #expect(try await ledger.suppressions(SuppressionFilter(), after: nil, limit: 9) == [])
    }

    @Test(arguments: Engine.all) func aMessageIsFoundByItsProvidersID(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        guard let ledger = try await open(engine, folder) else { return }
        try await Example.plan(ledger, batches: [3])
        _ = try await ledger.dispatchBatches([(id, 9)], now: now)
        var group = resultGroup(closing: .done, [sent(0), sent(1), failed(2)])
        group.provider = "smtp://one"
        _ = try await ledger.write(groups: [group], events: [], now: now)
        #expect(try await ledger.recipients(ofMessage: "m1", provider: nil, limit: 9).map(\.address) == ["p0-1@example.com"])
        #expect(try await ledger.recipients(ofMessage: "m1", provider: "smtp://one", limit: 9).first?.messageID == "m1")
        #expect(try await ledger.recipients(ofMessage: "m1", provider: "smtp://other", limit: 9) == [])
        for unknown in ["m", "1", "m11", "", "\"m1\""] {
            #expect(try await ledger.recipients(ofMessage: unknown, provider: nil, limit: 9) == [])
        }
    }

    @Test(arguments: Engine.all) func eachMailingHasANumberOfItsOwn(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        for number in 0..<3 { try await Example.plan(ledger, Example.id(number), batches: [1]) }
        var numbers: Set<UInt32> = []
        for number in 0..<3 {
            let given = try #require(try await ledger.number(of: Example.id(number)))
            numbers.insert(given)
            #expect(try await ledger.mailing(numbered: given) == Example.id(number))
        }
        #expect(numbers.count == 3)
        // Those of another ledger are others.
        #expect(numbers.allSatisfy { $0 > 1_000_000 })
        #expect(try await ledger.number(of: Example.id(9)) == nil)
        #expect(try await ledger.mailing(numbered: .max) == nil)
    }
}
