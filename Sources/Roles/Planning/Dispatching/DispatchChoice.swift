import HeapModule
import Model
import Policy

/// How many batches of which mailings are dispatched next: a few seconds of work for each lane. A lane is first in, first out, so that what
/// is dispatched of each mailing decides what it can reach: they share a lane by recipients, not by batches, whose sizes differ. It
/// guarantees that no lane gets more than its window, that every mailing with work gets some, and that nothing is dispatched while
/// uncollected results pile up.
struct DispatchChoice: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// A mailing with batches that can be dispatched now.
    struct Candidate: Sendable, Equatable {
        var mailing: MailingID
        var lane: Lane
        /// Its batches that Redis knows of: in the lane, with workers, or with results not yet collected.
        var known = 0
        /// The batches among them that are not nearly done: of others only a few recipients are left, with which the provider is slow.
        /// Nil where that is not known.
        var busy: Int?
        /// The batches among them most of whose recipients are open; the rest of others may wait for the limit of a domain. Nil where that
        /// is not known.
        var mostlyOpen: Int?
        /// Recipients in one of its batches, on average.
        var batchSize = 1.0
        /// Bytes of one of its batches, lately; 0 where that is not known.
        var batchBytes = 0.0
        /// Its limit; nil for none.
        var speed: RateLimit?

        /// Those that count towards what the mailing needs.
        var mostlyCounted: Int { min(counted, mostlyOpen ?? counted) }

        /// Those that count towards a window.
        var counted: Int { min(known, busy ?? known) }
    }

    /// How full a lane is.
    struct Depth: Sendable, Equatable {
        /// Batches that are ready or with workers.
        var entries = 0
        /// Those of them that a worker has.
        var pending = 0
    }

    /// Windows of batches at most that workers have done and that are not in the ledger yet.
    private static let uncollectedWindows = 3
    /// Batches that a lane gets though it was not seen to be emptied yet; fewer where there are many lanes.
    private static let least = 4
    /// Windows of batches of a lane at most, where only a few recipients of most are left.
    private static let remnants = 4
    /// Windows of batches that all lanes have together at least, however many there are.
    private static let windows = 4
    /// The longest time that a batch is reckoned to wait in its lane.
    private static let longestWait = Duration.seconds(30)

    /// Batches of a lane at most that are ready or with workers, without those that are nearly done.
    private let window: Int
    /// Bytes of a lane's batches at most, about; for all lanes together `windows` times as many.
    private let windowBytes: Int
    private var rates: [Lane: DrainRate] = [:]
    /// Recipients dispatched of each mailing, from where those of its lane stood when it came; one that wants nothing keeps up with the
    /// others, so that it has no arrears to catch up with.
    private var served: [MailingID: Double] = [:]
    /// How much work lanes get: that of the window, and of the time from one dispatch of a batch to the next where Redis is far.
    private var ahead = Timing.window
    /// Round trips to Redis in that time: of the dispatcher's turns, the workers and the collector.
    private static let roundTrips = 10

    init(window: Int, bytes: Int = 32 << 20) {
        self.window = window
        windowBytes = bytes
    }

    /// - Parameters:
    ///   - candidates: mailings that have something to be dispatched now.
    ///   - depths: of the candidates' lanes.
    ///   - workerCount: workers that are there.
    ///   - distance: how long Redis takes to answer.
    /// - Returns: how many batches of each, from 1, in the order in which they are to be dispatched.
    mutating func choose(
        _ candidates: [Candidate], depths: [Lane: Depth], workerCount: Int, distance: Duration = .zero, at now: Instant
    ) -> [(mailing: MailingID, limit: Int)] {
        rates = rates.filter { depths[$0.key] != nil }
        for (lane, depth) in depths { rates[lane, default: DrainRate()].note(entries: depth.entries, at: now) }
        ahead = Timing.window + distance * Self.roundTrips
        let least = max(1, min(Self.least, Self.windows * window / max(1, depths.count)))
        let bytes = Double(min(windowBytes, Self.windows * windowBytes / max(1, depths.count)))
        let known = served
        served = Dictionary(minimumCapacity: candidates.count)
        for one in candidates { served[one.mailing] = known[one.mailing] }
        return Dictionary(grouping: candidates, by: \.lane).flatMap { lane, candidates in
            choose(candidates, lane, depths[lane] ?? Depth(), least: least, bytes: bytes, workerCount: workerCount)
        }
    }

    private mutating func choose(
        _ candidates: [Candidate], _ lane: Lane, _ depth: Depth, least: Int, bytes: Double, workerCount: Int
    ) -> [(mailing: MailingID, limit: Int)] {
        let uncollected = candidates.reduce(-depth.entries) { $0 + $1.known }
        guard uncollected < Self.uncollectedWindows * window else { return [] }
        let ahead = max(least, min(window, rates[lane]?.batches(in: self.ahead) ?? 0))
        // Batches with workers may wait for reservations or retries: workers bound these themselves.
        let remnants = candidates.reduce(0) { $0 + $1.known - $1.counted }
        let room = min(window - max(0, depth.entries - remnants), Self.remnants * window - depth.entries)
        var left = max(0, min(room, ahead - max(0, depth.entries - depth.pending)))
        // Batches that the bytes allow; none is too large for a lane that is empty.
        let fitting = Self.fitting(candidates, bytes: bytes)
        left = min(left, max(depth.entries == 0 ? 1 : 0, fitting - depth.entries))
        // Its own batches delay no mailing.
        let wait = candidates.count > 1 ? rates[lane]?.time(for: depth.entries - depth.pending) ?? self.ahead : .zero
        let wanted = candidates.map { needed($0, wait: min(wait, Self.longestWait), workerCount: workerCount) }
        // Batches that wait in workers must not keep other mailings out: each mailing gets one of its own, and those a few of which the
        // fewest recipients were dispatched.
        let few = max(1, min(least, min(window, fitting) / 8) / candidates.count)
        let fewest = zip(candidates, wanted).filter { $1 > 0 }.compactMap { served[$0.0.mailing] }.min() ?? 0
        var limits = zip(candidates, wanted).map { one, wanted in
            max(0, min(wanted, (served[one.mailing] ?? fewest <= fewest ? few : 1) - one.counted))
        }
        for (one, limit) in zip(candidates, limits) {
            served[one.mailing] = max(fewest, served[one.mailing] ?? fewest) + Double(limit) * one.batchSize
        }
        left -= limits.reduce(0, +)
        share(left, among: candidates, wanted: wanted, limits: &limits)
        return zip(candidates, limits).compactMap { $1 > 0 ? (mailing: $0.mailing, limit: $1) : nil }
    }

    /// Gives the next batch to the mailing of which the fewest recipients were dispatched, and so on.
    private mutating func share(_ batches: Int, among candidates: [Candidate], wanted: [Int], limits: inout [Int]) {
        guard batches > 0 else { return }
        var queue = Heap(
            candidates.indices.filter { limits[$0] < wanted[$0] }.map { Turn(served: served[candidates[$0].mailing] ?? 0, place: $0) })
        for _ in 0..<batches {
            guard var turn = queue.popMin() else { return }
            limits[turn.place] += 1
            turn.served += candidates[turn.place].batchSize
            served[candidates[turn.place].mailing] = turn.served
            if limits[turn.place] < wanted[turn.place] { queue.insert(turn) }
        }
    }

    /// A mailing that waits for its turn in a lane.
    private struct Turn: Comparable {
        var served: Double
        /// Among the candidates.
        var place: Int

        static func < (one: Turn, other: Turn) -> Bool { (one.served, one.place) < (other.served, other.place) }
    }

    /// How many batches have so many bytes. All count like those of the mailing with the largest, which may be dispatched first.
    private static func fitting(_ candidates: [Candidate], bytes: Double) -> Int {
        let largest = candidates.lazy.map(\.batchBytes).max() ?? 0
        return largest > 0 ? max(1, Int(min(1e6, bytes / largest))) : .max
    }

    /// A slow mailing gets what it needs in the next seconds, and while its next batch waits behind those of others in the lane, with a
    /// batch for each worker: one alone may not manage all, and a lost worker keeps its part until its lease has expired. Batches whose
    /// last recipients wait for something else, such as the limit of a domain, do not take the place of others, up to a bound.
    private func needed(_ one: Candidate, wait: Duration, workerCount: Int) -> Int {
        guard let speed = one.speed else { return .max }
        let ahead = Int(min(1e6, (ahead + wait).seconds * speed.perSecond / max(1, one.batchSize)).rounded(.up))
        return min(ahead + workerCount - one.mostlyCounted, Self.remnants * (ahead + workerCount) - one.counted)
    }

    /// Batches were made ready in a lane.
    mutating func dispatched(_ count: Int, to lane: Lane) { rates[lane]?.dispatched(count) }
}
