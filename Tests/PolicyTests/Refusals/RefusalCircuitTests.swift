import Model
import Testing

@testable import Policy

@Suite struct RefusalCircuitTests {
    private let refused = Refusal(.unknown, code: 550, text: "no")
    private let other = Refusal(.unknownUser, code: 550, text: "5.1.1 no")
    private let thresholds = RefusalThresholds()

    private func facts(_ refusals: [Refusal: Int], accepted: Int = 0, open: Int, isPlanned: Bool = true) -> RefusalCircuit.BeforeAcceptance
    {
        RefusalCircuit.BeforeAcceptance(accepted: accepted, open: open, isPlanned: isPlanned, refusals: refusals)
    }

    @Test func tenAlikePauseAndNineDoNot() {
        #expect(RefusalCircuit.judge(facts([refused: 9], open: 3000), thresholds) == nil)
        let common = RefusalCircuit.judge(facts([refused: 10, other: 3], open: 3000), thresholds)
        #expect(common?.refusal == refused && common?.count == 10 && common?.isBeforeAcceptance == true)
    }

    @Test func allOfFewPauseOnceAllArePlanned() {
        #expect(RefusalCircuit.judge(facts([refused: 2], open: 3), thresholds) == nil)
        #expect(RefusalCircuit.judge(facts([refused: 2, other: 1], open: 3), thresholds)?.refusal == refused)
        #expect(RefusalCircuit.judge(facts([refused: 1], open: 1), thresholds) != nil)
        #expect(RefusalCircuit.judge(facts([refused: 1], open: 1, isPlanned: false), thresholds) == nil)
        #expect(RefusalCircuit.judge(facts([:], open: 0), thresholds) == nil)
    }

    @Test func manyInDifferentWordsPauseToo() {
        var refusals: [Refusal: Int] = [:]
        for code in 500..<550 { refusals[Refusal(.unknown, code: code, text: "")] = 1 }
        #expect(RefusalCircuit.judge(facts(refusals, open: 3000), thresholds)?.count == 1)
        refusals[Refusal(.unknown, code: 500, text: "")] = nil
        #expect(RefusalCircuit.judge(facts(refusals, open: 3000), thresholds) == nil)
    }

    @Test func oneAcceptanceOrAThresholdOfNoneEndsIt() {
        #expect(RefusalCircuit.judge(facts([refused: 100], accepted: 1, open: 100), thresholds) == nil)
        var off = thresholds
        off.alike = 0
        #expect(!off.needsProof && RefusalCircuit.judge(facts([refused: 100], open: 100), off) == nil)
    }

    @Test func whatDiffersFromOneRecipientToTheNextIsTheSameRefusal() {
        let texts = ["5.7.1 <a1@example.com>: no (id 4711)", "5.7.1 <b@other.example>: no (id ab9c)", "5.7.1 ada is not allowed"]
        #expect(Set(texts.map { Refusal(.policy, code: 550, text: $0) }).count == 1)
        #expect(Refusal(.policy, code: 550, text: "5.7.2 no") != Refusal(.policy, code: 550, text: texts[0]))
    }

    @Test func afterAcceptancesNearlyAllOfTheLastMustBeAlike() {
        var circuit = RefusalCircuit(thresholds)
        circuit.noteAccepted(100_000, at: 0)
        var trips: [Int] = []
        for number in 1...200 where circuit.note(refused, isOfUs: false, at: 1) != nil { trips.append(number) }
        #expect(trips == [190])
    }

    @Test func aListOfWhichManyAreUnknownGoesOn() {
        var circuit = RefusalCircuit(thresholds)
        for number in 0..<10_000 {
            if number % 10 == 0 { circuit.noteAccepted(1, at: 0) }
            #expect(circuit.note(other, isOfUs: false, at: 0) == nil)
        }
        circuit.noteAccepted(200, at: 0)
        #expect(circuit.isQuiet)
    }

    @Test func someRefusalsOfUsAmongTheLastAreEnough() {
        var circuit = RefusalCircuit(thresholds)
        circuit.noteAccepted(1_000, at: 0)
        for _ in 0..<9 {
            #expect(circuit.note(refused, isOfUs: true, at: 0) == nil)
            circuit.noteAccepted(10, at: 0)
        }
        let common = circuit.note(refused, isOfUs: true, at: 0)
        #expect(common?.count == 10 && common?.of == 200 && common?.isBeforeAcceptance == false)
        #expect(circuit == RefusalCircuit(thresholds), "whoever resumes it starts anew")
    }

    @Test func whatIsLongPastDoesNotCount() {
        var circuit = RefusalCircuit(thresholds)
        for number in 0..<100 { #expect(circuit.note(refused, isOfUs: true, at: Int64(number) * RefusalCircuit.span / 5) == nil) }
    }

    /// Against a window that keeps every answer.
    @Test func itSaysWhatAPlainWindowSays() {
        var generator = SeededGenerator(seed: 21)
        for _ in 0..<200 {
            var thresholds = RefusalThresholds()
            thresholds.window = Int.random(in: 1...40, using: &generator)
            thresholds.share = Int.random(in: 50...100, using: &generator)
            thresholds.alike = Int.random(in: 0...8, using: &generator)
            var circuit = RefusalCircuit(thresholds)
            var plain: [(refusal: Refusal?, isOfUs: Bool)] = []
            let refusals = [refused, other, Refusal(.setUp, code: 554, text: "")]
            let chance = Int.random(in: 2...20, using: &generator)
            for _ in 0..<400 {
                if Int.random(in: 0..<chance, using: &generator) == 0 {
                    let count = Int.random(in: 1...60, using: &generator)
                    circuit.noteAccepted(count, at: 0)
                    plain += Array(repeating: (nil, false), count: count)
                    continue
                }
                let refusal = refusals.randomElement(using: &generator) ?? refused
                let isOfUs = Int.random(in: 0..<4, using: &generator) == 0
                plain.append((refusal, isOfUs))
                plain = plain.suffix(thresholds.window)
                let all = plain.count { $0.refusal == refusal }
                let ofUs = plain.count { $0.refusal == refusal && $0.isOfUs }
                let isMet =
                    plain.count == thresholds.window && all * 100 >= plain.count * thresholds.share
                    || thresholds.alike > 0 && ofUs >= thresholds.alike
                #expect((circuit.note(refusal, isOfUs: isOfUs, at: 0) != nil) == isMet)
                if isMet { plain = [] }
            }
        }
    }
}
