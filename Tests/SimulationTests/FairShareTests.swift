import Model
import Testing

@testable import Simulation

@Suite struct FairShareTests {
    @Test func whoWantsLittleGetsItAndTheRestIsSharedByWeight() {
        let share = FairShare(
            [
                FairShare.Flow(weight: 1, demand: 10, needs: [(0, 1)]),
                FairShare.Flow(weight: 1, demand: .infinity, needs: [(0, 1)]),
                FairShare.Flow(weight: 2, demand: .infinity, needs: [(0, 1)]),
            ], capacities: [100])
        #expect(share.rates.map { ($0 * 1000).rounded() / 1000 } == [10, 30, 60])
        #expect(share.bottlenecks == [.demand, .resource(0), .resource(0)])
    }

    @Test func aNarrowLimitOfOneLeavesTheWideOneToOthers() {
        let share = FairShare(
            [
                FairShare.Flow(weight: 1, demand: .infinity, needs: [(0, 1), (1, 1)]),
                FairShare.Flow(weight: 1, demand: .infinity, needs: [(1, 1)]),
            ], capacities: [120, 500])
        #expect(share.rates.map { $0.rounded() } == [120, 380])
        #expect(share.bottlenecks == [.resource(0), .resource(1)])
    }

    /// Nothing is used beyond what there is, and nobody could have more without another having less.
    @Test(arguments: 0..<50 as Range<UInt64>) func nothingIsLeftThatSomebodyCouldUse(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let capacities = (0..<4).map { _ in Double.random(in: 1...1_000, using: &random) }
        let flows = (0..<6).map { _ in
            FairShare.Flow(
                weight: .random(in: 0.1...500, using: &random),
                demand: Bool.random(using: &random) ? .infinity : .random(in: 0...100, using: &random),
                needs: (0..<4).filter { _ in Double.random(in: 0..<1, using: &random) < 0.6 }
                    .map { ($0, Double.random(in: 0.01...10, using: &random)) } + [(0, 1)])
        }
        let share = FairShare(flows, capacities: capacities)
        for (resource, capacity) in capacities.enumerated() {
            let used = zip(flows, share.rates).reduce(0.0) { sum, flow in
                sum + flow.0.needs.filter { $0.resource == resource }.reduce(0) { $0 + $1.amount } * flow.1
            }
            #expect(used <= capacity * (1 + 1e-9))
        }
        for (flow, rate, bottleneck) in zip(zip(flows, share.rates), share.bottlenecks).map({ ($0.0, $0.1, $1) }) {
            if bottleneck == .demand { #expect(abs(rate - flow.demand) < 1e-6) }
        }
    }
}

@Suite struct BacklogTests {
    @Test func nobodyIsLostHoweverTheyAreTaken() {
        var random = SeededGenerator(seed: 3)
        var backlog = Backlog(fresh: 10_000)
        var done = 0
        for step in 0..<400 {
            backlog.release(until: Double(step))
            for taken in backlog.take(.random(in: 0...100, using: &random)) {
                let again = Int.random(in: 0...taken.count, using: &random)
                done += taken.count - again
                guard again > 0 else { continue }
                backlog.wait(until: Double(step) + .random(in: 0...50, using: &random), spent: taken.spent + 1, count: again, grain: 0.5)
            }
            #expect(done + backlog.open == 10_000)
        }
    }

    @Test func retriesGoBeforeFirstAttemptsInHalfOfThePlaces() {
        var backlog = Backlog(fresh: 100)
        backlog.wait(until: 1, spent: 2, count: 60, grain: 0)
        #expect(backlog.take(10).map(\.count) == [10])
        backlog.release(until: 1)
        #expect(backlog.take(20).map { [$0.spent, $0.count] } == [[0, 10], [2, 10]])
        #expect(backlog.take(200).map { [$0.spent, $0.count] } == [[0, 80], [2, 50]])
    }

    @Test func theAgendaIsInOrderAndFirstComesFirst() {
        var random = SeededGenerator(seed: 5)
        var agenda = EventQueue<Int>()
        let times = (0..<500).map { _ in Double(Int.random(in: 0...50, using: &random)) }
        for (number, time) in times.enumerated() { agenda.add(number, at: time) }
        var seen: [Int] = []
        while let next = agenda.pop(until: .infinity) { seen.append(next.item) }
        #expect(seen == times.indices.sorted { (times[$0], $0) < (times[$1], $1) })
    }
}
