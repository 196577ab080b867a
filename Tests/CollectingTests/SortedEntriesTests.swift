import Broker
import Ledger
import Model
import Testing

@testable import Collecting

@Suite struct SortedEntriesTests {
    private func id(_ number: Int64) -> MailingID {
        var generator = SeededGenerator(seed: 1)
        return MailingID(milliseconds: number, using: &generator)
    }

    @Test func sortsEntriesByWhatTheyHold() {
        let results = ResultGroup(
            Dispatch(batch: BatchID(mailing: id(1), number: 0), dispatchNumber: 1), worker: "w", sequence: 0, closing: .open, results: [])
        let events = EventGroup(mailing: id(1), events: [])
        let letter = DeadLetter(source: .status(1), entry: "1-0", reason: "no id", fields: [])
        let sorted = SortedEntries([.events(events), .results(results)], letters: [letter])
        #expect(sorted.results == [results] && sorted.events == [events])
        #expect(sorted.letters == [letter] && sorted.halts.isEmpty)
    }

    @Test func aMailingIsPausedOnceForTheFirstReason() {
        let sorted = SortedEntries(
            [
                .halt(id(1), MailingHalt(.refusal, "535 no")), .halt(id(2), MailingHalt(.unsendable, "no provider")),
                .halt(id(1), MailingHalt(.refusal, "421 no")),
            ], letters: [])
        #expect(sorted.halts.map(\.request) == [MailingHalt(.refusal, "535 no"), MailingHalt(.unsendable, "no provider")])
        // What a worker cannot send is no provider's refusal, and nobody but a person lets it go on.
        #expect(StateReason(sorted.halts[0].request) == .providerRefused("535 no"))
        #expect(StateReason(sorted.halts[1].request).kind == .unsendable && StateReason(sorted.halts[1].request).needsPerson)
    }
}
