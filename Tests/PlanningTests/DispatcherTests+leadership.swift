import Ledger
import Model
import Testing

@testable import Broker
@testable import Planning

/// Several dispatchers, and several ledgers, on one Redis.
extension DispatcherTests {
    @Test func aDispatcherThatWasReplacedDispatchesNothing() async throws {
        let later = FencingToken(ledger: "ledger", number: 2)
        #expect(try await EpochStore(broker).hold(later, time: .seconds(250)).leadership == .held)
        try await plan(2)
        let manager = EpochManager(broker: broker, notes: ledger, fencingToken: token, lease: .seconds(10), isAlone: true, clocks: .system)
        guard case .deposed = try await manager.look() else {
            Issue.record("it leads")
            return
        }
        let foreign = EpochManager(
            broker: broker, notes: ledger, fencingToken: FencingToken(ledger: "x", number: 9), lease: .seconds(10), isAlone: true,
            clocks: .system)
        guard case .foreign = try await foreign.look() else {
            Issue.record("two ledgers")
            return
        }
        await manager.close()
        await foreign.close()
    }

    /// Its planner may be started again, its workers are at work, and its results wait for its collector.
    @Test func theWorkOfAnotherLedgerIsLeftAloneThoughNobodyLeads() async throws {
        try await plan(4)
        try await dispatching(window: 1) { _ = try await takeAll(1) }
        let manager = EpochManager(
            broker: broker, notes: ledger, fencingToken: FencingToken(ledger: "x", number: 9), lease: .seconds(10), isAlone: false,
            clocks: .system)
        try await EpochStore(broker).release(token)
        guard case .foreign = try await manager.look() else {
            Issue.record("it takes what is another's")
            return
        }
        await manager.close()
    }
}
