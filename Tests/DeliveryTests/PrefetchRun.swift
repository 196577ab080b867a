import Model
import Policy
import Testing
@testable import Broker
@testable import Delivery

/// Lanes that fill, batches that come and are finished, breakers that open.
struct PrefetchRun {
    private struct Part {
        var lane: Lane
        var kind: PrefetchState.Kind?
        var messages: Int
    }

    private static let most = 100
    private static let kinds = [LimitScope.domain("a"), .domain("b"), nil].map { PrefetchState.Kind(mailing: testMailing, domain: $0) }
    private let lanes: [Lane]
    private var random: SeededGenerator
    private var state = PrefetchState(first: 20, most: most)
    private var now = ContinuousClock.now
    private var waiting: [Lane: Int] = [:]
    private var parts: [Part] = []
    private var asked: [BatchQueue.Want] = []
    private var probes: [Lane: ContinuousClock.Instant] = [:]
    private var usable: [PrefetchState.Kind: Double] = [:]
    private var offered: Set<Lane> = []
    var problem: String?

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        lanes = (0..<Int.random(in: 1...5, using: &random)).map { Lane(channel: .email, provider: "\($0)") }
    }

    private func messages(_ lane: Lane) -> Int { parts.filter { $0.lane == lane }.reduce(0) { $0 + $1.messages } }

    mutating func step() {
        now += .milliseconds(Int.random(in: 0...800, using: &random))
        guard let lane = lanes.randomElement(using: &random) else { return }
        let before = wanted()
        var isReported = true
        switch Int.random(in: 0..<16, using: &random) {
        case 0, 1:
            waiting[lane, default: 0] += Int.random(in: 1...9, using: &random)
            isReported = state.offer(lane, at: now)
            offered.insert(lane)
        case 2..<5: ask()
        case 5..<7: answer()
        case 7, 8: split()
        case 9..<13: isReported = finish()
        case 13: state.adjust(lane, target: Int.random(in: 0...300, using: &random))
        case 14:
            probes[lane] = Bool.random(using: &random) ? now + .milliseconds(Int.random(in: 0...3_000, using: &random)) : nil
            state.block(probes)
        default: state.forget(at: now)
        }
        if !isReported {
            // Whoever waits for room for the first batch of a lane looks again in a while.
            let new = wanted().subtracting(before).filter { messages($0) > 0 }
            if !new.isEmpty { problem = "nobody is told that \(new) are wanted" }
        }
        check()
    }

    private func wanted() -> Set<Lane> {
        var copy = state
        return Set(copy.wants(at: now).map(\.lane))
    }

    private mutating func ask() {
        let wants = state.wants(at: now)
        for want in wants {
            if !(1...16).contains(want.count) { problem = "\(want.count) batches are wanted" }
            if asked.contains(where: { $0.lane == want.lane }) { problem = "asked twice" }
            if let probe = probes[want.lane], want.count > 1 || now < probe { problem = "\(want.count) of a lane whose breaker is open" }
            if state.total >= 16 * Self.most { problem = "taken though enough is here" }
        }
        // A lane of which nothing is here is never held back by others.
        let silent = offered.subtracting(wants.map(\.lane)).filter { lane in
            messages(lane) == 0 && !asked.contains { $0.lane == lane } && probes[lane].map { $0 <= now } ?? true
        }
        if state.total < 16 * Self.most, !silent.isEmpty { problem = "\(silent) starve" }
        asked += wants
    }

    private mutating func answer() {
        guard !asked.isEmpty else { return }
        if Int.random(in: 0..<6, using: &random) == 0 {
            state.failed(asked)
            asked = []
            return
        }
        let want = asked.remove(at: Int.random(in: 0..<asked.count, using: &random))
        let count = min(want.count, waiting[want.lane, default: 0])
        let sizes = (0..<count).map { _ in Int.random(in: 1...60, using: &random) }
        waiting[want.lane, default: 0] -= count
        let left = waiting[want.lane, default: 0]
        state.taken(want.lane, sizes: sizes, waiting: left, at: now)
        if left == 0 { offered.remove(want.lane) } else { offered.insert(want.lane) }
        parts += sizes.map { Part(lane: want.lane, kind: nil, messages: $0) }
        // A takeover brings one without being asked.
        if Int.random(in: 0..<6, using: &random) == 0 {
            state.taken(want.lane, sizes: [7], waiting: nil, at: now)
            parts.append(Part(lane: want.lane, kind: nil, messages: 7))
        }
    }

    private mutating func split() {
        guard let place = parts.indices.filter({ parts[$0].kind == nil }).randomElement(using: &random),
            let kind = Self.kinds.randomElement(using: &random)
        else { return }
        let count = Int.random(in: 0...parts[place].messages, using: &random)
        let usable = Bool.random(using: &random) ? Double.infinity : Double.random(in: 0...10, using: &random)
        state.assign(count, of: parts[place].lane, to: kind, usable: usable)
        parts[place].messages -= count
        parts.append(Part(lane: parts[place].lane, kind: kind, messages: count))
    }

    private mutating func finish() -> Bool {
        guard let place = parts.indices.randomElement(using: &random) else { return true }
        let count = Bool.random(using: &random) ? parts[place].messages : Int.random(in: 0...parts[place].messages, using: &random)
        // As `Share` does: nothing is not told.
        guard count > 0 else { return true }
        parts[place].messages -= count
        let (lane, kind) = (parts[place].lane, parts[place].kind)
        if parts[place].messages == 0 { parts.remove(at: place) }
        return state.finish(count, of: lane, kind: kind, at: now)
    }

    private mutating func check() {
        let sum = parts.reduce(0) { $0 + $1.messages }
        if state.total != sum || state.total < 0 { problem = "\(state.total) in place of \(sum)" }
        for lane in lanes where state.messages(of: lane) != messages(lane) {
            problem = "\(state.messages(of: lane)) of \(lane) in place of \(messages(lane))"
        }
    }
}
