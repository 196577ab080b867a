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
        let letter = DeadLetter(source: .status(1), entry: "1-0", reason: "no id", fields: [])
        let harvest = Harvest([.events(events), .results(results)], letters: [letter])
        #expect(harvest.results == [results] && harvest.events == [events])
        #expect(harvest.letters == [letter] && harvest.halts.isEmpty)
    }

    @Test func aMailingIsPausedOnceForTheFirstReason() {
        let harvest = Harvest(
            [
                .halt(id(1), reason: "535 no"), .halt(id(2), reason: "550 no"), .halt(id(1), reason: "421 no"),
            ], letters: [])
        #expect(harvest.halts.map(\.reason) == ["535 no", "550 no"])
    }
}
