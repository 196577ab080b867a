import Broker
import Model
import Testing

@testable import Collecting

@Suite struct HarvestTests {
    private func id(_ number: Int64) -> MailingID {
        var generator = SeededGenerator(seed: 1)
        return MailingID(milliseconds: number, using: &generator)
    }

    @Test func sortsEntriesByWhatTheyHold() {
        let results = ResultGroup(
            batch: BatchID(mailing: id(1), number: 0), dispatchNumber: 1, worker: "w", sequence: 0, closing: .open, results: [])
        let events = EventGroup(mailing: id(1), events: [])
        let harvest = Harvest([.unreadable("no id"), .events(events), .results(results), .unreadable("no kind")])
        #expect(harvest.results == [results] && harvest.events == [events])
        #expect(harvest.unreadable == ["no id", "no kind"] && harvest.halts.isEmpty)
    }

    @Test func aMailingIsPausedOnceForTheFirstReason() {
        let harvest = Harvest([
            .halt(id(1), reason: "535 no"), .halt(id(2), reason: "550 no"), .halt(id(1), reason: "421 no"),
        ])
        #expect(harvest.halts.map(\.reason) == ["535 no", "550 no"])
    }
}
