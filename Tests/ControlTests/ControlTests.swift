import Ledger
import Logging
import Model
import Policy
import TestServers
import Testing

@testable import Control

/// Orders on a real ledger, without a Redis.
@Suite struct ControlTests {
    private let folder: TemporaryFolder
    private let ledger: SQLiteLedger
    private let control: Control
    private let ann: OrderActor
    private let id: MailingID

    init() async throws {
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        folder = try TemporaryFolder()
        ledger = try SQLiteLedger.open(folder.path("ledger.sqlite"), logger: quiet)
        control = Control(ledger: ledger, broker: nil, logger: quiet, clocks: Clocks.system.with { 1000 })
        ann = try OrderActor("ann")
        var generator = SeededGenerator(seed: 1)
        id = MailingID(milliseconds: 1, using: &generator)
        try await ledger.create(
            id, mailing: Mailing(name: "x", channel: .email, provider: "p"), source: nil, origin: "", state: .scheduled, now: 1)
    }

    private func plan(_ count: Int) async throws {
        var recipients = Recipients(width: 2)
        for index in 0..<count { recipients.append(row: ["\(index)", "p\(index)@example.com"]) }
        try await ledger.appendPlan(id, batches: [PlannedBatch(number: 0, recipients: recipients)], exclusions: [], rowsRead: count)
        try await ledger.finishPlan(id, now: 2)
    }

    private func orders() async throws -> [String] {
        try await ledger.audit(AuditFilter(), limit: 99).reversed().map { "\($0.actor) \($0.order) \($0.object)" }
    }

