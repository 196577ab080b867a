import Model
import Policy
import Testing

@testable import Planning

/// Which mailings get how many batches.
@Suite struct DispatchChoiceTests {
    private static let start = ContinuousClock.now
    private let lane = Lane(channel: .email, provider: "p")
    private let window = 64

    private func mailing(_ number: Int) -> MailingID {
        var generator = SeededGenerator(seed: UInt64(number))
        return MailingID(milliseconds: Int64(number), using: &generator)
    }

    private func candidate(
        _ number: Int, known: Int = 0, busy: Int? = nil, mostlyOpen: Int? = nil, batchSize: Double = 500, speed: String? = nil
    ) throws -> DispatchChoice.Candidate {
        DispatchChoice.Candidate(
            mailing: mailing(number), lane: lane, known: known, busy: busy, mostlyOpen: mostlyOpen, batchSize: batchSize,
            speed: try speed.map { try RateLimit($0) })
    }

    private func chosen(
        _ candidates: [DispatchChoice.Candidate], _ depth: DispatchChoice.Depth = .init(), workerCount: Int = 1
    ) -> [MailingID: Int] {
        var choice = DispatchChoice(window: window)
        let chosen = choice.choose(candidates, depths: [lane: depth], workerCount: workerCount, at: Self.start)
        return Dictionary(uniqueKeysWithValues: chosen.map { ($0.mailing, $0.limit) })
    }

    @Test func largeBatchesFillALaneSooner() throws {
        var one = try candidate(1)
        one.batchBytes = 8_000_000
        let lane = lane
        func chosen(entries: Int) -> Int {
            var choice = DispatchChoice(window: window, bytes: 32_000_000)
            one.known = entries
            return choice.choose([one], depths: [lane: .init(entries: entries)], workerCount: 1, at: Self.start).first?.limit ?? 0
        }
        #expect(chosen(entries: 0) == 4 && chosen(entries: 3) == 1 && chosen(entries: 4) == 0)
        // One that is larger than the window is dispatched alone.
        one.batchBytes = 100_000_000
        #expect(chosen(entries: 0) == 1 && chosen(entries: 1) == 0)
    }

    /// It takes that much longer until a batch that was done is replaced by another.
    @Test func aMailingWithASpeedGetsMoreWhereRedisIsFar() throws {
        let one = try candidate(1, known: 4, busy: 4, speed: "600/s")
        let depth = DispatchChoice.Depth(entries: 4, pending: 4)
        for (milliseconds, batches) in [(0, 1), (1, 1), (60, 2), (200, 3)] {
            var choice = DispatchChoice(window: window)
            let chosen = choice.choose(
                [one], depths: [lane: depth], workerCount: 2, distance: .milliseconds(milliseconds), at: Self.start)
            #expect(chosen.first?.limit == batches)
        }
    }

