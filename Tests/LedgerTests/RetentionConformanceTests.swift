import Foundation
import Ledger
import Logging
import Model
import TestServers
import Testing

/// Recipients of mailings that ended long ago are removed, and nothing else is.
@Suite struct RetentionConformanceTests {
    private let folder: TemporaryFolder
    private let later = Example.start + 1_000_000
    private var rule: RetentionRule { RetentionRule(cutoff: later) }

    init() throws { folder = try TemporaryFolder() }

    /// A mailing of two batches that has ended: of its four recipients one failed, one was sent to twice, and one row is excluded.
    private func ended(_ ledger: any LedgerStore, _ number: Int = 0, identity: MailingIdentity? = nil) async throws -> MailingID {
        let id = Example.id(number)
        var new = NewMailing(id: id, mailing: Example.mailing(), source: nil)
        (new.identity, new.state) = (identity, .collecting)
        #expect(try await ledger.add(new, repeating: .again, note: nil, now: Example.start) == .added)
        let batches = (0..<2).map { PlannedBatch(number: $0, recipients: Example.recipients(batch: $0, count: 2)) }
        let excluded = Exclusion(row: 3, reason: .duplicate, id: "x", address: "p0-0@example.com", detail: "")
        try await ledger.appendPlan(id, batches: batches, exclusions: [excluded], rowsRead: 5)
        try await ledger.finishPlan(id, now: Example.start)
        _ = try await ledger.dispatchBatches([(id, 10)], now: Example.start)
        let results = [[uncertain(0, due: 5), sent(0, attempts: 2), failed(1)], [sent(0), sent(1)]]
        let groups = results.enumerated().map { resultGroup(batch: $0, closing: .done, mailing: id, $1) }
        let opened = RecipientEvent(batch: 0, index: 0, kind: .opened, at: Example.start)
        var letter = DeadLetter(source: .status(0), entry: "1-\(number)", reason: "no sense", fields: [.init(name: "d", value: [0])])
        letter.mailing = id
        _ = try await ledger.write(
            groups: groups, events: [EventGroup(mailing: id, events: [opened])], letters: [letter], now: Example.start)
        #expect(try await ledger.complete([id], now: Example.start + 1000) == [id])
        return id
    }

    @Test(arguments: Engine.all) func theReportStaysAndTheRecipientsGo(engine: Engine) async throws {
        let ledger = try await engine.open(folder)
        let id = try await ended(ledger)
        let other = try await ended(ledger, 1)
        let before = try #require(try await ledger.report(id, now: later))
        let untouched = try await ledger.recipient(other, "p0-0@example.com")
        #expect(before.uncertain.listed == 1 && before.events[.opened]?.count == 1 && before.excluded[.duplicate] == 1)
        #expect(try await ledger.agedMailings(rule).map(\.id) == [id, other])

        let note = AuditNote(.prune, actor: "ann")
        #expect(try await ledger.prune(id, rule, note: note, now: later) == 4)
        var after = try #require(try await ledger.report(id, now: later))
        #expect(after.pruned == later && after.balances)
        after.pruned = nil
        #expect(after == before)
        #expect(try await ledger.recount(id) == [])
        #expect(try await ledger.mailing(id)?.pruned == later)
        #expect(try await ledger.recipient(id, "p0-0@example.com") == nil)
        #expect(try await ledger.exclusions(id, after: 0, limit: 9) == [])
        #expect(try await ledger.uncertain(id, onlyHeld: false, after: nil, limit: 9) == [])
        #expect(try await ledger.history(address: "p0-0@example.com", limit: 9).map(\.mailing) == [other])
        #expect(try await ledger.deadLetters(after: nil, limit: 9).map(\.letter.mailing) == [other])

        // The other is as it was, and the order is noted once.
        #expect(try await ledger.recipient(other, "p0-0@example.com") == untouched)
        #expect(try await ledger.recount(other) == [])
        #expect(try await ledger.agedMailings(rule).map(\.id) == [other])
        #expect(try await ledger.prunedMailings() == 1)
        #expect(try await ledger.prune(id, rule, note: note, now: later + 1) == 0)
        let audit = try await ledger.audit(AuditFilter(object: .mailing(id)), limit: 9)
        #expect(audit.map(\.order) == ["prune"] && audit[0].actor == "ann" && audit[0].before == #"{"recipients":4}"#)
    }

