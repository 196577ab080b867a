import Model
import Policy
import Testing
@testable import Broker
@testable import Delivery

/// A worker, a Redis that is lost now and then, and replies that are lost or late. A tick is 100 ms.
struct LeaseRun {
    private struct Batch {
        var epoch: Epoch
        /// Results that are in Redis, and whose receipts are not kept yet.
        var underWay: [Int] = []
        var isEnded = false
        /// The lease was not held at some time while it was here.
        var mustEnd = false
    }

    private enum Renewal {
        case none
        case asked(at: Int, condition: WorkerRegistry.Condition, losses: Int, isKnown: Bool, oldest: StreamID?, receipts: Int)
        /// - Parameter lost: losses since the last reply, when Redis carried it out.
        case answered(WorkerRegistry.Renewal, at: Int, oldest: StreamID?, receipts: Int, lost: Int)
    }

    private static let origin = ContinuousClock.now
    private static let length = 100
    private var random: SeededGenerator
    private var redis = ModelRedis()
    private var lease = LeaseState(length: .seconds(10))
    private var results = UnconfirmedResults()
    private var batches: [Batch] = []
    private var renewal = Renewal.none
    private var now = 0
    private var reported: Set<Int> = []
    private var collected: Set<Int> = []
    private var tags: [Int: Int] = [:]
    private var epochs = 0
    /// Losses since the last reply.
    private var lost = 0
    private var noticed = 0
    var problem: String?

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        begin()
    }

    private var instant: ContinuousClock.Instant { Self.origin + .milliseconds(100 * now) }

    private mutating func begin() {
        epochs += 1
        redis.establish(Epoch(text: "\(redis.run):l:\(epochs)"))
    }

    private func chance(_ share: Int, using random: inout SeededGenerator) -> Bool { Int.random(in: 0..<100, using: &random) < share }

    mutating func step() {
        now += chance(3, using: &random) ? Int.random(in: 0...150, using: &random) : Int.random(in: 0...8, using: &random)
        check()
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<8: advance()
        case 8: lose()
        case 9: if !redis.isCurrent { begin() } else { redis.admitted.insert(0) }
        case 10, 11: if lease.mayTake(at: instant), let epoch = redis.epoch, redis.isCurrent { batches.append(Batch(epoch: epoch)) }
        case 12..<15: report()
        case 15, 16: keep()
        case 17: if let place = batches.indices.randomElement(using: &random), batches[place].underWay.isEmpty { batches.remove(at: place) }
        default: collect()
        }
        check()
    }

    private mutating func check() {
        let isHeld = lease.isHeld(at: instant)
        if !isHeld { for place in batches.indices { batches[place].mustEnd = true } }
        if isHeld, batches.contains(where: { $0.mustEnd && !$0.isEnded }) { problem = "batches go on after another may have had them" }
        if isHeld, lost == 0, (redis.workers[0]?.expiry ?? 0) <= now { problem = "held when Redis holds it no more" }
    }

    private mutating func lose() {
        lost += 1
        if Bool.random(using: &random) { redis.empty() } else { redis.restart() }
    }

    private mutating func end() {
        for place in batches.indices { batches[place].isEnded = true }
    }

    /// One step of a renewal, as `LeaseRenewal` takes them.
    private mutating func advance() {
        switch renewal {
        case .none:
            if lease.willRenew(at: instant) != nil { end() }
            renewal = .asked(
                at: now, condition: lease.condition(batches.map(\.epoch)), losses: lease.losses, isKnown: lease.isKnown,
                oldest: redis.status.first.map { Self.id($0.id) }, receipts: results.count)
        case .asked(let at, let condition, let losses, let isKnown, let oldest, let receipts):
            renewal = .none
            // The command was lost.
            if chance(10, using: &random) { return }
            let reply = redis.renew(0, lease: Self.length, condition, losses: losses, isKnown: isKnown, at: now)
            if reply.isKept != (lost == 0 || !isKnown) { problem = "\(lost) losses, and the lease is kept: \(reply.isKept)" }
            checkClean()
            // The reply was lost.
            if chance(15, using: &random) { return }
            renewal = .answered(reply, at: at, oldest: oldest, receipts: receipts, lost: lost)
            // Most come at once.
            if chance(80, using: &random) { advance() }
        case .answered(let reply, let at, let oldest, let receipts, let before):
            renewal = .none
            take(reply, asked: at, oldest, receipts)
            lost -= before
        }
    }

    private mutating func take(_ reply: WorkerRegistry.Renewal, asked: Int, _ oldest: StreamID?, _ receipts: Int) {
        let mustNotice = lease.isKnown && !reply.isKept
        let actions = lease.didRenew(reply, asked: Self.origin + .milliseconds(100 * asked), at: instant, hasUnread: false)
        if actions.contains(.endBatches) { end() }
        if actions.contains(.offerResults) != mustNotice { problem = "a loss is noticed: \(!mustNotice)" }
        if mustNotice {
            noticed += 1
            results.restart()
        } else if receipts > 0, !lease.isOffering {
            results.confirm(oldest: [oldest], known: receipts)
        }
        if lease.losses != noticed { problem = "\(noticed) losses count as \(lease.losses)" }
        offer()
    }

    private mutating func offer() {
        guard lease.isOffering else { return }
        let isLast = batches.allSatisfy { $0.epoch == lease.epoch }
        while !results.next.isEmpty {
            let offered = results.next.map { receipt -> Receipt in
                let tag = tags[Int(receipt.id.milliseconds)] ?? -1
                return self.receipt(tag)
            }
            // It failed under way.
            if chance(10, using: &random) { return }
            results.didOffer(offered)
        }
        if isLast { lease.didOffer() }
    }

    private static func id(_ number: Int) -> StreamID { StreamID(milliseconds: UInt64(number), counter: 0) }

    private mutating func receipt(_ tag: Int) -> Receipt {
        let id = redis.add(ModelRedis.Report(dispatchNumber: 1, sent: [tag]))
        tags[id] = tag
        return Receipt(partition: 0, id: Self.id(id), fields: [])
    }

    private mutating func report() {
        guard let place = batches.indices.randomElement(using: &random) else { return }
        let tag = reported.count
        reported.insert(tag)
        batches[place].underWay.append(Int(receipt(tag).id.milliseconds))
    }

    private mutating func keep() {
        guard let place = batches.indices.first(where: { !batches[$0].underWay.isEmpty }) else { return }
        let id = batches[place].underWay.removeFirst()
        results.add(Receipt(partition: 0, id: Self.id(id), fields: []))
    }

    private mutating func collect() {
        for _ in 0..<Int.random(in: 0...3, using: &random) where !redis.status.isEmpty {
            collected.formUnion(redis.status.removeFirst().report.sent)
        }
    }

    private func checkSafe() -> String? {
        let there = collected.union(redis.status.flatMap(\.report.sent))
        return reported.isSubset(of: there) ? nil : "\(reported.subtracting(there)) are nowhere"
    }

    /// What Redis is told, when it is told that the worker is clean.
    private mutating func checkClean() {
        guard redis.workers[0]?.condition == .clean, let missing = checkSafe() else { return }
        problem = "clean, and results \(missing)"
    }

    /// Nothing more is lost, and all that is under way ends.
    mutating func finish() {
        guard problem == nil else { return }
        if !redis.isCurrent { begin() }
        while batches.contains(where: { !$0.underWay.isEmpty }) { keep() }
        batches = []
        for _ in 0..<400 where redis.workers[0]?.condition != .clean || lease.isOffering || lost > 0 {
            now += 1
            advance()
        }
        if redis.workers[0]?.condition != .clean { problem = "never clean again" }
        checkClean()
    }
}
