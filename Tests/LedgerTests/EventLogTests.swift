import Model
import Policy
import Synchronization
import TestServers
import Testing

@testable import Ledger

/// Of many events the ledger keeps a log first, and counts them later: each once, whatever ends in between, with the same numbers as if
/// each had been counted at once.
@Suite struct EventLogTests {
    private let folder: TemporaryFolder
    private let id = Example.id()
    private let now = Example.start
    private let rules = EventRules(EventClassifier()) { _ in [3] }
    private static let agents = [
        "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0", "curl/8.5.0", "GoogleImageProxy",
    ]

    init() throws { folder = try TemporaryFolder() }

    private func open(_ engine: Engine, batches: [Int] = [70, 3, 2]) async throws -> (
        ledger: SQLLedger, engine: KilledEngine, number: UInt32
    ) {
        let whole = try #require(try await engine.open(folder) as? SQLLedger)
        let engine = KilledEngine(whole.engine)
        let ledger = SQLLedger(engine)
        try await Example.plan(ledger, batches: batches)
        return (ledger, engine, try #require(try await ledger.number(of: id)))
    }

    private func event(
        _ action: TrackedAction, _ number: UInt32, batch: UInt32 = 0, _ index: UInt32 = 0, link: UInt16 = 0, at: Int64 = 0,
        by method: TrackedMethod = .get, agent: Int = 0
    ) -> TrackedEvent {
        var event = TrackedEvent(action, by: method, mailing: number, batch: batch, index: index, link: link, time: now + at)
        (event.agent, event.visitor) = (Self.agents[agent], 7)
        return event
    }

    /// - Parameter most: events that are counted at once.
    private func write(
        _ ledger: SQLLedger, _ events: [TrackedEvent], from sequence: UInt64 = 0, countingAtMost most: Int = 0
    ) async throws -> EventSummary {
        let batch = EventBatch(source: 1, sequence: sequence, events: events)
        return try await ledger.write(events: [batch], letters: [], rules, countingAtMost: most, now: now)
    }

    /// Visits of people and machines, at times of their own, a few choices among them.
    private func visits(_ count: Int, _ number: UInt32, _ generator: inout SeededGenerator) -> [TrackedEvent] {
        (0..<count).map { place in
            let batch = UInt32.random(in: 0..<2, using: &generator)
            let kind = Int.random(in: 0..<20, using: &generator)
            let action: TrackedAction = kind == 0 ? .unsubscribe : kind == 1 ? .resubscribe : kind < 9 ? .open : kind < 18 ? .click : .view
            let isChoice = action.isChoice && Bool.random(using: &generator)
            return event(
                action, number, batch: batch, .random(in: 0..<(batch == 0 ? 70 : 3), using: &generator),
                link: action == .click ? .random(in: 0..<3, using: &generator) : 0,
                at: Int64(place) + .random(in: 0..<60, using: &generator) * 1000, by: isChoice ? .post : .get,
                agent: .random(in: 0..<3, using: &generator))
        }
    }

    /// What the events add up to where each recipient's are looked at once, all together: a model that has no log, no rows and no ledger.
    private func model(_ events: [TrackedEvent]) -> [TrackedAction: EventReport.Counts] {
        var found: [TrackedAction: EventReport.Counts] = [:]
        for visits in Dictionary(grouping: events, by: { [$0.batch, $0.index] }).values {
            let visits = visits.sorted { $0.time < $1.time }
            var seen: Set<[Int]> = []
            let classes = EventClassifier().classify(visits, linksOfParts: [3])
            for (visit, visitor) in zip(visits, classes) where !visit.action.isChoice || visit.method == .post {
                let isNew = seen.insert([Int(visit.action.rawValue)]).inserted
                let isNewOfClass = seen.insert([Int(visit.action.rawValue), Int(visitor.rawValue)]).inserted
                found[visit.action, default: .init()].all.total += 1
                found[visit.action]?.all.unique += isNew ? 1 : 0
                found[visit.action]?.classes[visitor, default: .init()].total += 1
                found[visit.action]?.classes[visitor]?.unique += isNewOfClass ? 1 : 0
            }
        }
        return found
    }

    /// Killed at any statement, and written again as an entry is that was not confirmed.
    @Test(arguments: Engine.all, 0..<3) func killedAnywhereItCountsEachOnce(engine: Engine, seed: UInt64) async throws {
        let (ledger, killed, number) = try await open(engine)
        var generator = SeededGenerator(seed: seed)
        let events = visits(300, number, &generator)
        var (sequence, kills) = (0, 0)
        func survive(_ body: () async throws -> Void) async throws {
            while true {
                killed.left.withLock { $0 = Bool.random(using: &generator) ? Int.random(in: 0..<25, using: &generator) : nil }
                defer { killed.left.withLock { $0 = nil } }
                do { return try await body() } catch LedgerError.refused("killed") { kills += 1 }
            }
        }
        while sequence < events.count {
            let end = min(events.count, sequence + .random(in: 1...60, using: &generator))
            let part = Array(events[sequence..<end])
            let most = [0, 20, 1000].randomElement(using: &generator) ?? 0
            try await survive { _ = try await write(ledger, part, from: UInt64(sequence), countingAtMost: most) }
            // It ended behind its commit: the entry is read again.
            if Bool.random(using: &generator) {
                #expect(try await write(ledger, part, from: UInt64(sequence)).duplicates == part.count)
            }
            if Int.random(in: 0..<4, using: &generator) == 0 {
                try await survive { _ = try await ledger.countEvents(of: nil, inSlicesOf: 30, rules, now: now) }
            }
            sequence = end
        }
        try await survive { _ = try await ledger.countEvents(inSlicesOf: 1, rules, now: now) { _ in } }
        #expect(kills > 0)
        let report = try #require(try await ledger.eventReport(id))
        #expect(report.actions == model(events) && report.waiting == 0)
        #expect(try await ledger.checkEvents(id) == [])
        // The last choice of each holds.
        for (place, visits) in Dictionary(
            grouping: events.filter { $0.action.isChoice && $0.method == .post }, by: { [$0.batch, $0.index] })
        {
            let last = visits.max { $0.time < $1.time }
            let found = try await ledger.suppressions(of: "p\(place[0])-\(place[1])@example.com", .email)
            #expect(found.isEmpty == (last?.action == .resubscribe))
        }
        // All of each visit is kept.
        for recipient in 0..<3 {
            let kept = try await ledger.recipient(id, "p1-\(recipient)@example.com")?.visits ?? []
            let expected = events.filter { $0.batch == 1 && $0.index == recipient }.sorted { $0.time < $1.time }
            #expect(kept.map(\.at) == expected.map(\.time) && kept.map(\.agent) == expected.map(\.agent))
        }
    }

    @Test(arguments: Engine.all) func aReportSaysWhatWaitsAndByWhichRulesItWasCounted(engine: Engine) async throws {
        let (ledger, _, number) = try await open(engine)
        #expect(try await write(ledger, (0..<5).map { event(.open, number, $0) }).logged == 5)
        let before = try #require(try await ledger.eventReport(id))
        #expect(before.waiting == 5 && before[.open].all.total == 0 && before.rules == [])
        #expect(try await ledger.checkEvents(id) == [])
        // Slices with fewer wait.
        let none = try await ledger.countEvents(of: nil, inSlicesOf: 6, rules, now: now)
        #expect(none.taken == 0 && none.waiting == 5)
        let done = try await ledger.countEvents(of: nil, inSlicesOf: 5, rules, now: now)
        #expect(done.taken == 5 && done.waiting == 0 && done.counted == [.open: 5])
        let after = try #require(try await ledger.eventReport(id))
        #expect(after.waiting == 0 && after[.open][.human] == .init(total: 5, unique: 5) && after.rules == [VisitorRules.builtInVersion])
        // Rules of another version apply to what comes, and to all after a recount.
        let other = EventRules(version: "2") { visits, _ in visits.map { _ in .machine } }
        let more = EventBatch(source: 2, sequence: 0, events: [event(.open, number, 9)])
        _ = try await ledger.write(events: [more], letters: [], other, now: now)
        #expect(try await ledger.eventReport(id)?.rules == ["2", VisitorRules.builtInVersion])
        #expect(try await ledger.recountEvents(id, other, note: AuditNote(.recount, actor: "ann"), now: now).changed == 5)
        let entry = try await ledger.audit(AuditFilter(), limit: 9).first
        #expect(entry?.order == "recount" && entry?.object == .mailing(id), "\(String(describing: entry))")
        #expect(entry?.after.contains(#""visits":5"#) == true, "\(String(describing: entry))")
        #expect(try await ledger.eventReport(id)?.rules == ["2"])
        #expect(try await ledger.eventReport(id)?[.open][.machine].total == 6)
    }

    /// What is found of visits behind their writing holds for those that wait as for those that are counted.
    @Test(arguments: Engine.all, [0, 1000]) func whatComesWithManyOfItsDomainIsAMachines(engine: Engine, most: Int) async throws {
        let (ledger, _, number) = try await open(engine)
        // They stand in two rows.
        let together = [event(.click, number, 0, link: 1, at: 5), event(.click, number, 66, link: 1, at: 5)]
        let others = [
            event(.click, number, 0, link: 2, at: 60_005), event(.open, number, 66, at: 90_000), event(.click, number, batch: 1, 2, at: 5),
        ]
        #expect(try await write(ledger, together + others, countingAtMost: most).logged == (most == 0 ? 5 : 0))
        let marks = together.compactMap { LinkVisit($0) }
        #expect(try await ledger.mark(marks, rules) == 2)
        #expect(try await ledger.mark(marks, rules) == 0)
        _ = try await ledger.countEvents(of: nil, inSlicesOf: 1, rules, now: now)
        let report = try #require(try await ledger.eventReport(id))
        #expect(report[.click][.machine] == .init(total: 2, unique: 2) && report[.click][.human].total == 2)
        #expect(report[.open][.human].total == 1 && report.rules == [VisitorRules.builtInVersion])
        #expect(try await ledger.checkEvents(id) == [])
        // A recount leaves it so.
        #expect(try await ledger.recountEvents(id, rules, now: now).changed == 0)
    }

    /// A recount counts first what waits.
    @Test(arguments: Engine.all) func aRecountTakesWhatWaits(engine: Engine) async throws {
        let (ledger, _, number) = try await open(engine)
        _ = try await write(ledger, (0..<5).map { event(.open, number, $0) })
        #expect(try await ledger.recountEvents(id, rules, now: now).events == 5)
        #expect(try await ledger.eventReport(id)?.waiting == 0)
    }

    /// Whoever unsubscribes does not wait, however many others come.
    @Test(arguments: Engine.all) func whatActsAtOnceDoesNotWait(engine: Engine) async throws {
        let (ledger, _, number) = try await open(engine)
        let choices = [event(.unsubscribe, number, 1, at: 50, by: .post), event(.unsubscribe, number, 2, at: 60, by: .post)]
        let summary = try await write(ledger, [event(.open, number), event(.open, number, 1)] + choices)
        #expect(summary.logged == 1 && summary.suppressed.count == 2 && summary.counted == [.open: 1, .unsubscribe: 2])
        // An earlier choice that comes late changes nothing, and a later one does.
        #expect(try await write(ledger, [event(.resubscribe, number, 1, at: 40, by: .post)], from: 4).unsuppressed == [])
        #expect(try await write(ledger, [event(.resubscribe, number, 2, at: 70, by: .post)], from: 5).unsuppressed.count == 1)
        #expect(try await write(ledger, [event(.unsubscribe, number, 2, at: 65, by: .post)], from: 6).suppressed == [])
        _ = try await ledger.countEvents(of: nil, inSlicesOf: 1, rules, now: now)
        #expect(try await ledger.checkEvents(id) == [])
        #expect(try await ledger.eventReport(id)?[.open].all == .init(total: 2, unique: 2))
    }

    @Test(arguments: Engine.all) func whatWaitsOfAnErasedPersonTellsOfNoVisitor(engine: Engine) async throws {
        let (ledger, _, number) = try await open(engine)
        _ = try await ledger.dispatchBatches([(id, 9)], now: now)
        _ = try await ledger.write(groups: [resultGroup(batch: 1, closing: .done, [sent(0), sent(1), sent(2)])], events: [], now: now)
        var (visit, other) = (event(.open, number, batch: 1), event(.open, number, batch: 1, 1))
        (visit.address, other.address) = ("192.0.2.7", "192.0.2.8")
        _ = try await write(ledger, [visit, other])
        _ = try await ledger.erase(ErasedPerson(["p1-0@example.com"]), note: nil, now: now)
        let logged = try await ledger.read("log") { db in
            try db.allRows("SELECT data FROM event_log").flatMap { try EventBatch(decoding: $0.read(0)).events }
        }
        #expect(logged.map(\.address) == ["", "192.0.2.8"] && logged.map(\.visitor) == [0, 7])
        _ = try await ledger.countEvents(of: nil, inSlicesOf: 1, rules, now: now)
        #expect(try await ledger.recipient(id, "r1-0")?.visits.map(\.address) == [""])
    }

    @Test(arguments: Engine.all) func aMailingThatIsPrunedDropsWhatWaits(engine: Engine) async throws {
        let (ledger, _, number) = try await open(engine)
        _ = try await write(ledger, [event(.open, number)])
        try await ledger.write("prune") { [id] db in try db.run("UPDATE mailing SET pruned = 1 WHERE id = ?", [id.description]) }
        let summary = try await ledger.countEvents(of: nil, inSlicesOf: 1, rules, now: now)
        #expect(summary.gone == 1 && summary.waiting == 0 && summary.counted == [:])
    }
}
