import Model
import Testing

@testable import Broker
@testable import Delivery

/// Whose batches are taken over, and what is done with them.
@Suite struct TakeoverStateTests {
    private static let start = ContinuousClock.now

    private func worker(_ name: String, isAlive: Bool = false, _ text: String = "1 run clean 0") -> WorkerRegistry.Registration {
        WorkerRegistry.Registration(worker: name, isAlive: isAlive, condition: .clean, text: text)
    }

    @Test func aWorkerIsSeenTwiceWithTheSameExpiredLease() {
        var search = TakeoverSearch(renewal: .milliseconds(500))
        let now = Self.start
        #expect(search.look([worker("a"), worker("me")], except: "me", at: now).isEmpty)
        #expect(search.look([worker("a")], except: "me", at: now + .milliseconds(1099)).isEmpty)
        #expect(search.look([worker("a")], except: "me", at: now + .milliseconds(1100)) == [worker("a")])
        // One that has renewed meanwhile begins anew, dead or not.
        #expect(search.look([worker("a", "2 run clean 0")], except: "me", at: now + .milliseconds(1200)).isEmpty)
        #expect(search.look([worker("a", isAlive: true, "3 run clean 0")], except: "me", at: now + .seconds(2)).isEmpty)
        #expect(search.look([worker("a", "3 run clean 0")], except: "me", at: now + .seconds(3)).isEmpty)
        #expect(search.look([worker("a", "3 run clean 0")], except: "me", at: now + .milliseconds(4100)).count == 1)
    }

    @Test func whateverIsSeenOnlyTheLongDeadAreFound() {
        for seed in 0..<2_000 as Range<UInt64> {
            var random = SeededGenerator(seed: seed)
            var search = TakeoverSearch(renewal: .milliseconds(500))
            var now = Self.start
            /// Since when a worker's registration has been seen as it is; nil while it lives.
            var seen: [String: (text: String, since: ContinuousClock.Instant)] = [:]
            var expiry: [String: Int] = [:]
            for _ in 0..<40 {
                now += .milliseconds(Int.random(in: 0...600, using: &random))
                let workers = ["a", "b", "c", "me"].filter { _ in Int.random(in: 0..<10, using: &random) > 0 }.map { name in
                    let isAlive = Int.random(in: 0..<4, using: &random) == 0
                    if isAlive || Int.random(in: 0..<6, using: &random) == 0 { expiry[name, default: 10] += 1 }
                    return worker(name, isAlive: isAlive, "\(expiry[name, default: 10]) run clean 0")
                }
                let found = search.look(workers, except: "me", at: now)
                for one in workers where !one.isAlive && seen[one.worker]?.text != one.text { seen[one.worker] = (one.text, now) }
                for name in seen.keys where !workers.contains(where: { $0.worker == name && !$0.isAlive }) { seen[name] = nil }
                let expected = workers.filter { one in
                    one.worker != "me" && (seen[one.worker].map { now - $0.since >= .milliseconds(1100) } ?? false)
                }
                #expect(Set(found) == Set(expected), "seed \(seed)")
                #expect(found.map(\.text) == found.map(\.text).sorted(), "seed \(seed)")
            }
        }
    }

    private func plan(
        _ text: String, deliveries: Int = 2, maximum: Int = 5, policy: Mailing.UncertainPolicy? = .redeliver
    ) -> TakeoverPlan {
        TakeoverPlan(
            open: (0..<4).map { OpenRecipient(index: $0, attempts: 0) }, marks: Marks(bytes: Array(text.utf8)), deliveries: deliveries,
            maximum: maximum, policy: policy)
    }

    @Test func whoMayHaveBeenReachedIsListedAndSentAgainOrHeld() {
        let again = plan("db\0")
        #expect(again.done == 1 && again.uncertain.map(\.index) == [1] && again.open.map(\.index) == [1, 2, 3])
        #expect(!again.isHeld && !again.isQuarantined)
        let held = plan("db\0", policy: .hold)
        #expect(held.isHeld && held.uncertain.map(\.index) == [1] && held.open.map(\.index) == [2, 3])
        let gone = plan("db\0", policy: nil)
        #expect(!gone.isHeld && gone.uncertain.map(\.index) == [1])
    }

    @Test func aBatchThatEndedTooManyWorkersIsNotSent() {
        #expect(!plan("db\0", deliveries: 5).isQuarantined)
        let quarantined = plan("db\0", deliveries: 6)
        #expect(
            quarantined.isQuarantined && quarantined.isHeld && quarantined.open.isEmpty && quarantined.uncertain.map(\.index) == [1, 2, 3])
        // With no message in flight it is rather the provider.
        #expect(!plan("d", deliveries: 20).isQuarantined && plan("d", deliveries: 21).isQuarantined)
    }

    @Test func whateverTheMarksNobodyIsForgotten() {
        for seed in 0..<4_000 as Range<UInt64> {
            var random = SeededGenerator(seed: seed)
            let count = Int.random(in: 1...12, using: &random)
            let indexes = (0..<count).filter { _ in Int.random(in: 0..<4, using: &random) > 0 }
            let open = indexes.map { OpenRecipient(index: $0, attempts: 1) }
            let length = Int.random(in: 0...count, using: &random)
            let marks = Marks(
                bytes: (0..<length).map { _ in [0, UInt8(ascii: "b"), UInt8(ascii: "d")].randomElement(using: &random) ?? 0 })
            let policies: [Mailing.UncertainPolicy?] = [nil, .hold, .redeliver]
            let policy = policies.randomElement(using: &random) ?? nil
            let plan = TakeoverPlan(
                open: open, marks: marks, deliveries: Int.random(in: 1...30, using: &random), maximum: 5, policy: policy)
            let left = open.map(\.index).filter { marks[$0] != .done }
            let (again, listed) = (plan.open.map(\.index), plan.uncertain.map(\.index))
            // Each has a result, is sent to, or is held; and who is sent to again though started is listed.
            #expect(plan.done == open.count - left.count, "seed \(seed)")
            #expect(Set(again + (plan.isHeld ? listed : [])) == Set(left), "seed \(seed)")
            if plan.isHeld { #expect(Set(again).isDisjoint(with: listed), "seed \(seed)") }
            #expect(again.filter { marks[$0] == .started }.allSatisfy(listed.contains), "seed \(seed)")
            if plan.isQuarantined { #expect(again.isEmpty, "seed \(seed)") }
        }
    }
}
