import Ledger
import Model
import TestServers
import Testing

@Suite struct EpochNoteTests {
    let id = Example.id()
    let now = Example.start
    /// The ledger is refused where its file is not.
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test(arguments: Engine.all) func theLastNoteHolds(engine: Engine) async throws {
        let ledger = try await engine.open(folder)
        #expect(try await ledger.epochNote() == nil)
        for note in [
            EpochNote(epoch: "run:l:1", boot: "b", workers: ["a", "b"]), EpochNote(epoch: "run:l:1", boot: "b", workers: ["b", "c"]),
            EpochNote(epoch: "run:l:2", boot: ""),
        ] {
            try await ledger.setEpochNote(note)
            #expect(try await ledger.epochNote() == note)
        }
        try await ledger.setEpochNote(nil)
        #expect(try await ledger.epochNote() == nil)
    }

    @Test(arguments: Engine.all) func whoLeadsNoMoreNotesNothing(engine: Engine) async throws {
        let ledger = try await engine.open(folder)
        let token = try await ledger.acquireLeadership("planning", holder: "a", for: .seconds(600), isHolderGone: false)
        ledger.guardPlanning(fencingToken: token)
        try await ledger.setEpochNote(EpochNote(epoch: "run:l:1", boot: "b"))
        _ = try await ledger.acquireLeadership("planning", holder: "b", for: .seconds(600), isHolderGone: true)
        await #expect(throws: LedgerError.self) { try await ledger.setEpochNote(EpochNote(epoch: "run:l:2", boot: "b")) }
        #expect(try await ledger.epochNote()?.epoch == "run:l:1")
    }

    /// Of a lost dispatch only those are uncertain whose messages were started.
    @Test(arguments: Engine.all, [Mailing.UncertainPolicy.hold, .redeliver])
    func whoWasCertainlyNotStartedIsNotListed(engine: Engine, policy: Mailing.UncertainPolicy) async throws {
        let ledger = try await engine.open(folder)
        var mailing = Example.mailing()
        mailing.uncertain = policy
        try await Example.plan(ledger, id, batches: [4, 4], mailing: mailing)
        let taken = try await ledger.dispatchBatches([(id, 2)], now: now)
        let dispatches = taken.map { Dispatch(batch: $0.id, dispatchNumber: 1) }
        let lost = try await ledger.giveUp(dispatches, why: "in flight", started: [dispatches[0]: [1, 3]], now: now)
        #expect(lost == (2, 2))
        #expect(try await ledger.uncertain(id, onlyHeld: false, after: nil, limit: 9).map { "\($0.batch) \($0.index)" } == ["0 1", "0 3"])
        let again = try await ledger.dispatchBatches([(id, 2)], now: now)
        #expect(again.map { $0.open?.map(\.index) ?? [0, 1, 2, 3] } == [policy == .hold ? [0, 2] : [0, 1, 2, 3], [0, 1, 2, 3]])
        #expect(try await ledger.recount(id) == [])
    }
}