    /// What comes late to a mailing whose recipients are gone changes nothing.
    @Test(arguments: Engine.all) func lateResultsAndEventsAreOfNobody(engine: Engine) async throws {
        let ledger = try await engine.open(folder)
        let id = try await ended(ledger)
        try await ledger.prune(id, rule, note: nil, now: later)
        let before = try await ledger.report(id, now: later)
        let opened = RecipientEvent(batch: 0, index: 0, kind: .clicked, at: later)
        let summary = try await ledger.write(
            groups: [resultGroup(sequence: 9, mailing: id, [sent(1)])], events: [EventGroup(mailing: id, events: [opened])], now: later)
        #expect(summary.unknown == 2 && summary.moved == [:])
        #expect(try await ledger.report(id, now: later) == before)
    }

    /// A part with next to no time removes one batch; an interrupted removal continues where it ended, though nobody asks by age any more.
    @Test(arguments: Engine.all) func itIsRemovedInParts(engine: Engine) async throws {
        let ledger = try await engine.open(folder)
        let id = try await ended(ledger)
        let first = try await ledger.prunePart(id, rule, budget: .nanoseconds(1), note: nil, now: later)
        #expect(first.recipients == 2 && !first.isLast && first.took > .zero)
        #expect(try await ledger.recount(id) == [])
        #expect(try await ledger.agedMailings(rule).map(\.id) == [id])
        #expect(try await ledger.prune(id, RetentionRule(cutoff: 0), note: nil, now: later) == 2)
        #expect(try await ledger.agedMailings(rule) == [])
    }

    @Test(arguments: Engine.all) func whatIsInWorkOrUncertainStays(engine: Engine) async throws {
        let ledger = try await engine.open(folder)
        let sending = Example.id()
        try await Example.plan(ledger, sending, batches: [2])
        _ = try await ledger.dispatchBatches([(sending, 1)], now: Example.start)
        #expect(try await ledger.agedMailings(rule) == [])
        await #expect(throws: LedgerError.self) { try await ledger.prune(sending, rule, note: nil, now: later) }

        // Stopped, with one recipient held, and then settled.
        _ = try await ledger.write(groups: [resultGroup(closing: .done, [uncertain(0), sent(1)])], events: [], now: Example.start)
        let stop: Set<MailingState> = [.sending]
        _ = try await ledger.setState(sending, to: .stopped, from: stop, reason: .none, note: nil, now: Example.start)
        #expect(try await ledger.agedMailings(rule).map(\.obstacle) == [.uncertain(1)])
        await #expect(throws: LedgerError.self) { try await ledger.prune(sending, rule, note: nil, now: later) }
        #expect(try await ledger.recipient(sending, "p0-0@example.com")?.state == .uncertain)
        _ = try await ledger.decide(sending, recipients: nil, as: .sent, note: nil, now: Example.start)
        #expect(try await ledger.prune(sending, rule, note: nil, now: later) == 2)
        #expect(try await ledger.report(sending, now: later)?[.sent] == 2)
    }