    @Test func anEmptyLaneGetsSomeAndOneThatIsEmptiedFastGetsItsWindow() throws {
        var choice = DispatchChoice(window: window)
        var entries = 0
        for turn in 0..<20 {
            let limits = choice.choose(
                [try candidate(1, known: entries)], depths: [lane: .init(entries: entries)], workerCount: 1, at: Self.start + .seconds(turn)
            )
            let new = limits.first?.limit ?? 0
            if turn == 0 { #expect(new == 4) }
            if turn == 19 { #expect(entries + new == window) }
            choice.dispatched(new, to: lane)
            // All of it is through in a second.
            entries = 0
        }
    }

    @Test func whatIsReadyIsSharedEvenly() throws {
        let chosen = chosen(try (1...4).map { try candidate($0) })
        #expect(chosen.values.sorted() == [1, 1, 1, 1])
    }

    @Test func aMailingIsNotKeptOutByWhatWaitsInWorkers() throws {
        let chosen = chosen([try candidate(1, known: 64), try candidate(2)], .init(entries: 64, pending: 64))
        #expect(chosen == [mailing(2): 2])
    }

    /// Batches of which one recipient is left, with whom the provider is slow, do not keep the others from being dispatched.
    @Test func batchesThatAreNearlyDoneDoNotCount() throws {
        let slow = try candidate(1, known: 60, busy: 1, batchSize: 40, speed: "40/s")
        #expect(chosen([slow], .init(entries: 60, pending: 60))[slow.mailing] == 2)
        let full = try candidate(1, known: 60, busy: 60, batchSize: 40, speed: "40/s")
        #expect(chosen([full], .init(entries: 60, pending: 60)).isEmpty)
        // Redis holds a bounded number of them.
        let many = try candidate(1, known: 4 * window, busy: 1, batchSize: 500)
        #expect(chosen([many], .init(entries: 4 * window, pending: 4 * window))[many.mailing] ?? 0 <= window / 8)
    }

    /// Batches of which a third is left, which waits for the limit of a domain, do not keep the others from being dispatched.
    @Test func batchesWhoseRestWaitsForADomainTakeNoPlaceOfOthers() throws {
        func limit(busy: Int, mostlyOpen: Int) throws -> Int {
            let one = try candidate(1, known: busy, busy: busy, mostlyOpen: mostlyOpen, batchSize: 300, speed: "300/s")
            return chosen([one], .init(entries: busy, pending: busy))[one.mailing] ?? 0
        }
        #expect(try limit(busy: 3, mostlyOpen: 3) == 0)
        #expect(try limit(busy: 3, mostlyOpen: 1) == 2)
        #expect(try limit(busy: 5, mostlyOpen: 0) == 3)
        // Redis holds a bounded number of them.
        #expect(try limit(busy: 11, mostlyOpen: 0) == 1)
        #expect(try limit(busy: 12, mostlyOpen: 0) == 0)
    }

    @Test func nothingIsDispatchedWhileResultsPileUp() throws {
        #expect(chosen([try candidate(1, known: 3 * window)]).isEmpty)
        #expect(chosen([try candidate(1, known: 2 * window), try candidate(2, known: window + 10)], .init(entries: 9)).isEmpty)
        #expect(!chosen([try candidate(1, known: 3 * window - 1)]).isEmpty)
        // What is in the lane is not piled up.
        #expect(!chosen([try candidate(1, known: 3 * window)], .init(entries: 10, pending: 10)).isEmpty)
    }

    @Test func aSlowMailingGetsItsNextSecondsForEachWorker() throws {
        // Two seconds at 10/s are two batches of ten; and one for each of three workers, but no more at a time than a lane gets.
        #expect(chosen([try candidate(1, batchSize: 10, speed: "10/s")], workerCount: 3).values.first == 4)
        #expect(chosen([try candidate(1, known: 4, batchSize: 10, speed: "10/s")], workerCount: 3) == [mailing(1): 1])
        #expect(chosen([try candidate(1, known: 5, batchSize: 10, speed: "10/s")], workerCount: 3).isEmpty)
        #expect(chosen([try candidate(1, batchSize: 500, speed: "1/d")]) == [mailing(1): 2])
    }

    @Test func manyLanesHaveFewBatchesEach() throws {
        var choice = DispatchChoice(window: window)
        let lanes = (0..<1_000).map { Lane(channel: .email, provider: "\($0)") }
        let candidates = lanes.enumerated().map { DispatchChoice.Candidate(mailing: mailing($0), lane: $1) }
        let depths = Dictionary(uniqueKeysWithValues: lanes.map { ($0, DispatchChoice.Depth()) })
        let chosen = choice.choose(candidates, depths: depths, workerCount: 4, at: Self.start)
        #expect(chosen.count == 1_000 && chosen.allSatisfy { (1...4).contains($0.limit) })
    }

    @Test func whateverHappensNoLaneIsFilledAndNoMailingStarves() {
        for seed in 0..<2_000 as Range<UInt64> {
            var run = DispatchRun(seed: seed)
            for _ in 0..<40 where run.problem == nil { run.turn() }
            if let problem = run.problem { Issue.record("seed \(seed): \(problem)") }
        }
    }
}

/// Mailings that are dispatched, workers that are fast or hang, and collectors that lag.
private struct DispatchRun {
    private struct Work {
        var lane: Lane
        var left: Int
        var ready = 0
        var pending = 0
        var uncollected = 0
        var speed: RateLimit?
        var batchSize: Double
        /// Turns in a row that it had work, its lane was not blocked, and nothing of it was anywhere.
        var starved = 0
        var known: Int { ready + pending + uncollected }
    }

    private var random: SeededGenerator
    private let window: Int
    private var choice: DispatchChoice
    private var now = ContinuousClock.now
    private var work: [MailingID: Work] = [:]
    private var ids: [MailingID] = []
    private let workerCount: Int
    private var isSlow: [Lane: Bool] = [:]
    private let hasSlowCollectors: Bool
    var problem: String?

    init(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        window = [8, 16, 64].randomElement(using: &random) ?? 8
        choice = DispatchChoice(window: window)
        workerCount = Int.random(in: 1...5, using: &random)
        hasSlowCollectors = Bool.random(using: &random)
        let lanes = (0..<Int.random(in: 1...4, using: &random)).map { Lane(channel: .email, provider: "\($0)") }
        for lane in lanes { isSlow[lane] = Bool.random(using: &random) }
        for number in 0..<Int.random(in: 1...12, using: &random) {
            let speed = Int.random(in: 0..<3, using: &random) == 0 ? try? RateLimit("\(Int.random(in: 1...100, using: &random))/s") : nil
            let id = MailingID(milliseconds: Int64(number), using: &random)
            ids.append(id)
            work[id] = Work(
                lane: lanes[number % lanes.count], left: Int.random(in: 1...300, using: &random), speed: speed,
                batchSize: Double(Int.random(in: 1...500, using: &random)))
        }
        self.random = random
    }

    private func depth(_ lane: Lane) -> DispatchChoice.Depth {
        work.values.filter { $0.lane == lane }.reduce(into: DispatchChoice.Depth()) {
            $0.entries += $1.ready + $1.pending
            $0.pending += $1.pending
        }
    }

    mutating func turn() {
        now += .milliseconds(Int.random(in: 5...1_500, using: &random))
        let candidates = ids.compactMap { id -> DispatchChoice.Candidate? in
            guard let one = work[id], one.left > 0 else { return nil }
            return .init(mailing: id, lane: one.lane, known: one.known, batchSize: one.batchSize, speed: one.speed)
        }
        let lanes = Set(candidates.map(\.lane))
        let depths = Dictionary(uniqueKeysWithValues: lanes.map { ($0, depth($0)) })
        let chosen = choice.choose(candidates, depths: depths, workerCount: workerCount, at: now)
        if Set(chosen.map(\.mailing)).count != chosen.count { problem = "a mailing is chosen twice" }
        for (id, limit) in chosen {
            guard let one = work[id] else { continue }
            if limit < 1 { problem = "\(limit) batches are chosen" }
            if let speed = one.speed {
                // Also while it waits behind the batches of others, which is reckoned to take half a minute at most.
                let seconds = ((Timing.window.seconds + 30) * speed.perSecond / one.batchSize).rounded(.up)
                if one.known + limit > 2 * (Int(seconds) + workerCount) { problem = "a slow mailing has more than its seconds" }
                if one.known == 0, limit < 1 { problem = "a slow mailing has nothing" }
            }
            work[id]?.ready += min(limit, one.left)
            work[id]?.left -= min(limit, one.left)
        }
        for lane in lanes {
            let here = candidates.filter { $0.lane == lane }
            let before = depths[lane] ?? .init()
            let isBlocked = here.reduce(-before.entries) { $0 + $1.known } >= 3 * window
            let limits = chosen.filter { work[$0.mailing]?.lane == lane }
            if isBlocked, !limits.isEmpty { problem = "dispatched while results pile up" }
            // A few of its own for each mailing, beyond the window, where workers hold what fills it.
            if limits.reduce(before.entries, { $0 + $1.limit }) > max(before.entries, window) + max(window / 8, here.count) {
                problem = "\(lane) is filled"
            }
            for one in here where !isBlocked && one.known == 0 && !limits.contains(where: { $0.mailing == one.mailing }) {
                problem = "a mailing with work and nothing dispatched gets nothing"
            }
            choice.dispatched(limits.reduce(0) { $0 + $1.limit }, to: lane)
        }
        workers()
    }

    private mutating func workers() {
        for id in ids {
            guard let one = work[id] else { continue }
            let most = isSlow[one.lane] == true ? 1 : 40
            let taken = min(one.ready, Int.random(in: 0...most, using: &random))
            let done = min(one.pending, Int.random(in: 0...most, using: &random))
            let collected = min(one.uncollected, Int.random(in: 0...(hasSlowCollectors ? 2 : 100), using: &random))
            work[id]?.ready -= taken
            work[id]?.pending += taken - done
            work[id]?.uncollected += done - collected
        }
    }
}
