import Model
import Policy
import Testing

@Suite struct DomainWatchTests {
    private static let bursts = BurstThresholds()

    private func visit(_ recipient: Int, link: UInt16 = 1, mailing: UInt32 = 7, at time: Int64) throws -> LinkVisit {
        let event = TrackedEvent(
            .click, mailing: mailing, batch: UInt32(recipient >> 8), index: UInt32(recipient & 0xff), link: link, time: time)
        return try #require(LinkVisit(event))
    }

    @Test func whatEnoughRecipientsFollowAtOnceIsNamed() throws {
        var watch = DomainWatch(Self.bursts)
        let four = try (0..<4).map { try visit($0, at: Int64($0) * 100) }
        #expect(watch.add(four, at: 0).isEmpty)
        // The same recipient again, another link, another mailing, and one that is late.
        #expect(watch.add([try visit(0, at: 500), try visit(9, link: 2, at: 500), try visit(9, mailing: 8, at: 500)], at: 1).isEmpty)
        #expect(watch.add([try visit(9, at: 2400)], at: 2).isEmpty)
        let last = try visit(8, at: 2000)
        let found = try #require(watch.add([last], at: 3)[7])
        #expect(Set(found).isSuperset(of: four + [last]) && found.allSatisfy { $0.link == 1 })
        // Until the ledger has them they are named again.
        for _ in 0..<2 { #expect(watch.unmarked([last, four[0], last]) == [last, four[0]]) }
        watch.noteMarked([last, four[0]])
        #expect(watch.unmarked([last, four[1]]) == [four[1]])
    }

    @Test func whatWasForgottenIsNotRememberedAsMarked() throws {
        var watch = DomainWatch(Self.bursts)
        let old = try visit(0, at: 0)
        _ = watch.add([old], at: 0)
        _ = watch.add([try visit(1, at: 1_000_000)], at: 1_000_000)
        watch.noteMarked([old])
        #expect(watch.unmarked([old]) == [old])
    }

    @Test func onlyClicksByOtherWaysThanAPostCount() {
        #expect(LinkVisit(TrackedEvent(.open, mailing: 1, batch: 1, index: 1, time: 1)) == nil)
        #expect(LinkVisit(TrackedEvent(.click, by: .post, mailing: 1, batch: 1, index: 1, time: 1)) == nil)
        #expect(LinkVisit(TrackedEvent(.click, by: .head, mailing: 1, batch: 1, index: 1, time: 1)) != nil)
    }

    @Test func memoryIsBoundedAndOldVisitsAreForgotten() throws {
        var watch = DomainWatch(Self.bursts)
        var generator = SeededGenerator(seed: 1)
        for round in 0..<600 {
            let visits = try (0..<200).map { _ in
                try visit(
                    .random(in: 0..<60_000, using: &generator), link: .random(in: 0..<400, using: &generator), at: Int64(round) * 10)
            }
            _ = watch.add(visits, at: Int64(round) * 10)
            #expect(watch.count <= DomainWatch.most)
        }
        for link in 0..<400 as Range<UInt16> { _ = watch.add([try visit(3, link: link, at: 7)], at: 1_000_000) }
        #expect(watch.count == 400)
        // Times from anywhere are no trouble.
        for time in [Int64.max, 0, -1] { _ = watch.add([try visit(4, at: time)], at: 1_000_000) }
        #expect(watch.count == 403)
    }
}

@Suite struct DomainBurstTests {
    private let classifier = EventClassifier()

    private func visits(_ recipients: Range<Int>, domain: Int = 1, link: UInt16 = 0, from start: Int64 = 0, apart: Int64 = 100)
        -> [DomainVisit]
    {
        recipients.map { DomainVisit(domain: domain, recipient: $0, link: link, time: start + Int64($0 - recipients.lowerBound) * apart) }
    }

    @Test func manyOfOneDomainAtOnceAreAMachine() {
        #expect(classifier.machines(visits(0..<5), recipients: [1: 20]) == Array(repeating: true, count: 5))
        #expect(!classifier.machines(visits(0..<4), recipients: [1: 20]).contains(true))
        #expect(!classifier.machines(visits(0..<5, apart: 600), recipients: [1: 20]).contains(true))
        let spread = visits(0..<3) + visits(3..<6, domain: 2) + visits(6..<9, link: 1)
        #expect(!classifier.machines(spread, recipients: [1: 20, 2: 20]).contains(true))
        // One who comes five times is no domain.
        let one = (0..<5).map { DomainVisit(domain: 1, recipient: 3, link: 0, time: Int64($0)) }
        #expect(!classifier.machines(one, recipients: [1: 20]).contains(true))
    }

    @Test func ofALargeDomainSomeMeetByChance() {
        #expect(!classifier.machines(visits(0..<9, apart: 1), recipients: [1: 100]).contains(true))
        #expect(classifier.machines(visits(0..<10, apart: 1), recipients: [1: 100]).allSatisfy { $0 })
    }

    @Test func whatCameLongBeforeOrAfterIsNotMarked() {
        let all = visits(0..<1) + visits(1..<8, from: 10_000) + visits(8..<9, from: 20_000)
        #expect(classifier.machines(all, recipients: [1: 9]) == [false] + Array(repeating: true, count: 7) + [false])
    }
}
