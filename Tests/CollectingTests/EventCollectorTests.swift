import Foundation
import Ledger
import Logging
import Model
import Policy
import ServiceLifecycle
import Signing
import TestServers
import Testing

@testable import Broker
@testable import Collecting

@Suite(.timeLimit(.minutes(5)))
struct EventCollectorTests {
    private let setup: CollectorSetup
    private let quiet = CollectorSetup.quiet
    private var broker: Broker { setup.broker }
    private var ledger: SQLiteLedger { setup.ledger }
    private var id: MailingID { setup.id }
    private let number: UInt32

    init() async throws {
        setup = try await CollectorSetup()
        number = try #require(try await setup.ledger.number(of: setup.id))
    }

    private func batch(_ part: Int) -> EventBatch {
        let events = (0..<10).map { TrackedEvent(.open, mailing: number, batch: 0, index: UInt32($0), time: Int64(part * 100 + $0)) }
        return EventBatch(source: 3, sequence: UInt64(part * 10), events: events)
    }

    /// The stream of the mailing's events.
    private var stream: Int { EventStreams.number(of: number) }

    private func collector(_ name: String, _ rules: EventRules = .none) -> EventCollector {
        EventCollector(broker: broker, ledger: ledger, rules: rules, name: name, abandoned: .zero, logger: quiet)
    }

    private func left() async throws -> Int { try await EventStreams(broker).depths().reduce(0) { $0 + $1.entries } }

    /// Runs a collector until nothing is left in the streams.
    private func collect(_ name: String) async throws {
        try await setup.running(collector(name), until: "all is taken") { try await left() == 0 }
    }

    @Test func eventsReachTheLedger() async throws {
        let streams = EventStreams(broker)
        for part in 0..<20 { #expect(try await streams.append([batch(part).encoded()], to: stream)) }
        try await collect("c")
        #expect(try await ledger.eventReport(id)?[.open].all == .init(total: 200, unique: 10))
        #expect(try await ledger.checkEvents(id) == [])
        await streams.close()
        await broker.close()
        try ledger.close()
    }

    /// A collector that ends between its commit and the confirmation leaves entries that another reads again: they count once.
    @Test func anEndBetweenCommitAndConfirmationCountsNothingTwice() async throws {
        let streams = EventStreams(broker)
        for part in 0..<6 { #expect(try await streams.append([batch(part).encoded()], to: stream)) }
        // It has read and written four of them, and is gone.
        let read = try await streams.read(consumer: "dead", count: 8, block: nil)
        #expect(!read.isEmpty)
        _ = try await ledger.write(events: read.compactMap(\.batch), letters: [], .none, now: 5)
        #expect(try await left() == 6)
        try await collect("c")
        #expect(try await ledger.eventReport(id)?[.open].all == .init(total: 60, unique: 10))
        #expect(try await ledger.checkEvents(id) == [])
        await streams.close()
        await broker.close()
        try ledger.close()
    }

    /// A collector that ends between its commit and the telling of workers leaves that to whoever reads the entries again.
    @Test func workersHearOfAnUnsubscribingThatWasCountedBefore() async throws {
        let streams = EventStreams(broker)
        let event = TrackedEvent(.unsubscribe, by: .post, mailing: number, batch: 0, index: 1, time: 5)
        #expect(
            try await streams.append([EventBatch(source: 3, sequence: 0, events: [event]).encoded()], to: EventStreams.number(of: number)))
        let read = try await streams.read(consumer: "dead", count: 8, block: nil)
        #expect(try await ledger.write(events: read.compactMap(\.batch), letters: [], .none, now: 5).suppressed.count == 1)
        try await collect("c")
        let told = try await RecentSuppressions(broker).read(after: "").entries
        let hasher = try AddressHasher(ledger: try await ledger.identity())
        #expect(told.map(\.key.address) == [hasher.text(of: "p1@example.com")])
        await streams.close()
        await broker.close()
        try ledger.close()
    }

    /// A gateway looks at a message for its whole domain.
    @Test func aLinkThatManyOfADomainFollowAtOnceIsAMachines() async throws {
        let streams = EventStreams(broker)
        func click(_ recipient: Int, at time: Int64) -> TrackedEvent {
            var event = TrackedEvent(.click, mailing: number, batch: 0, index: UInt32(recipient), link: 2, time: time)
            event.agent = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"
            return event
        }
        // They come in several entries, and one comes later.
        let clicks = (0..<6).map { click($0, at: Int64($0) * 200) } + [click(9, at: 20_000)]
        for (sequence, event) in clicks.enumerated() {
            let batch = EventBatch(source: 4, sequence: UInt64(sequence), events: [event])
            #expect(try await streams.append([batch.encoded()], to: stream))
        }
        let rules = EventRules(EventClassifier()) { _ in [] }
        #expect(await collector("c", rules).drain())
        let report = try #require(try await ledger.eventReport(id))
        #expect(report[.click][.machine] == .init(total: 6, unique: 6) && report[.click][.human] == .init(total: 1, unique: 1))
        #expect(try await ledger.checkEvents(id) == [])
        // A recount leaves it so.
        #expect(try await ledger.recountEvents(id, rules, now: Clock.milliseconds()).changed == 0)
        await streams.close()
        await broker.close()
        try ledger.close()
    }

    @Test func whatCannotBeReadIsKept() async throws {
        let streams = EventStreams(broker)
        #expect(try await streams.append([[0xff, 1, 2]], to: 0))
        #expect(try await streams.append([batch(0).encoded()], to: stream))
        try await collect("c")
        #expect(try await ledger.deadLetterCount() == 1)
        #expect(try await ledger.eventReport(id)?[.open].all.total == 10)
        await streams.close()
        await broker.close()
        try ledger.close()
    }

    /// A process whose Redis ends with it takes the last events along.
    @Test func theLastEventsAreDrained() async throws {
        let streams = EventStreams(broker)
        #expect(try await streams.append([batch(0).encoded()], to: stream))
        #expect(await collector("c").drain())
        #expect(try await ledger.eventReport(id)?[.open].all.total == 10)
        await streams.close()
        await broker.close()
        try ledger.close()
    }
}
