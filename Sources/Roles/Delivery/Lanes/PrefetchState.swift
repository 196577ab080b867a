import Broker
import Model
import Policy

/// How many messages a worker has taken and not finished, by lane, and which batches it takes next. It takes from each lane what the
/// provider's connections use in half a second, and nothing that a limit or an open circuit breaker would keep waiting here. So other
/// workers find the rest in the lane, and no lane delays another.
struct PrefetchState: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// Messages of one kind of send (a mailing's to one limited domain, or all its others), which share their limits.
    struct Kind: Hashable, Sendable {
        var mailing: MailingID
        /// The scope of the recipients' domain; nil for the others.
        var domain: LimitScope?
    }

    private struct Prefetched: Sendable {
        var messages = 0
        /// Messages that limits of this kind alone let start in the time that is fetched ahead; infinite where there is none.
        var usable = Double.infinity
        /// Batches asked for because of it since it last got messages.
        var askedFor = 0

        /// It is about to end though its limits would let more start: the next batches of its lane may be its own.
        var runsDry: Bool { usable.isFinite && Double(messages) < usable && askedFor < PrefetchState.batchesForOneKind }
    }

    private struct LaneState: Sendable {
        /// By kind; messages whose mailing is not ready yet have none.
        var held: [Kind?: Prefetched] = [:]
        /// Messages that are enough for now.
        var target: Int
        /// The lane's limit decides the target, not its connections.
        var isLimited = false
        /// Recipients in a batch, lately.
        var batchSize = 0.0
        /// Bytes of a batch, lately.
        var batchBytes = 0.0
        /// Whether it has batches, as far as is known.
        var hasMore = true
        /// Batches asked for, and not here yet.
        var asked = 0
        /// When one of its batches was last here.
        var last: Instant

        /// The messages here, as they count towards the target. Under a limit of the lane, one kind counts half of the target at most, so
        /// that batches of other mailings are taken too: no mailing waits for the end of another.
        var counted: Double {
            held.values.reduce(0) { sum, one in
                let counted = min(Double(one.messages), one.usable)
                let isShared = isLimited && Double(one.messages) <= 2 * batchSize
                return sum + (isShared ? min(counted, Double(target) / 2) : counted)
            }
        }
        var messages: Int { held.values.reduce(0) { $0 + $1.messages } }
        /// Whether another batch is to be taken beyond the target. It is asked once all batches here are known.
        var runsDry: Bool { (held[nil]?.messages ?? 0) == 0 && held.values.contains(where: \.runsDry) }
    }

    /// Messages that are enough while nothing is known of a provider.
    private let first: Int
    /// Messages that are enough for all lanes together; a lane of which nothing is here still gets its first batch, up to
    /// `firstBatchFactor` times as many.
    private let most: Int
    private static let firstBatchFactor = 16
    /// Bytes that are enough for all lanes together; a lane of which nothing is here still gets its first batch, up to four times as many.
    private let mostBytes: Int
    /// Batches taken at most, one by one, in search of one of a mailing that runs dry.
    private static let batchesForOneKind = 2
    /// Batches asked for in one go at most, of a lane and of all.
    private static let batchesAtOnce = 16
    private static let lanesAtOnce = 100
    /// After that time without a batch a lane is forgotten.
    private static let memory = Duration.seconds(60)

    private var lanes: [Lane: LaneState] = [:]
    /// Those of them that have more, so that nobody looks at thousands of which everything is here.
    private var lanesWithMore: Set<Lane> = []
    /// Lanes whose circuit breaker is open: one batch is taken at that moment, if there is none here to probe with.
    private var probes: [Lane: Instant] = [:]
    var laneCount: Int { lanes.count }
    private(set) var total = 0
    /// Bytes of the batches that are here.
    private(set) var bytes = 0
    /// A lane got nothing because all lanes together have enough here.
    private var isFull = false

    init(first: Int, most: Int, mostBytes: Int = .max) {
        self.first = first
        self.most = most
        self.mostBytes = mostBytes
    }

    private var hasTooMuch: Bool { total >= 4 * most || bytes >= mostBytes }

    /// A lane has batches, as far as is known.
    /// - Returns: whether something of it is wanted now, as of every change below.
    mutating func offer(_ lane: Lane, at now: Instant) -> Bool {
        lanes[lane, default: LaneState(target: first, last: now)].hasMore = true
        lanesWithMore.insert(lane)
        return isWanted(lane, at: now)
    }

    private func isWanted(_ lane: Lane, at now: Instant) -> Bool { lanes[lane].map { want($0, of: lane, at: now) > 0 } ?? false }

    /// What is to be asked for now; it counts as asked for until `taken`.
    mutating func wants(at now: Instant) -> [BatchQueue.Want] {
        var wants: [BatchQueue.Want] = []
        isFull = hasTooMuch
        for lane in lanesWithMore where wants.count < Self.lanesAtOnce {
            guard let state = lanes[lane], case let count = want(state, of: lane, at: now), count > 0 else { continue }
            lanes[lane]?.asked = count
            for (kind, one) in state.held where one.runsDry { lanes[lane]?.held[kind]?.askedFor += 1 }
            wants.append(BatchQueue.Want(lane: lane, count: count))
        }
        return wants
    }

    private func want(_ lane: LaneState, of name: Lane, at now: Instant) -> Int {
        guard lane.hasMore, lane.asked == 0 else { return 0 }
        let counted = lane.counted
        if let probeAt = probes[name] { return lane.messages == 0 && now >= probeAt ? 1 : 0 }
        let runsDry = lane.runsDry
        guard counted < Double(lane.target) || runsDry, total < (lane.messages == 0 ? Self.firstBatchFactor * most : 4 * most),
            bytes / 4 < mostBytes, lane.messages == 0 || bytes < mostBytes
        else { return 0 }
        // One batch tells the size of a lane's batches.
        guard lane.batchSize > 0 else { return 1 }
        let room = lane.batchBytes > 0 ? max(1, Int(min(Double(Self.batchesAtOnce), Double(mostBytes - bytes) / lane.batchBytes))) : .max
        return min(Self.batchesAtOnce, room, max(1, Int(((Double(lane.target) - counted) / lane.batchSize).rounded(.up))))
    }

    /// When `wanted` must be computed without an event: an open circuit breaker allows a probe.
    func nextLook() -> Instant? {
        probes.lazy.filter { lanesWithMore.contains($0.key) && messages(of: $0.key) == 0 }.map(\.value).min()
    }

    /// Batches came, as the reply to a want or by a takeover.
    /// - Parameters:
    ///   - sizes: messages in each.
    ///   - bytes: bytes of each, which stay until `free`.
    ///   - waiting: batches that are left in the lane; nil where that was not asked.
    mutating func taken(_ lane: Lane, sizes: [Int], bytes: [Int] = [], waiting: Int?, at now: Instant) {
        var state = lanes[lane] ?? LaneState(target: first, last: now)
        if let waiting {
            state.asked = 0
            state.hasMore = waiting > 0
        }
        state.last = now
        for size in sizes {
            state.batchSize = state.batchSize == 0 ? Double(max(1, size)) : state.batchSize + (Double(size) - state.batchSize) / 4
            state.held[nil, default: Prefetched()].messages += size
            total += size
        }
        for size in bytes {
            state.batchBytes = state.batchBytes == 0 ? Double(size) : state.batchBytes + (Double(size) - state.batchBytes) / 4
            self.bytes += size
        }
        if hasTooMuch { isFull = true }
        lanes[lane] = state
        if state.hasMore { lanesWithMore.insert(lane) } else { lanesWithMore.remove(lane) }
    }

    /// What was asked for did not come: Redis was lost, or cannot be believed.
    mutating func failed(_ wants: [BatchQueue.Want]) {
        for want in wants { lanes[want.lane]?.asked = 0 }
    }

    /// It is known of which kind some messages of a lane are.
    /// - Parameter usable: what limits of that kind alone let start in the time that is fetched ahead.
    mutating func assign(_ messages: Int, of lane: Lane, to kind: Kind, usable: Double) {
        lanes[lane]?.held[nil]?.messages -= messages
        lanes[lane]?.held[kind, default: Prefetched()].messages += messages
        lanes[lane]?.held[kind]?.usable = usable
        lanes[lane]?.held[kind]?.askedFor = 0
    }

    /// Messages of a lane are finished, or given back.
    mutating func finish(_ messages: Int, of lane: Lane, kind: Kind?, at now: Instant) -> Bool {
        total -= messages
        lanes[lane]?.last = now
        if let left = lanes[lane]?.held[kind]?.messages {
            lanes[lane]?.held[kind]?.messages = left - messages
            if left == messages, kind != nil { lanes[lane]?.held[kind] = nil }
        }
        return hasRoom || isWanted(lane, at: now)
    }

    /// A batch is not here any more.
    mutating func free(bytes size: Int, of lane: Lane, at now: Instant) -> Bool {
        bytes -= size
        return hasRoom || isWanted(lane, at: now)
    }

    /// There is room again, for the first time since there was none.
    private var hasRoom: Bool {
        mutating get {
            guard isFull, !hasTooMuch else { return false }
            isFull = false
            return true
        }
    }

    /// What a lane's provider can use has changed.
    /// - Parameters:
    ///   - target: messages that are enough for now, from 1.
    ///   - isLimited: it is a limit of the lane that says so.
    mutating func adjust(_ lane: Lane, target: Int, isLimited: Bool = false) {
        lanes[lane]?.target = max(1, target)
        lanes[lane]?.isLimited = isLimited
    }

    /// The lanes whose provider's circuit breaker is open, each with the moment of its next probe; all others are closed.
    mutating func block(_ probes: [Lane: Instant]) { self.probes = probes }

    /// Forgets lanes of which nothing was here for long.
    mutating func forget(at now: Instant) {
        lanes = lanes.filter { $0.value.hasMore || $0.value.messages > 0 || $0.value.asked > 0 || now - $0.value.last < Self.memory }
    }

    /// Messages of a lane that are here.
    func messages(of lane: Lane) -> Int { lanes[lane]?.messages ?? 0 }
}
