import Foundation
import GRDB
import Logging
import Model
import Policy
import TestServers
import Testing

@testable import Ledger

@Suite struct EventGroupTests {
    private func events(_ count: Int, _ generator: inout SeededGenerator) -> [StoredEvent] {
        (0..<count).map { place in
            let action = TrackedAction.allCases.randomElement(using: &generator) ?? .open
            let method: TrackedMethod = Bool.random(using: &generator) ? .get : .post
            let hour = Int64.random(in: 0..<3, using: &generator) * 3_600_000
            var stored = StoredEvent(
                TrackedEvent(
                    action, by: method, mailing: 0, batch: 0, index: 0, link: .random(in: 0..<3, using: &generator),
                    time: Int64(place) + hour), client: 3)
            stored.visitor = VisitorClass.allCases.randomElement(using: &generator) ?? .human
            return stored
        }.sorted { $0.time < $1.time }
    }

    @Test func whatIsPackedIsReadAgain() throws {
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<200 {
            var group = StoredEventGroup()
            var expected: [Int: [StoredEvent]] = [:]
            for _ in 0..<Int.random(in: 0..<20, using: &generator) {
                let place = Int.random(in: 0..<StoredEventGroup.size, using: &generator)
                expected[place] = events(.random(in: 0..<5, using: &generator), &generator)
                group.set(expected[place] ?? [], at: place)
            }
            let read = try StoredEventGroup(group.bytes)
            #expect(read.places == expected.filter { !$0.value.isEmpty }.keys.sorted())
            for place in 0..<StoredEventGroup.size { #expect(try read.events(at: place) == expected[place] ?? []) }
        }
    }

    /// A damaged row is an error and never a trap.
    @Test func whateverTheBytesAreNothingTraps() {
        var generator = SeededGenerator(seed: 2)
        var good = StoredEventGroup()
        for place in [0, 5, 63] { good.set(events(3, &generator), at: place) }
        for _ in 0..<20_000 {
            var bytes = good.bytes
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bytes[Int.random(in: bytes.indices, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            bytes = Array(bytes.prefix(.random(in: 0...bytes.count, using: &generator)))
            guard let group = try? StoredEventGroup(bytes) else { continue }
            for place in group.places { _ = try? group.events(at: place) }
        }
    }

    /// What a change adds is what all that is there adds up to.
    @Test func aTallyOfChangesIsThatOfTheWhole() {
        var generator = SeededGenerator(seed: 3)
        var changing = EventTally()
        var recipients = [[StoredEvent]](repeating: [], count: 10)
        for _ in 0..<300 {
            let place = Int.random(in: 0..<10, using: &generator)
            let after = events(.random(in: 0..<8, using: &generator), &generator)
            changing.change(from: recipients[place], to: after)
            recipients[place] = after
        }
        var counts: [EventTally.Key: EventTally.Count] = [:]
        var hours: [EventTally.Hour: Int] = [:]
        for events in recipients {
            var seen: Set<EventTally.Key> = []
            for event in events where event.isCounted {
                var keys = [EventTally.Key(nil, event.action), EventTally.Key(event.visitor, event.action)]
                if event.action == .click {
                    keys += [EventTally.Key(nil, .click, link: event.link), EventTally.Key(event.visitor, .click, link: event.link)]
                }
                for key in keys {
                    counts[key, default: .init()].events += 1
                    if seen.insert(key).inserted { counts[key]?.recipients += 1 }
                }
                hours[.init(hour: event.time / 3_600_000, visitor: event.visitor, action: event.action), default: 0] += 1
            }
        }
        #expect(changing.counts.filter { $0.value != EventTally.Count() } == counts)
        #expect(changing.hours.filter { $0.value != 0 } == hours)
    }

    /// A ledger of the release before, in which each recipient had a row.
    @Test func theRowsOfBeforeAreTakenOver() async throws {
        let folder = try TemporaryFolder()
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let path = folder.path("ledger.sqlite")
        var generator = SeededGenerator(seed: 4)
        let places = [(0, 0), (0, 1), (0, 63), (0, 64), (1, 200)]
        let old = places.map { (batch: $0.0, index: $0.1, events: events(4, &generator)) }
        try SQLiteLedger.open(path, logger: quiet).close()
        let file = try DatabaseQueue(path: path)
        try await file.write { db in
            try db.execute(
                sql: """
                    DROP TABLE event_log; DROP TABLE event_group; DROP TABLE event_rules;
                    CREATE TABLE event_recipient (
                        mailing TEXT NOT NULL, batch INTEGER NOT NULL, idx INTEGER NOT NULL, data BLOB NOT NULL,
                        PRIMARY KEY (mailing, batch, idx)) STRICT, WITHOUT ROWID;
                    DELETE FROM grdb_migrations WHERE identifier LIKE '34 %';
                    """)
            for row in old {
                try db.execute(
                    sql: "INSERT INTO event_recipient (mailing, batch, idx, data) VALUES ('m', ?, ?, ?)",
                    arguments: [row.batch, row.index, Data(row.events.packed())])
            }
        }
        try file.close()
        let ledger = try SQLiteLedger.open(path, logger: quiet)
        let url = try await PostgreSQLServer.shared.database()
        try SQLLedger.open(postgreSQL: url, logger: quiet).close()
        let connection = try PostgreSQLConnection(url: url)
        try connection.prepareSession()
        try connection.run(
            """
            DROP TABLE event_log; DROP TABLE event_group; DROP TABLE event_rules;
            CREATE TABLE event_recipient (
                mailing word, batch bigint, idx integer, data bytea NOT NULL, PRIMARY KEY (mailing, batch, idx));
            DELETE FROM flotilla_migration WHERE name LIKE '34 %';
            """)
        for row in old {
            let data = row.events.packed().map { String(format: "%02x", $0) }.joined()
            try connection.run("INSERT INTO event_recipient VALUES ('m', \(row.batch), \(row.index), '\\x\(data)')")
        }
        let server = try SQLLedger.open(postgreSQL: url, logger: quiet)
        for ledger in [ledger, server] {
            let found = try await ledger.read("groups") { db in
                try db.allRows("SELECT batch, part, data FROM event_group WHERE mailing = 'm' ORDER BY batch, part").flatMap { row in
                    let (batch, part): (Int, Int) = try (row.read(0), row.read(1))
                    let group = try StoredEventGroup(row.read(2))
                    return try group.places.map { (batch, part * StoredEventGroup.size + $0, try group.events(at: $0)) }
                }
            }
            #expect(found.map(\.0) == old.map(\.batch) && found.map(\.1) == old.map(\.index) && found.map(\.2) == old.map(\.events))
        }
    }

    @Test func eventsAreCountedOnceManyAreThereOrNoneComes() {
        var pace = EventPace()
        // What was left by another.
        #expect(pace.least(at: 0) == 1)
        pace.noteCounted(isEmpty: true, at: 0)
        #expect(pace.least(at: 100) == nil && pace.least(at: EventPace.idle) == 1)
        // Few are counted as they are written.
        pace.noteWrite(logged: 0, isBusy: true, at: 200)
        #expect(pace.least(at: 200) == nil)
        pace.noteWrite(logged: 5000, isBusy: true, at: 300)
        #expect(pace.least(at: 310) == EventPace.slice)
        pace.noteCounted(isEmpty: false, at: 320)
        #expect(pace.least(at: 330) == nil && pace.least(at: 300 + EventPace.quiet) == 1)
        pace.noteWrite(logged: 5000, isBusy: true, at: EventPace.longest)
        #expect(pace.least(at: EventPace.longest) == 1)
        pace.noteCounted(isEmpty: true, at: EventPace.longest)
        pace.noteWrite(logged: 5000, isBusy: false, at: EventPace.longest + 1)
        #expect(pace.least(at: EventPace.longest + 1) == 1)
    }
}
