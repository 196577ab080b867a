import Model
import Policy
import Testing

@Suite struct DeliveryEvidenceTests {
    private typealias News = DeliveryEvidence.News

    private static let all: [News] =
        RecipientState.allCases.map { .attempt($0) } + [.receipt, .bounce] + EventKind.allCases.map { .person($0) }

    private func evidence(_ news: [News]) -> DeliveryEvidence {
        var evidence = DeliveryEvidence()
        for one in news { evidence.take(one) }
        return evidence
    }

    @Test func theStrongerNewsHolds() {
        let sent = News.attempt(.sent)
        let expected: [([News], RecipientState)] = [
            ([], .planned), ([sent], .sent), ([sent, .receipt], .delivered), ([sent, .bounce], .failed),
            // The server that took it says that it has arrived, and then that the mailbox refused it.
            ([sent, .receipt, .bounce], .failed),
            ([sent, .bounce, .person(.opened)], .sent), ([sent, .bounce, .person(.clicked)], .sent),
            ([sent, .bounce, .person(.complained)], .sent), ([sent, .receipt, .bounce, .person(.clicked)], .delivered),
            // Nobody is said to be reached because somebody opened what an earlier attempt may have brought.
            ([.attempt(.failed), .person(.opened)], .failed), ([.attempt(.failed), .receipt], .delivered),
            ([.attempt(.uncertain), .receipt], .delivered), ([.attempt(.deferred), .bounce], .failed),
            ([.attempt(.deferred), .attempt(.failed), sent], .sent),
        ]
        for (news, state) in expected { #expect(evidence(news).state == state, "\(news)") }
        #expect(evidence([sent, .bounce]).isBounced && !evidence([.attempt(.failed)]).isBounced)
        #expect(!evidence([sent, .bounce, .person(.opened)]).isBounced)
    }

    /// Every order of every choice of up to four news.
    @Test func theOrderOfNewsDoesNotMatter() {
        func check(_ chosen: [News], from place: Int) {
            if chosen.count > 1 {
                let reference = evidence(chosen)
                for order in permutations(chosen) { #expect(evidence(order) == reference, "\(order)") }
            }
            guard chosen.count < 4 else { return }
            for next in place..<Self.all.count { check(chosen + [Self.all[next]], from: next + 1) }
        }
        check([], from: 0)
    }

    /// Of whatever is known, two news more give the same in both orders, and one twice the same as once: so do any number of them.
    @Test func anyNumberOfNewsGivesOneState() {
        var known: [DeliveryEvidence] = [DeliveryEvidence()]
        var place = 0
        while place < known.count {
            for news in Self.all {
                var next = known[place]
                next.take(news)
                if !known.contains(next) { known.append(next) }
            }
            place += 1
        }
        #expect(known.count == RecipientState.allCases.count * 8)
        for evidence in known {
            for first in Self.all {
                var once = evidence
                once.take(first)
                var twice = once
                twice.take(first)
                #expect(twice == once)
                for second in Self.all {
                    var (one, other) = (once, evidence)
                    one.take(second)
                    other.take(second)
                    other.take(first)
                    #expect(one == other, "\(first) \(second)")
                }
            }
        }
    }

    @Test func aRoundThatAnOperatorOpensIsCountedByItself() {
        var rounds = DeliveryRounds()
        rounds.take(.attempt(.sent), round: 0)
        rounds.take(.bounce, round: 0)
        #expect(rounds.state == .failed && rounds.current == 0)
        let isOpen = rounds.open(1)
        #expect(isOpen)
        #expect(rounds.state == .planned && rounds.state(of: 0) == .failed)
        rounds.take(.attempt(.sent), round: 1)
        // Late news of the first round are the first round's.
        rounds.take(.person(.opened), round: 0)
        #expect(rounds.state(of: 0) == .sent && rounds.state == .sent)
        rounds.take(.bounce, round: 1)
        #expect(rounds.state == .failed && rounds.state(of: 0) == .sent && rounds.state(of: 2) == nil)
        // A message of an earlier round that has arrived after all counts: nobody is sent to who has it.
        var late = DeliveryRounds()
        late.take(.attempt(.failed), round: 0)
        let isNext = late.open(1)
        #expect(isNext && late.state == .planned)
        late.take(.attempt(.deferred), round: 0)
        #expect(late.state == .planned)
        late.take(.attempt(.sent), round: 0)
        #expect(late.state == .sent && late.state(of: 1) == .planned)
        let before = rounds
        let taken = [rounds.open(-1), rounds.open(DeliveryRounds.most + 1), rounds.take(.bounce, round: .max)]
        #expect(taken == [false, false, false] && rounds == before)
    }

    /// What an order, results and news of three rounds come to does not depend on which is heard of first.
    @Test(arguments: 0..<200) func roundsAndNewsInAnyOrderGiveOneResult(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        enum Step { case open(Int), news(News, Int) }
        var steps: [Step] = (1...2).map { .open($0) }
        for _ in 0..<Int.random(in: 1...12, using: &generator) {
            steps.append(.news(Self.all.randomElement(using: &generator) ?? .receipt, Int.random(in: 0...2, using: &generator)))
        }
        func outcome(_ steps: [Step]) -> DeliveryRounds {
            var rounds = DeliveryRounds()
            for step in steps {
                switch step {
                case .open(let round): rounds.open(round)
                case .news(let news, let round): rounds.take(news, round: round)
                }
            }
            return rounds
        }
        let reference = outcome(steps)
        for _ in 0..<20 {
            let again = steps.filter { _ in Bool.random(using: &generator) }
            #expect(outcome((steps + again).shuffled(using: &generator)) == reference)
        }
    }
}

/// All orders of some things.
private func permutations<Element>(_ elements: [Element]) -> [[Element]] {
    guard elements.count > 1 else { return [elements] }
    return elements.indices.flatMap { place in
        var rest = elements
        let first = rest.remove(at: place)
        return permutations(rest).map { [first] + $0 }
    }
}
