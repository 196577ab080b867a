import Ledger
import Model
import TestServers
import Testing

@Suite struct MailingConformanceTests {
    @Test(arguments: Engine.all) func keepsAMailingAsItWasMade(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        let source = RecipientSource(file: "/r.csv", format: .csv, id: "id", address: "email", country: "DE")
        try await ledger.create(
            Example.id(), mailing: Example.mailing(), source: source, origin: "/m.yaml", state: .draft, now: 5)
        let record = try #require(try await ledger.mailing(Example.id()))
        #expect(record.mailing == Example.mailing())
        #expect(record.source == source)
        #expect(record.state == .draft && record.created == 5 && record.started == nil && record.expires == nil)
        #expect(try await ledger.mailing(Example.id(1)) == nil)
        await #expect(throws: LedgerError.self) {
            try await ledger.create(
                Example.id(), mailing: Example.mailing(), source: nil, origin: "", state: .draft, now: 6)
        }
    }

    @Test(arguments: Engine.all) func keepsTheContentOfEachChannel(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        var new = NewMailing(id: Example.id(), mailing: Example.mailing(), source: nil)
        var content = MailingContent(provider: "gateway", fields: ["id", "address", "code"])
        content.text = .init(source: "{{code}}")
        new.contents = [.sms: content]
        new.state = .collecting
        _ = try await ledger.add(new, repeating: .again, note: nil, now: 5)
        let record = try #require(try await ledger.mailing(new.id))
        #expect(record.mailing == Example.mailing() && record.contents == [.sms: content])
        #expect(try await ledger.mailings(states: nil, limit: 9).map(\.contents) == [[.sms: content]])
        let batches = [Channel.email, .sms].enumerated().map { number, channel in
            PlannedBatch(number: number, recipients: Example.recipients(batch: number, count: 2), channel: channel)
        }
        try await ledger.appendPlan(new.id, batches: batches, exclusions: [], rowsRead: 4)
        try await ledger.finishPlan(new.id, now: 6)
        #expect(try await ledger.dispatchBatches([(new.id, 9)], now: 7).map(\.channel) == [.email, .sms])
    }

    @Test(arguments: Engine.all) func findsMailingsByPrefixAndState(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        for number in 0..<3 {
            try await ledger.create(
                Example.id(number), mailing: Example.mailing(), source: nil, origin: number == 2 ? "/b" : "/a",
                state: .collecting, now: Example.start + Int64(number))
        }
        #expect(try await ledger.find(prefix: Example.id(1).description).map(\.id) == [Example.id(1)])
        #expect(try await ledger.find(prefix: String(Example.id().description.prefix(3))).count == 3)
        #expect(try await ledger.find(prefix: "%").isEmpty)
        #expect(try await ledger.setState(Example.id(1), to: .stopped, from: [.collecting], reason: StateReason(text: "r"), now: 9))
        #expect(try await ledger.find(prefix: "").isEmpty)
        #expect(try await ledger.mailings(states: [.stopped], limit: 9).map(\.id) == [Example.id(1)])
        #expect(try await ledger.mailings(states: nil, limit: 2).map(\.id) == [Example.id(2), Example.id(1)])
    }

    @Test(arguments: Engine.all) func movesOnlyFromTheStatesAllowed(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await ledger.create(
            Example.id(), mailing: Example.mailing(), source: nil, origin: "", state: .draft, now: 1)
        #expect(try await !ledger.setState(Example.id(), to: .paused, from: [.sending], reason: .none, now: 2))
        #expect(try await ledger.setState(Example.id(), to: .collecting, from: [.draft], reason: .none, now: 3))
        #expect(try await ledger.mailing(Example.id())?.started == 3)
        #expect(try await ledger.setState(Example.id(), to: .paused, from: [.collecting], reason: StateReason(text: "tea"), now: 4))
        #expect(try await ledger.setState(Example.id(), to: .sending, from: [.paused], reason: .none, now: 5))
        let record = try #require(try await ledger.mailing(Example.id()))
        #expect(record.started == 3 && record.reason == "" && record.finished == nil)
        #expect(record.expires == 3_600_003)
        #expect(try await ledger.setState(Example.id(), to: .stopped, from: [.sending], reason: StateReason(text: "enough"), now: 6))
        #expect(try await ledger.mailing(Example.id())?.finished == 6)
        #expect(try await ledger.mailing(Example.id())?.reason == "enough")
    }

    @Test(arguments: Engine.all) func aPausedMailingGoesOnWhereItWas(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        let id = Example.id()
        func pause() async throws {
            let open: Set<MailingState> = [.scheduled, .collecting, .sending]
            #expect(try await ledger.setState(id, to: .paused, from: open, reason: StateReason(text: "tea"), now: 20))
        }
        try await ledger.create(
            id, mailing: Example.mailing(), source: nil, origin: "", state: .scheduled, start: 10, now: 1)
        #expect(try await ledger.mailing(id)?.start == 10)
        #expect(try await ledger.resume(id, atOnce: true, now: 5) == nil)
        try await pause()
        // A start that is to come, and one that nobody lets go by, stay.
        #expect(try await ledger.resume(id, atOnce: true, now: 5) == .scheduled)
        try await pause()
        #expect(try await ledger.resume(id, atOnce: false, now: 30) == .scheduled)
        #expect(try await ledger.mailing(id)?.start == 10)
        try await pause()
        #expect(try await ledger.resume(id, atOnce: true, now: 30) == .scheduled)
        let record = try #require(try await ledger.mailing(id))
        #expect(record.start == nil && record.started == nil && record.reason == "")
        #expect(try await ledger.setState(id, to: .collecting, from: [.scheduled], reason: .none, now: 40))
        try await pause()
        #expect(try await ledger.resume(id, atOnce: true, now: 50) == .collecting)
        try await pause()
        try await ledger.finishPlan(id, now: 60)
        #expect(try await ledger.mailing(id)?.state == .paused)
        #expect(try await ledger.resume(id, atOnce: true, now: 70) == .sending)
        #expect(try await ledger.mailing(id)?.started == 40)
    }

    @Test(arguments: Engine.all) func keepsWhoPausedAMailingAndWhy(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        let id = Example.id()
        try await Example.plan(ledger, batches: [1])
        func pause(_ reason: StateReason) async throws -> MailingRecord {
            _ = try await ledger.setState(id, to: .paused, from: [.sending, .paused], reason: reason, now: 5)
            return try #require(try await ledger.mailing(id))
        }
        var record = try await pause(.person("alice@ops1"))
        #expect(record.stateReason == StateReason(kind: .person, actor: "alice@ops1") && record.reason == "paused by alice@ops1")
        record = try await pause(.providerRefused("535 no"))
        #expect(record.stateReason == StateReason(kind: .providerRefused, text: "535 no") && record.reason == "535 no")
        #expect(try await ledger.report(id, now: 9)?.stateReason.kind == .providerRefused)
        #expect(try await ledger.resume(id, atOnce: true, now: 6) == .sending)
        #expect(try await ledger.mailing(id)?.stateReason == StateReason.none)
    }

    @Test(arguments: Engine.all) func notesAMailingThatGetsNoFurtherWithoutItsState(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        let id = Example.id()
        try await Example.plan(ledger, batches: [1])
        #expect(try await !ledger.noteStuck(id, why: nil, now: 4))
        #expect(try await ledger.noteStuck(id, why: "nobody got a result", now: 5))
        #expect(try await !ledger.noteStuck(id, why: "nobody got a result for longer", now: 6))
        var record = try #require(try await ledger.mailing(id))
        #expect(record.state == .sending && record.stuckSince == 5 && record.reason == "stuck: nobody got a result")
        #expect(record.stateReason == StateReason.none)
        #expect(try await ledger.noteStuck(id, why: nil, now: 7))
        record = try #require(try await ledger.mailing(id))
        #expect(record.stuckSince == nil && record.reason.isEmpty)
        // It ends with the state.
        _ = try await ledger.noteStuck(id, why: "nobody got a result", now: 8)
        _ = try await ledger.setState(id, to: .paused, from: [.sending], reason: .person("ann"), now: 9)
        #expect(try await ledger.mailing(id)?.stuckSince == nil)
        #expect(try await !ledger.noteStuck(id, why: "x", now: 8))
    }

    @Test(arguments: Engine.all) func isSentOnlyWhenEveryRecipientIsTerminal(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: [2])
        _ = try await ledger.dispatchBatches([(Example.id(), 1)], now: Example.start)
        _ = try await ledger.write(groups: [resultGroup([sent(0)])], events: [], now: 0)
        #expect(try await !ledger.setState(Example.id(), to: .sent, from: [.sending], reason: .none, now: 1))
        _ = try await ledger.write(groups: [resultGroup(sequence: 1, closing: .done, [failed(1)])], events: [], now: 0)
        #expect(try await ledger.progress(Example.id())?.isComplete == true)
        #expect(try await ledger.setState(Example.id(), to: .sent, from: [.sending], reason: .none, now: 1))
    }

    @Test(arguments: Engine.all) func takesAnOperatorsSpeedInPlaceOfTheMailings(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        var mailing = Example.mailing()
        mailing.speed = "5/s"
        try await Example.plan(ledger, batches: [1], mailing: mailing)
        #expect(try await ledger.mailing(Example.id())?.speed == "5/s")
        try await ledger.setSpeed(Example.id(), "9/s")
        #expect(try await ledger.mailing(Example.id())?.speed == "9/s")
        try await ledger.setSpeed(Example.id(), nil)
        #expect(try await ledger.mailing(Example.id())?.speed == "5/s")
        await #expect(throws: LedgerError.self) { try await ledger.setSpeed(Example.id(7), "1/s") }
    }

    @Test(arguments: Engine.all) func plansAllOrNothingAndGoesOnWhereItStopped(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        let id = Example.id()
        try await ledger.create(
            id, mailing: Example.mailing(), source: nil, origin: "", state: .collecting, now: Example.start)
        try await ledger.noteSource(id, size: 77, modified: 88)
        func batch(_ number: Int) -> PlannedBatch {
            PlannedBatch(number: number, recipients: Example.recipients(batch: number, count: 4))
        }
        let excluded = [
            Exclusion(row: 5, reason: .duplicate, id: "5", address: "a@example.com"),
            Exclusion(
                row: 6, reason: .invalidAddress, id: "6", address: String(repeating: "é", count: 9_000_000),
                detail: "long"),
        ]
        try await ledger.appendPlan(id, batches: [batch(0)], exclusions: excluded, rowsRead: 6)
        // A second planner, or a missing batch: nothing of it is written.
        await #expect(throws: LedgerError.self) {
            try await ledger.appendPlan(id, batches: [batch(1), batch(3)], exclusions: [], rowsRead: 14)
        }
        await #expect(throws: LedgerError.self) {
            try await ledger.appendPlan(id, batches: [batch(0)], exclusions: [], rowsRead: 10)
        }
        var record = try #require(try await ledger.mailing(id))
        #expect(record.rowsRead == 6 && record.nextBatch == 1 && record.plannedCount == 4 && record.excludedCount == 2)
        #expect(record.sourceSize == 77 && record.sourceModified == 88 && !record.planningDone)
        #expect(try await ledger.exclusions(id, after: 0, limit: 1) == [excluded[0]])
        let rest = try await ledger.exclusions(id, after: 5, limit: 9)
        #expect(rest.count == 1 && rest[0].address.utf8.count < 600)
        // A reason that comes up in a second transaction is counted once more, not twice.
        let later = Exclusion(row: 9, reason: .duplicate, id: "9", address: "again@example.com")
        try await ledger.appendPlan(id, batches: [batch(1)], exclusions: [later], rowsRead: 10)
        try await ledger.finishPlan(id, now: 9)
        record = try #require(try await ledger.mailing(id))
        #expect(record.state == .sending && record.planningDone && record.planned == 9)
        await #expect(throws: LedgerError.self) {
            try await ledger.appendPlan(id, batches: [batch(2)], exclusions: [], rowsRead: 14)
        }
        let report = try #require(try await ledger.report(id, now: Example.start))
        #expect(report.excluded == [.duplicate: 2, .invalidAddress: 1] && report.balances)
        #expect(try await ledger.recount(id) == [])
    }

    @Test(arguments: Engine.all) func aPlanThatCannotBeMadeFailsTheMailing(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await ledger.create(
            Example.id(), mailing: Example.mailing(), source: nil, origin: "", state: .collecting, now: Example.start)
        try await ledger.failPlan(Example.id(), reason: "row 3 is not UTF-8", now: 8)
        let record = try #require(try await ledger.mailing(Example.id()))
        #expect(record.state == .failed && record.reason == "row 3 is not UTF-8" && record.finished == 8)
    }
}