    /// A mailing that is known stays so: it is not sent twice, and nobody is taken for new.
    @Test(arguments: Engine.all) func itIsStillKnownAsSent(engine: Engine) async throws {
        let ledger = try await engine.open(folder)
        let identity = MailingIdentity.key("spring")
        let id = try await ended(ledger, identity: identity)
        func add(_ number: Int, _ policy: RepeatPolicy) async throws -> AddOutcome {
            var new = NewMailing(id: Example.id(number), mailing: Example.mailing(), source: nil)
            (new.identity, new.onlyNew) = (identity, policy == .onlyNew)
            return try await ledger.add(new, repeating: policy, note: nil, now: later)
        }
        // One that is to read whom it reached keeps it until then.
        #expect(try await add(7, .onlyNew) == .added)
        #expect(try await ledger.agedMailings(rule).map(\.obstacle) == [.needed])
        await #expect(throws: LedgerError.self) { try await ledger.prune(id, rule, note: nil, now: later) }
        _ = try await ledger.setState(Example.id(7), to: .stopped, from: [.scheduled], reason: .none, note: nil, now: later)

        try await ledger.prune(id, rule, note: nil, now: later)
        let earlier = try await ledger.earlier(identity)
        #expect(earlier.reached == 3 && earlier.forgotten?.id == id)
        #expect(try await add(8, .refuse) == .sentBefore(earlier))
        #expect(try await add(8, .onlyNew) == .forgotten(try #require(earlier.forgotten)))
        #expect(try await add(8, .again) == .added)
    }
}

/// Others write while much is removed.
@Suite(.serialized) struct PruneLoadTests {
    @Test func anotherProcessWritesBetweenTheParts() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/ledger.sqlite"
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let ledger = try SQLiteLedger.open(path, logger: quiet)
        // As another process has it: a connection of its own, which waits for the lock of the file.
        let other = try SQLiteLedger.open(path, logger: quiet)
        let (old, new) = (Example.id(), Example.id(1))
        try await Example.plan(ledger, old, batches: [Int](repeating: 500, count: 200))
        try await Example.plan(ledger, new, batches: [1])
        let third = Example.id(2)
        try await ledger.create(third, mailing: Example.mailing(), source: nil, origin: "", state: .collecting, now: Example.start)
        for first in stride(from: 0, to: 100_000, by: 10_000) {
            let excluded = (first..<first + 10_000).map {
                Exclusion(row: $0, reason: .invalidAddress, id: "\($0)", address: "nobody\($0)@example", detail: "the domain has one part")
            }
            try await ledger.appendPlan(third, batches: [], exclusions: excluded, rowsRead: first + 10_000)
        }
        for id in [old, third] {
            _ = try await ledger.setState(id, to: .failed, from: [.sending, .collecting], reason: .none, note: nil, now: Example.start)
        }

        let writes = try await withThrowingTaskGroup(of: [Duration].self) { group in
            group.addTask { @concurrent in
                var waits: [Duration] = []
                while !Task.isCancelled {
                    let begun = ContinuousClock.now
                    try await other.setSpeed(new, "\(waits.count + 1)/s", note: nil, now: Example.start)
                    waits.append(ContinuousClock.now - begun)
                    // Orders of people do not follow one another without a pause; nothing is waited for.
                    try? await Task.sleep(for: .milliseconds(2))
                }
                return waits
            }
            var parts = 0
            let rule = RetentionRule(cutoff: Example.start + 1)
            for (id, recipients) in [(old, 100_000), (third, 0)] {
                #expect(try await ledger.prune(id, rule, note: nil, now: Example.start) { _ in parts += 1 } == recipients)
            }
            #expect(parts > 4)
            group.cancelAll()
            return try await group.next() ?? []
        }
        let sorted = writes.sorted()
        let longest = try #require(sorted.last)
        print("\(writes.count) writes beside the removal; median \(sorted[sorted.count / 2]), longest \(longest)")
        // A machine that is busy with other tests is slower; as one transaction it takes seconds.
        #expect(writes.count > 10 && longest < .milliseconds(1500))
        #expect(try await ledger.recount(new) == [])
        #expect(try await ledger.recount(old) == [])
        #expect(try await ledger.exclusions(third, after: 0, limit: 1) == [])
    }
}
