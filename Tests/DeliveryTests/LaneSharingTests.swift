import Broker
import Model
import Policy
import Testing

@testable import Delivery
@testable import Planning

/// What mailings of one lane reach by what is dispatched of each, and taken by a worker: a lane is first in, first out.
@Suite struct LaneSharingTests {
    /// A mailing of 120/s, in batches of a second, beside one that takes what its provider's 500/s leave, in batches of 480.
    @Test func aSmallLimitIsReachedBesideALargeMailing() throws {
        var lane = try OneLane(rate: 500, mailings: [(120, "120/s"), (480, nil)])
        lane.run(seconds: 60)
        let reached = Double(lane.sent[0]) / 60
        #expect(reached >= 0.97 * 120, "\(reached)/s of 120")
        #expect(lane.sent[0] + lane.sent[1] >= 29_000)
        #expect(lane.mostHeld <= 2_500, "\(lane.mostHeld) messages in the worker at once")
    }

    @Test func mailingsShareByRecipientsNotByBatches() throws {
        var lane = try OneLane(rate: 500, mailings: [(50, nil), (500, nil)])
        lane.run(seconds: 60)
        let share = Double(lane.sent[0]) / Double(lane.sent[0] + lane.sent[1])
        #expect((0.45...0.55).contains(share), "the one with small batches has \(share)")
    }

    /// Whoever wanted little for a time has no arrears that keep the others waiting.
    @Test func aMailingThatWantedLittleHasNothingToCatchUpWith() throws {
        var lane = try OneLane(rate: 500, mailings: [(50, "10/s"), (500, nil)])
        lane.run(seconds: 60)
        let before = lane.sent
        lane.setSpeed(nil, of: 0)
        lane.run(seconds: 30)
        let (first, second) = (lane.sent[0] - before[0], lane.sent[1] - before[1])
        #expect(Double(second) >= 0.4 * Double(first + second))
    }
}

/// One worker on one lane, which the dispatcher fills.
private struct OneLane {
    private struct Batch {
        var mailing: Int
        var left: Int
    }

    private static let step = 0.05
    private let lane = Lane(channel: .email, provider: "p")
    private var choice = DispatchChoice(window: 64)
    private var prefetch = PrefetchState(first: 100, most: 10_000)
    private var now = ContinuousClock.now
    private let rate: Double
    private let ids: [MailingID]
    private let sizes: [Int]
    private var speeds: [RateLimit?]
    private var ready: [Batch] = []
    private var held: [Batch] = []
    private var allowed: [Double]
    private(set) var sent: [Int]
    private(set) var mostHeld = 0

    init(rate: Double, mailings: [(size: Int, speed: String?)]) throws {
        self.rate = rate
        var random = SeededGenerator(seed: 1)
        ids = mailings.indices.map { MailingID(milliseconds: Int64($0), using: &random) }
        sizes = mailings.map(\.size)
        speeds = try mailings.map { try $0.speed.map { try RateLimit($0) } }
        sent = mailings.map { _ in 0 }
        allowed = mailings.map { _ in 0 }
    }

    mutating func setSpeed(_ speed: RateLimit?, of mailing: Int) { speeds[mailing] = speed }

    mutating func run(seconds: Double) {
        for _ in 0..<Int(seconds / Self.step) {
            dispatch()
            take()
            send()
            now += .seconds(Self.step)
        }
    }

    private mutating func dispatch() {
        let candidates = ids.indices.map { place in
            DispatchChoice.Candidate(
                mailing: ids[place], lane: lane, known: (ready + held).count { $0.mailing == place }, batchSize: Double(sizes[place]),
                speed: speeds[place])
        }
        let depth = DispatchChoice.Depth(entries: ready.count + held.count, pending: held.count)
        for (id, limit) in choice.choose(candidates, depths: [lane: depth], workerCount: 1, at: now) {
            guard let place = ids.firstIndex(of: id) else { continue }
            ready += Array(repeating: Batch(mailing: place, left: sizes[place]), count: limit)
            choice.dispatched(limit, to: lane)
        }
    }

    private mutating func take() {
        while !ready.isEmpty, prefetch.offer(lane, at: now), let want = prefetch.wants(at: now).first {
            let batches = ready.prefix(want.count)
            ready.removeFirst(batches.count)
            held += batches
            prefetch.taken(lane, sizes: batches.map(\.left), waiting: ready.count, at: now)
            prefetch.adjust(lane, target: Int(rate * 0.5), isLimited: true)
            for batch in batches {
                prefetch.assign(
                    batch.left, of: lane, to: .init(mailing: ids[batch.mailing]),
                    usable: (speeds[batch.mailing]?.perSecond ?? .infinity) * 0.5)
            }
        }
        mostHeld = max(mostHeld, held.reduce(0) { $0 + $1.left })
    }

    /// One message of each batch in turn.
    private mutating func send() {
        var left = Int(rate * Self.step)
        for place in ids.indices { allowed[place] = min(1, allowed[place]) + (speeds[place]?.perSecond ?? rate) * Self.step }
        var isIdle = false
        while left > 0, !isIdle {
            isIdle = true
            for place in held.indices where left > 0 && held[place].left > 0 && allowed[held[place].mailing] >= 1 {
                let mailing = held[place].mailing
                held[place].left -= 1
                allowed[mailing] -= 1
                left -= 1
                sent[mailing] += 1
                _ = prefetch.finish(1, of: lane, kind: .init(mailing: ids[mailing]), at: now)
                isIdle = false
            }
        }
        held.removeAll { $0.left == 0 }
    }
}
