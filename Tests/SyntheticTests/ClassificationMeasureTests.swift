import Policy
import Synthetic
import Testing

@Suite struct ClassificationMeasureTests {
    /// The bounds of the tracker: 99 % of the bursts, at most 0.1 % of the people. `flotilla-lab tracking classify` measures more of them.
    @Test(arguments: [1, 2, 3] as [UInt64]) func burstsAreMarkedAndPeopleAreNot(seed: UInt64) {
        var trace = SyntheticVisits(seed: seed)
        let measure = ClassificationMeasure(30_000, of: &trace, by: EventClassifier())
        #expect(measure.bursts > 3_000 && measure.people > 3_000 && measure.prefetches > 1_000)
        #expect(measure.markedShare >= 0.99)
        #expect(measure.mistakenShare <= 0.001)
        #expect(measure.markedPrefetches == measure.prefetches)
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func gatewaysThatLookForADomainAreMarked(seed: UInt64) {
        let measure = DomainMeasure(1_000, seed: seed, by: EventClassifier())
        #expect(measure.gateways > 100 && measure.visits > 2_000 && measure.people > 2_000)
        #expect(measure.markedShare >= 0.99 && measure.mistakenShare <= 0.001)
    }

    @Test func theSameSeedGivesTheSameTrace() {
        var (one, other) = (SyntheticVisits(seed: 4), SyntheticVisits(seed: 4))
        for _ in 0..<200 {
            let (left, right) = (one.next(), other.next())
            #expect(left.visits == right.visits && left.visitors == right.visitors && left.links == right.links)
        }
    }

    /// Without the rule about bursts, few of them are seen: the measure tells the difference.
    @Test func agentsAloneFindFewBursts() {
        var bursts = BurstThresholds()
        (bursts.links, bursts.allOf) = (1000, 1000)
        let rules = VisitorRules(version: "agents", rules: VisitorRules.builtInRules, networks: [], bursts: bursts)
        var trace = SyntheticVisits(seed: 1)
        #expect(ClassificationMeasure(5_000, of: &trace, by: EventClassifier(rules)).markedShare < 0.3)
    }
}
