import Model
import Testing

@testable import Planning

@Suite struct OrphanWatchTests {
    private let dispatch: Dispatch
    private let other: Dispatch

    init() {
        var generator = SeededGenerator(seed: 1)
        let id = MailingID(milliseconds: 1, using: &generator)
        dispatch = Dispatch(batch: BatchID(mailing: id, number: 0), dispatchNumber: 2)
        other = Dispatch(batch: BatchID(mailing: id, number: 1), dispatchNumber: 1)
    }

    @Test func whatIsInNoLaneAndNotCollectedInTimeIsGivenUp() {
        var watch = OrphanWatch()
        #expect(watch.look(open: [dispatch, other], inside: [other], oldest: [nil], now: 100_000).isEmpty)
        #expect(watch.look(open: [dispatch, other], inside: [other], oldest: [nil], now: 105_000).isEmpty)
        #expect(watch.look(open: [dispatch, other], inside: [other], oldest: [nil], now: 110_000) == [dispatch])
        // Once.
        #expect(watch.look(open: [other], inside: [other], oldest: [nil], now: 111_000).isEmpty)
    }

    @Test func whileOlderResultsWaitNothingIsGivenUp() {
        var watch = OrphanWatch()
        _ = watch.look(open: [dispatch], inside: [], oldest: [], now: 100_000)
        #expect(watch.look(open: [dispatch], inside: [], oldest: [nil, 100_000], now: 200_000).isEmpty)
        #expect(watch.look(open: [dispatch], inside: [], oldest: [100_001, nil], now: 200_000) == [dispatch])
    }

    @Test func whatWasSeenInALaneSinceBeginsAnew() {
        var watch = OrphanWatch()
        _ = watch.look(open: [dispatch], inside: [], oldest: [], now: 100_000)
        _ = watch.look(open: [dispatch], inside: [dispatch], oldest: [], now: 105_000)
        #expect(watch.look(open: [dispatch], inside: [], oldest: [], now: 110_000).isEmpty)
    }
}
