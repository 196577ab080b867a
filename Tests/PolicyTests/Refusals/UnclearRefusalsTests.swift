import Model
import Testing

@testable import Policy

@Suite struct UnclearRefusalsTests {
    private func key(_ index: Int) -> UnclearRefusals.Key { UnclearRefusals.Key(batch: 0, index: index) }

    /// Whether each of some recipients waits.
    private func note(_ unclear: inout UnclearRefusals, _ indexes: [Int], at now: Int64 = 0) -> [Bool] {
        indexes.map { unclear.note(key($0), at: now) }
    }

    @Test func theFirstOfARowFailsAndTheOthersWait() {
        var unclear = UnclearRefusals()
        #expect(unclear.isQuiet)
        var waits = note(&unclear, [0, 1, 2, 3])
        #expect(waits == [false, true, true, true])
        unclear.noteAccepted()
        waits = note(&unclear, [9])
        #expect(waits == [false])
    }

    @Test func ofRefusalsThatSpeakOfUsTheFirstOfARowWaitsToo() {
        var unclear = UnclearRefusals()
        var waits = (0..<3).map { unclear.note(key($0), at: 0, speaksOfUs: true) }
        #expect(waits == [true, true, true])
        unclear.noteAccepted()
        waits = (0..<3).map { unclear.note(key($0), at: 10_000, speaksOfUs: true) }
        #expect(waits == [false, false, false])
    }

    @Test func whoeverIsRefusedAgainBehindAnAcceptanceFails() {
        var unclear = UnclearRefusals()
        _ = note(&unclear, [0, 1])
        unclear.noteAccepted()
        // Another row has begun meanwhile, behind which nobody was accepted.
        _ = note(&unclear, [2, 3], at: 5_000)
        let waits = note(&unclear, [1, 3], at: 10_000)
        #expect(waits == [false, true])
    }

    @Test func theLastOfAListFailInTheEnd() {
        var unclear = UnclearRefusals()
        _ = note(&unclear, [0, 1, 2, 3])
        var waits = note(&unclear, [3], at: 10_000)
        #expect(waits == [true])
        waits = note(&unclear, [3], at: UnclearRefusals.longestWait)
        #expect(waits == [false])
    }

    @Test func whoeverWaitedBeforeAPauseWaitsAnewAfterIt() {
        var unclear = UnclearRefusals()
        _ = note(&unclear, [0, 1])
        unclear.startAnew()
        let waits = note(&unclear, [1, 2], at: 1_000_000)
        #expect(waits == [true, true])
    }

    @Test func whoeverIsAcceptedIsForgotten() {
        var unclear = UnclearRefusals()
        _ = note(&unclear, [0, 1])
        unclear.noteAccepted()
        #expect(!unclear.isQuiet)
        unclear.forget(key(1))
        #expect(unclear.isQuiet)
    }

    /// A fleet whose provider takes some messages, and then refuses everybody with an answer that does not tell why. Messages are asked
    /// again after ten seconds, and the circuit sees all answers.
    @Test(arguments: [(1, 20), (4, 5), (8, 50)]) func aProviderThatBeginsToRefuseEverybodyBurnsHardlyAnybody(workers: Int, perSecond: Int) {
        for seed in 0..<20 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            var fleet = Array(repeating: UnclearRefusals(), count: workers)
            var circuit = RefusalCircuit(RefusalThresholds())
            let taken = Int.random(in: 1...600, using: &generator)
            let refusal = Refusal(.unknown, code: 550, text: "no")
            var due: [(at: Int64, index: Int)] = []
            var (next, failed, isPaused) = (0, 0, false)
            var now: Int64 = 0
            while !isPaused, now < 600_000 {
                for _ in 0..<perSecond * workers where !isPaused {
                    let worker = Int.random(in: 0..<workers, using: &generator)
                    var index = next
                    if let first = due.first, first.at <= now { index = due.removeFirst().index } else { next += 1 }
                    if index < taken {
                        fleet[worker].noteAccepted()
                        circuit.noteAccepted(1, at: now)
                        continue
                    }
                    if fleet[worker].note(key(index), at: now) {
                        due.append((now + Int64.random(in: 8_000...12_000, using: &generator), index))
                    } else {
                        failed += 1
                    }
                    isPaused = circuit.note(refusal, isOfUs: false, at: now) != nil
                }
                now += 1000
            }
            #expect(isPaused && failed <= workers, "\(failed)")
        }
    }

    /// A list of which many are refused: all of them fail, and nobody is asked often.
    @Test func aListWithManyWhoAreRefusedEnds() {
        for seed in 0..<30 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            var fleet = Array(repeating: UnclearRefusals(), count: 3)
            let bad = Int.random(in: 1...6, using: &generator)
            var open = Array(0..<400)
            var asked: [Int: Int] = [:]
            var now: Int64 = 0
            while !open.isEmpty, now < 200_000 {
                var waiting: [Int] = []
                for index in open {
                    let worker = Int.random(in: 0..<3, using: &generator)
                    guard index % 10 < bad else {
                        fleet[worker].noteAccepted()
                        continue
                    }
                    asked[index, default: 0] += 1
                    if fleet[worker].note(key(index), at: now) { waiting.append(index) }
                }
                open = waiting
                now += 10_000
            }
            #expect(open.isEmpty && asked.values.allSatisfy { $0 <= 8 }, "\(asked.values.max() ?? 0)")
        }
    }
}
