import Model
import TestServers
import Testing

@testable import Loadtest

/// The verdict on records that were made up: what was lost, doubled and how fast it came is told from them alone.
@Suite struct VerdictTests {
    private static let origin: Int64 = 1_000_000_000
    private static let id = "a40jc2d6mw0jj"

    /// A line of a record: `at` in seconds from the start.
    private func line(_ place: String, at: Double = 1, accepted: Bool = true, mailing: String = VerdictTests.id) -> String {
        let time = Self.origin + Int64(at * 1e6)
        let code = accepted ? 250 : 450
        let identifier = "\(mailing).\(place)@mail.example.com"
        return "\(time)\t\(time + 500)\temail\tsomebody@example.com\t\(mailing)\t\(identifier)\t\(code)\t"
            + "\(accepted ? 1 : 0)\tresponse\t2048\tq1\t3\n"
    }

    private func arrivals(_ records: [String]) throws -> Arrivals {
        let folder = try TemporaryFolder()
        var arrivals = Arrivals(origin: Self.origin)
        for (index, text) in records.enumerated() {
            var tail = RecordTail(path: try folder.write(text, to: "\(index).tsv"), sink: "sink\(index)")
            try tail.read(into: &arrivals)
        }
        return arrivals
    }

    private func facts(_ states: [Int: String], recipients: Int? = nil, listed: [MailingFacts.Position] = []) -> MailingFacts {
        var facts = MailingFacts(
            plan: "news", name: "news", id: Self.id, channel: .email, recipients: recipients ?? states.values.reduce(0) { $0 + $1.count })
        facts.state = .sent
        facts.states = states.mapValues { Array($0.utf8) }
        facts.listed = Set(listed)
        return facts
    }

    private func deliveryCounts(_ records: [String], _ facts: MailingFacts) throws -> DeliveryCounts {
        DeliveryCounts(facts, try arrivals(records).mailings[Self.id])
    }

    @Test func everybodyOnceIsNeitherLostNorDoubled() throws {
        let deliveryCounts = try deliveryCounts([line("1.0") + line("1.1"), line("2.0")], facts([1: "ss", 2: "s"]))
        #expect(deliveryCounts.arrived == 3 && deliveryCounts.twice == 0 && deliveryCounts.missing == 0 && deliveryCounts.open == 0)
    }

    @Test func whoIsSaidToHaveItAndIsNotInTheRecordIsMissing() throws {
        let deliveryCounts = try deliveryCounts([line("1.0") + line("1.1", accepted: false)], facts([1: "ssf"]))
        #expect(deliveryCounts.missing == 1)
        #expect(deliveryCounts.failed == 1)
        #expect(deliveryCounts.arrived == 1)
    }

    @Test func whoIsNotEvenInTheLedgerIsMissing() throws {
        #expect(try deliveryCounts([line("1.0")], facts([1: "s"], recipients: 3)).missing == 2)
    }

    /// A fleet that calls a mailing finished with people left over has lost them, whatever its ledger says of them.
    @Test(arguments: ["p", "d", "x"]) func whoIsLeftOverInAnEndedMailingIsMissing(state: String) throws {
        let ended = facts([1: "s" + state])
        let deliveryCounts = try deliveryCounts([line("1.0")], ended)
        #expect(deliveryCounts.missing == 1 && deliveryCounts.open == 0)
        #expect(try self.deliveryCounts([line("1.0") + line("1.1")], ended).missing == 0)
        var going = ended
        going.state = .sending
        #expect(try self.deliveryCounts([line("1.0")], going).missing == 0)
        #expect(try self.deliveryCounts([line("1.0")], going).open == 1)
    }

    @Test func messagesToNobodyInTheLedgerAreCounted() throws {
        #expect(try deliveryCounts([line("1.0") + line("1.5") + line("7.0")], facts([1: "s"])).strangers == 2)
    }

    @Test func aMessageTakenTwiceIsOneTooManyUnlessItsRecipientIsOnTheList() throws {
        let record = line("1.0") + line("1.0", at: 2) + line("1.1") + line("1.1", at: 2)
        let deliveryCounts = try deliveryCounts([record], facts([1: "ss"], listed: [.init(batch: 1, index: 1)]))
        #expect(deliveryCounts.twice == 1)
        #expect(deliveryCounts.listedTwice == 1)
        #expect(deliveryCounts.arrived == 2)
        #expect(deliveryCounts.uncertain == 1)
    }

    @Test func onceAtEachOfTwoSinksIsTwice() throws {
        #expect(try deliveryCounts([line("1.0"), line("1.0")], facts([1: "s"])).twice == 1)
    }

    @Test func refusalsAndRetriesAreNoDuplicates() throws {
        let record = line("1.0", accepted: false) + line("1.0", at: 2)
        #expect(try deliveryCounts([record], facts([1: "s"])).twice == 0)
    }

    @Test func whoFailedAndHasItAllTheSameIsTold() throws {
        #expect(try deliveryCounts([line("1.0")], facts([1: "f"])).failedArrived == 1)
    }

    @Test func othersMessagesAndBrokenLinesAreSkippedAndCounted() throws {
        let folder = try TemporaryFolder()
        let text = line("1.0") + "half a line\n" + line("1.1", mailing: "somebody's own") + "1\t2\temail"
        var tail = RecordTail(path: try folder.write(text, to: "record.tsv"), sink: "relay")
        var arrivals = Arrivals(origin: Self.origin)
        try tail.read(into: &arrivals)
        #expect(arrivals.taken.total == 2)
        #expect(arrivals.mailings[Self.id]?.taken.total == 1)
        #expect(tail.broken == 1 && tail.hasRest)
    }

    @Test func aRecordIsFollowedWhileItIsWritten() throws {
        let folder = try TemporaryFolder()
        let whole = line("1.0") + line("1.1")
        let path = try folder.write(String(whole.prefix(60)), to: "record.tsv")
        var tail = RecordTail(path: path, sink: "relay")
        var arrivals = Arrivals(origin: Self.origin)
        try tail.read(into: &arrivals)
        #expect(arrivals.taken.total == 0)
        _ = try folder.write(whole, to: "record.tsv")
        try tail.read(into: &arrivals)
        #expect(arrivals.taken.total == 2 && !tail.hasRest)
    }

    @Test func theRateIsThatOfTheMiddle() throws {
        // A hundred a second for ten seconds, after one early message and before a late one.
        let steady = (0..<1_000).map { line("1.\($0)", at: 20 + Double($0) / 100) }.joined()
        let arrivals = try arrivals([line("2.0", at: 1) + steady + line("2.1", at: 300)])
        #expect(abs(arrivals.taken.middleRate - 100) < 2)
        #expect(abs(arrivals.begun.peak - 100) <= 1)
        #expect(arrivals.taken.inSecond(25) == 100)
    }

    @Test func nothingHasNoRate() { #expect(Timeline().middleRate == 0 && Timeline().peak == 0) }
}
