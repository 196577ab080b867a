import Ledger
import Model
import Testing

@Suite struct DutyConformanceTests {
    let id = Example.id()
    let now = Example.start

    @Test(arguments: Engine.all) func oneHolderAtATimeWithARisingFence(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        func take(_ holder: String, at time: Int64, isGone: Bool = false) async throws -> Int64? {
            try await ledger.takeDuty("planning", holder: holder, until: time + 10, now: time, isHolderGone: isGone)
        }
        #expect(try await ledger.dutyHolder("planning") == nil)
        #expect(try await take("a", at: now) == 1)
        #expect(try await take("b", at: now + 9) == nil)
        let found = try #require(try await ledger.dutyHolder("planning"))
        #expect(found.holder == "a" && found.fence == 1 && found.until == now + 10)
        // Other duties are others' business.
        #expect(try await ledger.takeDuty("other", holder: "b", until: 9, now: 1, isHolderGone: false) == 1)
        #expect(try await ledger.renewDuty("planning", fence: 1, until: now + 20))
        #expect(try await take("b", at: now + 19) == nil)
        #expect(try await take("b", at: now + 20) == 2)
        #expect(try await !ledger.renewDuty("planning", fence: 1, until: now + 99))
        #expect(try await take("b", at: now + 21) == 3)
        #expect(try await take("c", at: now + 22, isGone: true) == 4)
        #expect(try await ledger.dutyHolder("planning")?.holder == "c")
    }

    @Test(arguments: Engine.all) func aDutyGivenBackIsFreeAtOnceAndItsFenceDoesNotComeAgain(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        let fence = try #require(
            try await ledger.takeDuty("planning", holder: "a", until: now + 10, now: now, isHolderGone: false))
        try await ledger.releaseDuty("planning", fence: fence + 1)
        #expect(try await ledger.dutyHolder("planning")?.fence == fence)
        try await ledger.releaseDuty("planning", fence: fence)
        #expect(try await ledger.dutyHolder("planning") == nil)
        #expect(try await !ledger.renewDuty("planning", fence: fence, until: now + 99))
        #expect(
            try await ledger.takeDuty("planning", holder: "b", until: now + 10, now: now, isHolderGone: false) == fence + 1)
        #expect(try await ledger.renewDuty("planning", fence: fence + 1, until: now + 99))
    }

    @Test(arguments: Engine.all) func ofManyThatTryOneGetsIt(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        let won = try await withThrowingTaskGroup(of: Int64?.self) { group in
            for number in 0..<20 {
                group.addTask {
                    try await ledger.takeDuty("planning", holder: "h\(number)", until: 10, now: 1, isHolderGone: false)
                }
            }
            return try await group.reduce(into: [Int64]()) { if let fence = $1 { $0.append(fence) } }
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
        let fence = try await old.takeDuty("planning", holder: "old", until: now, now: now, isHolderGone: false)
        old.guardPlanning(fence: fence)
        #expect(try await old.takeBatches(id, limit: 1, now: now).count == 1)
        #expect(try await new.takeDuty("planning", holder: "new", until: now + 9, now: now, isHolderGone: false) == 2)
        new.guardPlanning(fence: 2)
        let batch = PlannedBatch(number: 0, recipients: Example.recipients(batch: 0, count: 1))
        let refused: [@Sendable () async throws -> Void] = [
            { try await old.noteSource(Example.id(1), size: 1, modified: 1) },
            { try await old.appendPlan(Example.id(1), batches: [batch], exclusions: [], rowsRead: 1) },
            { try await old.finishPlan(Example.id(1), now: 1) },
            { try await old.failPlan(Example.id(1), reason: "", now: 1) },
            { _ = try await old.takeBatches(Example.id(), limit: 1, now: Example.start) },
            {
                _ = try await old.giveUp(
                    BatchID(mailing: Example.id(), number: 0), generation: 1, uncertain: .hold, why: "", now: 1)
            },
        ]
        for write in refused {
            let error = await #expect(throws: LedgerError.self) { try await write() }
            guard case .dutyLost = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
        #expect("\(LedgerError.dutyLost(path: "/l"))".contains("taken over"))
        #expect(try await new.mailing(Example.id(1))?.nextBatch == 0)
        #expect(try await new.fedBatches(id).map(\.number) == [0])
        // Results, states and what operators do are not the planner's.
        _ = try await old.write(groups: [resultGroup(closing: .done, [sent(0)])], events: [], now: now)
        #expect(try await old.setState(id, to: .stopped, from: [.sending], reason: "", now: now))
        #expect(try await old.stopOpen(id, now: now) == 1)
        try await new.appendPlan(Example.id(1), batches: [batch], exclusions: [], rowsRead: 1)
        // A duty that was given back is nobody's.
        try await new.releaseDuty("planning", fence: 2)
        await #expect(throws: LedgerError.self) { try await new.finishPlan(Example.id(1), now: 1) }
        new.guardPlanning(fence: nil)
        try await new.finishPlan(Example.id(1), now: 1)
        #expect(try await new.audit(Example.id(1)) == [])
    }
}