    @Test func eachOrderIsCarriedOutAndAudited() async throws {
        _ = try await control.carryOut(PauseMailing(id, reason: "a typo"), by: ann)
        #expect(try await ledger.mailing(id)?.reason == "paused by ann: a typo")
        #expect(try await control.carryOut(ResumeMailing(id), by: OrderActor("bob")).state == .scheduled)
        _ = try await control.carryOut(SetSpeed(id, RateLimit("5/s")), by: ann)
        #expect(try await ledger.mailing(id)?.speed == "5/s")
        #expect(try await control.carryOut(SetLimit(.channel(.sms), nil), by: ann).before == nil)
        #expect(try await control.carryOut(ClearLimit(.known(.channel(.sms))), by: ann).before.text == RateLimit.none)
        try await plan(3)
        let stopped = try await control.carryOut(StopMailing(id), by: ann)
        #expect(stopped.progress[.stopped] == 3 && stopped.progress.open == 0 && stopped.record.state == .sending)
        #expect(
            try await orders() == [
                "ann pause mailing:\(id)", "bob resume mailing:\(id)", "ann speed mailing:\(id)", "ann limit channel:sms",
                "ann limit channel:sms", "ann stop mailing:\(id)",
            ])
    }

    @Test func anOrderThatDoesNotFitChangesNothing() async throws {
        await #expect(throws: OrderError.refused("mailing \(id) is scheduled, not paused")) {
            try await control.carryOut(ResumeMailing(id), by: ann)
        }
        await #expect(throws: OrderError.self) { try await control.carryOut(ClearLimit(.known(.channel(.sms))), by: ann) }
        await #expect(throws: OrderError.self) { try await control.carryOut(ResolveUncertain(id, recipients: [""], as: .sent), by: ann) }
        _ = try await control.carryOut(StopMailing(id), by: ann)
        await #expect(throws: OrderError.self) { try await control.carryOut(StopMailing(id), by: ann) }
        await #expect(throws: OrderError.self) { try await control.carryOut(PauseMailing(id), by: ann) }
        await #expect(throws: OrderError.self) { try await control.carryOut(SetSpeed(id, nil), by: ann) }
        var generator = SeededGenerator(seed: 2)
        let unknown = MailingID(milliseconds: 2, using: &generator)
        await #expect(throws: OrderError.self) { try await control.carryOut(PauseMailing(unknown), by: ann) }
        #expect(try await orders() == ["ann stop mailing:\(id)"])
    }

    @Test func whoFailedIsSentToAgainByAnOrder() async throws {
        try await plan(2)
        _ = try await ledger.dispatchBatches([(id, 1)], now: 3)
        let full = ProviderResponse(.full, .fail, about: .recipient, stage: .rcpt, code: 452, text: "4.2.2 full")
        let results = (0..<2).map { RecipientResult(index: $0, state: .failed, attempts: 1, at: 4, response: full) }
        let dispatch = Dispatch(batch: BatchID(mailing: id, number: 0), dispatchNumber: 1)
        let group = ResultGroup(dispatch, worker: "w", sequence: 0, closing: .done, groups: 1, results: results)
        _ = try await ledger.write(groups: [group], events: [], now: 5)
        let none = RetryFailed(id, RetryFilter(reasons: [.greylisted]))
        let nobody = try await control.carryOut(none, by: ann)
        #expect(none.obstacle(nobody) != nil && nobody.selection.count == 0)
        let wrong = [
            RetryFilter(), RetryFilter(reasons: [.accepted]), RetryFilter(codes: [5]), RetryFilter(codes: [452], since: 2, until: 1),
        ]
        for filter in wrong {
            await #expect(throws: OrderError.self) { try await control.carryOut(RetryFailed(id, filter), by: ann) }
        }
        let order = RetryFailed(id, RetryFilter(reasons: [.full], codes: [452]))
        let done = try await control.carryOut(order, by: ann)
        #expect(done.selection.count == 2 && done.selection.round == 2 && order.obstacle(done) == nil)
        #expect(try await orders() == ["ann retry_failed mailing:\(id)"])
    }

    @Test func aLimitThatIsSoAlreadyIsSaidToBeSo() async throws {
        let own = try await control.carryOut(SetSpeed(id, nil), by: ann)
        #expect(!own.isChanged && own.speed == nil && SetSpeed(id, nil).obstacle(own) == .unchanged("the limit is so already"))
        #expect(try await control.carryOut(SetSpeed(id, RateLimit("5/s")), by: ann).isChanged)
        #expect(try await control.carryOut(SetSpeed(id, RateLimit("5/s")), by: ann).isChanged == false)
        let restored = try await control.carryOut(SetSpeed(id, nil), by: ann)
        #expect(restored.isChanged && restored.speed == nil)
        #expect(try await orders() == ["ann speed mailing:\(id)", "ann speed mailing:\(id)"])
    }

    @Test func itIsSaidWhoCarriesAnOrderOut() async throws {
        // Nothing is with a worker: the ledger alone is enough.
        try await plan(2)
        #expect(try await control.carryOut(PauseMailing(id), by: ann).unreported == nil)
        #expect(try await control.carryOut(ResumeMailing(id), by: ann).reach.planner == nil)
        _ = try await ledger.dispatchBatches([(id, 1)], now: 3)
        let paused = try await control.carryOut(PauseMailing(id), by: ann)
        #expect(paused.planner == nil && paused.unreported?.contains("no Redis is named") == true)
        _ = try await ledger.acquireLeadership(Leadership.planning, holder: "p1", for: .seconds(60), isHolderGone: false)
        let resumed = try await control.carryOut(ResumeMailing(id), by: ann).reach
        #expect(resumed.planner == "p1")
        // It has not renewed its leadership since.
        let later = OrderAnnouncer(ledger: ledger, broker: nil, clocks: Clocks.system.with { Clock.milliseconds() + 60_000 })
        let reach = await later.announce(id)
        #expect(reach.planner == nil && reach.unreported != nil)
    }

    @Test(arguments: ["", "  \n", "a\u{1b}[2J", String(repeating: "x", count: 101), "a\u{202e}b"])
    func anActorHasAName(_ name: String) { #expect(throws: OrderError.self) { try OrderActor(name) } }

    @Test func aUserWithoutANameIsANumber() throws {
        #expect(OrderActor(user: "", number: 7).description == "uid7" && OrderActor(user: "ann", number: 7).description == "ann")
        #expect(try OrderActor("Zoë, on call").description == "Zoë, on call")
    }

    @Test func sendDecidesByWhatTheLedgerHas() async throws {
        var earlier = EarlierMailings()
        #expect(SendDecision(earlier, .refuse) == .new)
        earlier.sent = [.init(id: id, state: .sent, started: 1, reached: 5)]
        #expect(SendDecision(earlier, .refuse) == .sentBefore(earlier))
        #expect(SendDecision(earlier, .again) == .new && SendDecision(earlier, .onlyNew) == .new)
        earlier.unfinished = try await ledger.mailing(id)
        let record = try #require(earlier.unfinished)
        for policy in [RepeatPolicy.refuse, .again, .onlyNew] { #expect(SendDecision(earlier, policy) == .goOn(record)) }
        func pause(_ reason: StateReason) async throws -> SendDecision {
            _ = try await ledger.setState(id, to: .paused, from: [.scheduled, .paused], reason: reason, now: 5)
            earlier.unfinished = try await ledger.mailing(id)
            return SendDecision(earlier, .refuse)
        }
        // A person's pause is a person's to lift, and so is one that keeps people from getting it twice; what the provider refused may be
        // mended.
        for kind in StateReason.Kind.allCases {
            let isWaiting = if case .waits = try await pause(StateReason(kind: kind, actor: "ann", text: "why")) { true } else { false }
            #expect(isWaiting == ![.providerRefused, .input, .nobody].contains(kind), "\(kind)")
        }
    }
}
