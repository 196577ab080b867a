import Foundation
package import Ledger
import Model

/// Has visitors come to the messages of one mailing, and measures what their events cost from a stream's entry into the ledger, and how
/// long a report takes. Recipients come in no order, which is the worst that a ledger can meet.
package struct EventLoad: Sendable {
    package struct Figures: Sendable, Codable {
        package var events = 0
        package var recipients = 0
        /// CPU of this process for each event, in microseconds: for the whole, and for the last tenth.
        package var cpu = 0.0
        package var cpuAtLast = 0.0
        /// Milliseconds, at most of 21.
        package var report = 0.0
        package var recipient = 0.0
        /// The longest transaction, in milliseconds.
        package var transaction = 0.0
        /// Of the CPU, what the counting of logged events took.
        package var counting = 0.0
    }

    private let ledger: any LedgerStore
    private let rules: EventRules
    private let recipients: Int
    private let events: Int

    private static let batch = LoadMailing.batch
    /// Events of an entry, and entries of a transaction, as a collector has them under load.
    private static let entry = 500
    private static let entries = 20
    private static let agents = (0..<2_000).map { number in
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/\(number).0.0.0 Safari/537.36"
    }

    package init(_ ledger: any LedgerStore, _ rules: EventRules, recipients: Int, events: Int) {
        (self.ledger, self.rules, self.events) = (ledger, rules, events)
        self.recipients = max(1, recipients / Self.batch) * Self.batch
    }

    /// - Parameter say: gets words about what it is at.
    package func run(say: (String) -> Void) async throws(LedgerError) -> Figures {
        var generator = SystemRandomNumberGenerator()
        let id = MailingID(milliseconds: Clock.milliseconds(), using: &generator)
        try await plan(id)
        guard let number = try await ledger.number(of: id) else { throw .refused("the mailing has no number") }
        var figures = Figures(events: events, recipients: recipients)
        var random = SeededGenerator(seed: 12)
        var (sequence, written, counting) = (0, 0, 0.0)
        var costs: [Double] = []
        var pace = EventPace()
        while written < events {
            let wires = (0..<Self.entries).map { part in entry(number, sequence + part * Self.entry, &random).encoded() }
            sequence += Self.entries * Self.entry
            let (before, start) = (Self.used(), ContinuousClock.now)
            let batches = wires.compactMap { try? EventBatch(decoding: $0) }
            let summary = try await ledger.write(events: batches, letters: [], rules, now: Clock.milliseconds())
            figures.transaction = max(figures.transaction, (ContinuousClock.now - start).inMilliseconds)
            written += Self.entries * Self.entry
            // As the collector does: more are to come but for the last.
            pace.noteWrite(logged: summary.logged, isBusy: written < events, at: Clock.milliseconds())
            let middle = Self.used()
            try await count(&pace, &figures)
            counting += Self.used() - middle
            costs.append((Self.used() - before) * 1e6 / Double(Self.entries * Self.entry))
            if costs.count.isMultiple(of: 50) { say("\(written) of \(events) events, \(costs.suffix(50).reduce(0, +) / 50) us each") }
        }
        let last = costs.suffix(max(1, costs.count / 10))
        figures.cpu = costs.reduce(0, +) / Double(max(1, costs.count))
        figures.cpuAtLast = last.reduce(0, +) / Double(max(1, last.count))
        figures.counting = counting * 1e6 / Double(max(1, written))
        figures.events = written
        for round in 0..<21 {
            figures.report = max(figures.report, try await took { () throws(LedgerError) in _ = try await ledger.eventReport(id) })
            let address = "person.\(round * 7919 % recipients)@example.com"
            figures.recipient = max(
                figures.recipient, try await took { () throws(LedgerError) in _ = try await ledger.recipient(id, address) })
        }
        for problem in try await ledger.checkEvents(id) { throw .refused("the counters are wrong: \(problem)") }
        return figures
    }

    /// Counts logged events where that is due.
    private func count(_ pace: inout EventPace, _ figures: inout Figures) async throws(LedgerError) {
        guard let least = pace.least(at: Clock.milliseconds()) else { return }
        var start = ContinuousClock.now
        var longest = 0.0
        let isEmpty = try await ledger.countEvents(inSlicesOf: least, rules, now: Clock.milliseconds()) { _ in
            longest = max(longest, (ContinuousClock.now - start).inMilliseconds)
            start = .now
        }
        figures.transaction = max(figures.transaction, longest)
        pace.noteCounted(isEmpty: isEmpty, at: Clock.milliseconds())
    }

    private func plan(_ id: MailingID) async throws(LedgerError) {
        let mailing = Mailing(name: "visited", channel: .email, provider: "smtp://127.0.0.1:25", fields: ["id", "email"])
        let load = LoadMailing(id: id, mailing: mailing, recipients: recipients) { ["\($0)", "person.\($0)@example.com"] }
        _ = try await load.plan(into: ledger)
    }

    private func entry(_ number: UInt32, _ sequence: Int, _ random: inout SeededGenerator) -> EventBatch {
        let visits = (0..<Self.entry).map { place in
            let person = Int.random(in: 0..<recipients, using: &random)
            let isClick = Int.random(in: 0..<4, using: &random) == 0
            var event = TrackedEvent(
                isClick ? .click : .open, mailing: number, batch: UInt32(person / Self.batch), index: UInt32(person % Self.batch),
                link: isClick ? UInt16.random(in: 0..<8, using: &random) : 0, time: 1_800_000_000_000 + Int64(sequence + place))
            event.agent = Self.agents[Int.random(in: 0..<Self.agents.count, using: &random)]
            event.visitor = .random(in: 1...UInt64.max, using: &random)
            return event
        }
        return EventBatch(source: 1, sequence: UInt64(sequence), events: visits)
    }

    private func took(_ question: () async throws(LedgerError) -> Void) async throws(LedgerError) -> Double {
        let start = ContinuousClock.now
        try await question()
        return (ContinuousClock.now - start).inMilliseconds
    }

    /// Seconds of CPU that this process has used.
    static func used() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

extension Duration {
    var inMilliseconds: Double { Double(components.seconds) * 1000 + Double(components.attoseconds) / 1e15 }
}
