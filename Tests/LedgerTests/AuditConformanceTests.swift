import Ledger
import Model
import TestServers
import Testing

/// Every order leaves one audit entry, in the transaction of its effect.
@Suite struct AuditConformanceTests {
    private func entries(_ ledger: any LedgerStore, _ filter: AuditFilter = AuditFilter()) async throws -> [AuditEntry] {
        try await ledger.audit(filter, limit: 99)
    }

    @Test(arguments: Engine.all) func anOrderIsKeptWithBeforeAndAfter(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        let id = Example.id()
        var new = NewMailing(id: id, mailing: Example.mailing(), source: nil)
        new.origin = "/m.yaml"
        new.identity = .key("spring")
        #expect(try await ledger.add(new, repeating: .refuse, note: AuditNote(.add, actor: "ann"), now: 1) == .added)
        _ = try await ledger.setState(
            id, to: .paused, from: [.scheduled], reason: .person("bob", "a typo"), note: AuditNote(.pause, actor: "bob"), now: 2)
        _ = try await ledger.resume(id, atOnce: true, note: AuditNote(.resume, actor: "cy"), now: 3)
        try await ledger.setSpeed(id, "5/s", note: AuditNote(.speed, actor: "cy"), now: 4)
        try await ledger.setLimit(.known(.channel(.sms)), "9/s", note: AuditNote(.limit, actor: "ann"), now: 5)
        let found = try await entries(ledger)
        #expect(found.map(\.order) == ["limit", "speed", "resume", "pause", "add"])
        #expect(found.map(\.actor) == ["ann", "cy", "cy", "bob", "ann"] && found.map(\.at) == [5, 4, 3, 2, 1])
        #expect(found[0].object == .limit(.known(.channel(.sms))) && found[0].before == "{}" && found[0].after == #"{"limit":"9/s"}"#)
        #expect(found[1].before == #"{"speed":"none"}"# && found[1].after == #"{"speed":"5/s"}"#)
        #expect(found[3].before == #"{"state":"scheduled"}"#)
        #expect(found[3].after == #"{"reason":"paused by bob: a typo","state":"paused"}"#)
        #expect(found[4].after == #"{"file":"/m.yaml","identity":"key:spring","name":"Spring","state":"scheduled"}"#)
        #expect(try await entries(ledger, AuditFilter(object: .mailing(id))).count == 4)
        #expect(try await entries(ledger, AuditFilter(since: 4)).count == 2)
        #expect(try await entries(ledger, AuditFilter(before: found[1].number)).map(\.at) == [3, 2, 1])
        #expect(try await ledger.mailing(id)?.stateChanged == 3)
    }

    @Test(arguments: Engine.all) func whatChangesNothingLeavesNoEntry(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        let id = Example.id()
        try await Example.plan(ledger, batches: [1])
        let note = AuditNote(.resume, actor: "ann")
        #expect(try await ledger.resume(id, atOnce: true, note: note, now: 3) == nil)
        #expect(try await !ledger.setState(id, to: .paused, from: [.draft], reason: .none, note: note, now: 4))
        await #expect(throws: LedgerError.self) { try await ledger.setSpeed(Example.id(9), "1/s", note: note, now: 5) }
        #expect(try await ledger.decide(id, recipients: nil, as: .sent, note: note, now: 6).count == 0)
        #expect(try await entries(ledger) == [])
    }

    /// A decision about many takes several transactions.
    @Test(arguments: Engine.all) func aLongDecisionIsOneEntry(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: Array(repeating: 2, count: 120))
        _ = try await ledger.dispatchBatches([(Example.id(), 120)], now: Example.start)
        for batch in 0..<120 {
            _ = try await ledger.write(
                groups: [resultGroup(batch: batch, closing: .done, [uncertain(0), uncertain(1)])], events: [], now: Example.start)
        }
        _ = try await ledger.decide(
            Example.id(), recipients: nil, as: .failed, note: AuditNote(.resolve, actor: "ann"), now: Example.start + 1)
        let found = try await entries(ledger)
        #expect(found.map(\.before) == [#"{"held":240}"#])
        #expect(found.map(\.after) == [#"{"decision":"failed","held":0,"recipients":240}"#])
    }
}
