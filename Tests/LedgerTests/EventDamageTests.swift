import Foundation
import GRDB
import Logging
import Model
import Policy
import TestServers
import Testing

@testable import Ledger

/// What is damaged holds up no other's events, and strangers do not make a ledger grow without bound.
@Suite struct EventDamageTests {
    private let folder: TemporaryFolder
    private let ledger: SQLiteLedger
    private let number: UInt32
    private let id = Example.id()
    private let now = Example.start

    init() async throws {
        folder = try TemporaryFolder()
        ledger = try SQLiteLedger.open(folder.path("ledger.sqlite"), logger: Logger(label: "test"))
        try await Example.plan(ledger, batches: [70, 2])
        number = try #require(try await ledger.number(of: Example.id()))
    }

    private func event(_ action: TrackedAction, _ index: UInt32, at: Int64 = 0, agent: String = "Mozilla/5.0") -> TrackedEvent {
        let method: TrackedMethod = action == .unsubscribe ? .post : .get
        var event = TrackedEvent(action, by: method, mailing: number, batch: 0, index: index, time: now + at)
        event.agent = agent
        return event
    }

    private func write(
        _ events: [TrackedEvent], source: UInt64 = 1, from sequence: UInt64 = 0, _ rules: EventRules = .none, after days: Int64 = 0
    ) async throws -> EventSummary {
        let batch = EventBatch(source: source, sequence: sequence, events: events)
        return try await ledger.write(events: [batch], letters: [], rules, now: now + days * 86_400_000)
    }

    private func execute(_ sql: String) async throws { try await ledger.pool.write { db in try db.execute(sql: sql) } }

    private func count(_ table: String) async throws -> Int? {
        try await ledger.pool.read { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM \(table)") }
    }

    @Test func aDamagedRecipientHoldsUpNoOther() async throws {
        _ = try await write([event(.open, 0), event(.open, 1), event(.open, 64)])
        try await execute("UPDATE event_group SET data = x'ff' WHERE part = 0")
        let visits = [event(.open, 0, at: 5), event(.unsubscribe, 0, at: 6), event(.open, 65, at: 7)]
        let summary = try await write(visits, from: 3)
        #expect(summary.invalid == 2 && summary.counted == [.open: 1] && summary.damage != nil)
        #expect(summary.suppressed.map(\.key.address) == ["p0-0@example.com"])
    }

    /// Of the others in its row the events are sound.
    @Test func damagedEventsOfARecipientHoldUpNoNeighbour() async throws {
        var group = StoredEventGroup()
        group.set(packed: [0xff], at: 0)
        let bytes = Data(group.bytes)
        try await ledger.pool.write { [id] db in
            try db.execute(
                sql: "INSERT INTO event_group (mailing, batch, part, data) VALUES (?, 0, 0, ?)", arguments: [id.description, bytes])
        }
        let summary = try await write([event(.open, 0), event(.open, 1)])
        #expect(summary.invalid == 1 && summary.counted == [.open: 1])
        #expect(try await ledger.recipient(id, "r0-1")?.visits.count == 1)
    }

    @Test func damagedEventsOfTheLogAreDeadLetters() async throws {
        let visits = (0..<3).map { event(.open, $0) }
        let batch = EventBatch(source: 1, sequence: 0, events: visits)
        _ = try await ledger.write(events: [batch], letters: [], .none, countingAtMost: 0, now: now)
        try await execute("INSERT INTO event_log (mailing, slice, n, data) SELECT mailing, slice, 2, x'ff' FROM event_log")
        let summary = try await ledger.countEvents(of: nil, inSlicesOf: 1, .none, now: now)
        #expect(summary.taken == 5 && summary.invalid == 2 && summary.counted == [.open: 3] && summary.waiting == 0)
        #expect(try await ledger.deadLetters(after: nil, limit: 9).map(\.letter.reason.isEmpty) == [false])
        // Nobody's: it is told by the check, and holds up nothing.
        try await execute("INSERT INTO event_log (mailing, slice, n, data) VALUES ('x', 0, 1, x'ff')")
        #expect(try await ledger.countEvents(inSlicesOf: 1, .none, now: now) { _ in } == false)
    }

    @Test func aDamagedSourceHoldsUpNoOther() async throws {
        _ = try await write([event(.open, 0)])
        try await execute("UPDATE event_source SET counted = 'x-y'")
        let summary = try await write([event(.open, 0, at: 5), event(.unsubscribe, 1, at: 6)], from: 1)
        #expect(summary.invalid == 2 && summary.counted == [:] && summary.damage != nil)
        #expect(summary.suppressed.map(\.key.address) == ["p0-1@example.com"])
        #expect(try await write([event(.open, 2)], source: 2).counted == [.open: 1])
    }

    @Test func anUnreadableMailingHasVisitors() async throws {
        let rules = EventRules(links: { _ in [3] }) { visits, links in
            visits.map { _ in links.isEmpty ? VisitorClass.human : VisitorClass.machine }
        }
        try await execute("CREATE TABLE kept AS SELECT definition FROM mailing; UPDATE mailing SET definition = '{}'")
        #expect(try await write([event(.open, 0)], rules).counted == [.open: 1])
        #expect(try await ledger.eventReport(id)?[.open][.human].total == 1)
        // Once it can be read, it is.
        try await execute("UPDATE mailing SET definition = (SELECT definition FROM kept)")
        #expect(try await write([event(.open, 1)], from: 1, rules).counted == [.open: 1])
        #expect(try await ledger.eventReport(id)?[.open][.machine].total == 1)
    }

    @Test func onlyAgentsOfKeptEventsAreKept() async throws {
        let summary = try await write((0..<700).map { event(.open, 0, at: Int64($0), agent: "agent \($0)") })
        #expect(summary.excess == 200)
        #expect(try await count("event_client") == 500)
    }

    @Test func agentsBeyondTheBoundAreOne() async throws {
        try await execute("INSERT INTO event_client (id, agent, network) VALUES (\(EventClients.most), 'x', '')")
        _ = try await write([event(.open, 0, agent: "a"), event(.open, 1, agent: "b"), event(.open, 2, agent: "x")])
        #expect(try await count("event_client") == 2)
        #expect(try await ledger.recipient(id, "r0-0")?.visits.map(\.agent) == [EventClients.other])
        #expect(try await ledger.recipient(id, "r0-2")?.visits.map(\.agent) == ["x"])
    }

    @Test func aSourceThatIsNotHeardOfIsForgotten() async throws {
        _ = try await write([event(.open, 0)])
        _ = try await write([event(.open, 0)], source: 2, after: 29)
        #expect(try await count("event_source") == 2)
        _ = try await write([event(.open, 0)], source: 3, after: 31)
        #expect(try await count("event_source") == 2)
    }
}
