import Ledger
import Model
import TestServers
import Testing

@Suite struct LeadershipConformanceTests {
    let id = Example.id()
    let now = Example.start

    @Test(arguments: Engine.all) func oneHolderAtATimeWithARisingFence(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        func take(_ holder: String, for lease: Duration = .seconds(600), isGone: Bool = false) async throws -> Int64? {
            try await ledger.acquireLeadership("planning", holder: holder, for: lease, isHolderGone: isGone)
        }
        #expect(try await ledger.leader("planning") == nil)
        let before = Clock.milliseconds()
        #expect(try await take("a") == 1)
        #expect(try await take("b") == nil)
        let found = try #require(try await ledger.leader("planning"))
        #expect(found.holder == "a" && found.fencingToken == 1)
        #expect((before + 599_000...Clock.milliseconds() + 601_000).contains(found.until))
        // Other duties are others' business.
        #expect(try await ledger.acquireLeadership("other", holder: "b", for: .zero, isHolderGone: false) == 1)
        #expect(try await ledger.renewLeadership("planning", fencingToken: 1, for: .seconds(600)))
        #expect(try await take("b") == nil)
        // It expires.
        #expect(try await ledger.renewLeadership("planning", fencingToken: 1, for: .zero))
        #expect(try await take("b") == 2)
        #expect(try await !ledger.renewLeadership("planning", fencingToken: 1, for: .seconds(600)))
        #expect(try await take("b") == 3)
        #expect(try await take("c", isGone: true) == 4)
        #expect(try await ledger.leader("planning")?.holder == "c")
    }

    @Test(arguments: Engine.all) func aDutyGivenBackIsFreeAtOnceAndItsFenceDoesNotComeAgain(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        let fencingToken = try #require(
            try await ledger.acquireLeadership("planning", holder: "a", for: .seconds(600), isHolderGone: false))
        try await ledger.releaseLeadership("planning", fencingToken: fencingToken + 1)
        #expect(try await ledger.leader("planning")?.fencingToken == fencingToken)
        try await ledger.releaseLeadership("planning", fencingToken: fencingToken)
        #expect(try await ledger.leader("planning") == nil)
        #expect(try await !ledger.renewLeadership("planning", fencingToken: fencingToken, for: .seconds(600)))
        #expect(
            try await ledger.acquireLeadership("planning", holder: "b", for: .seconds(600), isHolderGone: false) == fencingToken + 1)
        #expect(try await ledger.renewLeadership("planning", fencingToken: fencingToken + 1, for: .seconds(600)))
    }

    @Test(arguments: Engine.all) func ofManyThatTryOneGetsIt(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        let won = try await withThrowingTaskGroup(of: Int64?.self) { group in
            for number in 0..<20 {
                group.addTask {
                    try await ledger.acquireLeadership("planning", holder: "h\(number)", for: .seconds(600), isHolderGone: false)
                }
            }
            return try await group.reduce(into: [Int64]()) { if let fencingToken = $1 { $0.append(fencingToken) } }
        }
        #expect(won == [1])
    }

    @Test(arguments: Engine.all) func whoLostTheDutyPlansAndFeedsNothing(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        let (old, new) = (ledger, try await engine.open(folder))
        try await Example.plan(ledger, batches: [1, 1])
        try await ledger.create(
            Example.id(1), mailing: Example.mailing(), source: nil, origin: "", state: .collecting, now: now)
        let fencingToken = try await old.acquireLeadership("planning", holder: "old", for: .seconds(600), isHolderGone: false)
        old.guardPlanning(fencingToken: fencingToken)
        #expect(try await old.dispatchBatches([(id, 1)], now: now).count == 1)
        #expect(try await new.acquireLeadership("planning", holder: "new", for: .seconds(600), isHolderGone: true) == 2)
        new.guardPlanning(fencingToken: 2)
        let batch = PlannedBatch(number: 0, recipients: Example.recipients(batch: 0, count: 1))
        let refused: [@Sendable () async throws -> Void] = [
            { try await old.noteSource(Example.id(1), size: 1, modified: 1) },
            { try await old.appendPlan(Example.id(1), batches: [batch], exclusions: [], rowsRead: 1) },
            { try await old.finishPlan(Example.id(1), now: 1) },
            { try await old.failPlan(Example.id(1), reason: "", now: 1) },
            { _ = try await old.dispatchBatches([(Example.id(), 1)], now: Example.start) },
            {
                let dispatch = Dispatch(batch: BatchID(mailing: Example.id(), number: 0), dispatchNumber: 1)
                _ = try await old.giveUp([dispatch], why: "", now: 1)
            },
        ]
        for write in refused {
            let error = await #expect(throws: LedgerError.self) { try await write() }
            guard case .leadershipLost = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
        #expect("\(LedgerError.leadershipLost(path: "/l"))".contains("leads the planning"))
        #expect(try await new.mailing(Example.id(1))?.nextBatch == 0)
        #expect(try await new.openDispatches(of: [id])[id, default: []].map(\.number) == [0])
        // Results, states and what operators do are not the planner's.
        _ = try await old.write(groups: [resultGroup(closing: .done, [sent(0)])], events: [], now: now)
        #expect(try await old.setState(id, to: .stopped, from: [.sending], reason: .none, now: now))
        #expect(try await old.stopOpen(id, now: now) == 1)
        try await new.appendPlan(Example.id(1), batches: [batch], exclusions: [], rowsRead: 1)
        // A leadership that was given back is nobody's.
        try await new.releaseLeadership("planning", fencingToken: 2)
        await #expect(throws: LedgerError.self) { try await new.finishPlan(Example.id(1), now: 1) }
        new.guardPlanning(fencingToken: nil)
        try await new.finishPlan(Example.id(1), now: 1)
        #expect(try await new.recount(Example.id(1)) == [])
    }
}
