import Ledger
import Model
import TestServers
import Testing

/// Results that come in any order, twice, and cut differently lead to one ledger.
@Suite struct ResultOrderTests {
    struct Outcome: Equatable {
        var states: [RecipientState: Int]
        var failures: [String: Int]
        var responses: [MailingReport.ResponseCount]
        var recipients: [String]
        var sentInTimeline: Int
        var failedInTimeline: Int
        var dispatched: [DispatchMark]
        var uncertain: [String]
        var listed: UncertainCounts
    }

    @Test(arguments: Array(zip(0..<12, Array(repeating: Engine.all, count: 12).joined())))
    func orderRepetitionAndCutDoNotMatter(seed: Int, engine: Engine) async throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        let groups = Self.groups(&generator)
        let reference = try await Self.outcome(engine, [groups])
        for _ in 0..<2 {
            var shuffled = groups + groups.filter { _ in Bool.random(using: &generator) }
            shuffled += Self.recut(groups, &generator)
            shuffled.shuffle(using: &generator)
            var writes: [[ResultGroup]] = []
            while !shuffled.isEmpty {
                let count = Int.random(in: 1...min(7, shuffled.count), using: &generator)
                writes.append(Array(shuffled.prefix(count)))
                shuffled.removeFirst(count)
            }
            #expect(try await Self.outcome(engine, writes) == reference)
        }
    }

    /// The results of two generations of four batches, each of which goes through the hands of up to three workers.
    private static func groups(_ generator: inout SeededGenerator) -> [ResultGroup] {
        var groups: [ResultGroup] = []
        for batch in 0..<4 {
            for dispatchNumber in 1...2 {
                let release = dispatchNumber == 2 && Bool.random(using: &generator)
                let indexes = Array(0..<9).shuffled(using: &generator).prefix(release ? 5 : 9)
                let size = Int.random(in: 1...3, using: &generator)
                let count = (indexes.count + size - 1) / size
                var sequences: [String: Int] = [:]
                for (place, start) in stride(from: 0, to: indexes.count, by: size).enumerated() {
                    let part = indexes.dropFirst(start).prefix(size)
                    let isLast = place == count - 1
                    let worker = "w\(Int.random(in: 0..<3, using: &generator))"
                    let sequence = sequences[worker, default: 0]
                    sequences[worker] = sequence + 1
                    let results = part.map { result($0, dispatchNumber: dispatchNumber, batch: batch, &generator) }
                    groups.append(
                        resultGroup(
                            batch: batch, dispatchNumber: dispatchNumber, worker: worker, sequence: sequence,
                            closing: !isLast || dispatchNumber == 1 ? .open : release ? .released : .done,
                            groups: isLast ? count : 0, results))
                }
            }
        }
        return groups
    }

    private static func result(
        _ index: Int, dispatchNumber: Int, batch: Int, _ generator: inout SeededGenerator
    ) -> RecipientResult {
        let at = Example.start + Int64(dispatchNumber * 10_000 + index * 700)
        switch Int.random(in: 0..<10, using: &generator) {
        case 0..<4: return sent(index, attempts: dispatchNumber, at: at)
        case 4..<6:
            return deferred(index, attempts: dispatchNumber, due: at + Int64.random(in: 1...99, using: &generator), at: at)
        // Two dispatches may fail a recipient for different reasons.
        case 6..<8: return failed(index, attempts: dispatchNumber, text: "5.1.\(dispatchNumber) no such user", at: at)
        case 8:
            let due = Bool.random(using: &generator) ? at + 5 : 0
            return uncertain(index, attempts: dispatchNumber, due: due, at: at)
        default: return RecipientResult(index: index, state: .delivered, attempts: dispatchNumber, at: at)
        }
    }

    /// The same results in groups of other sizes, as another reader of the same work might send them; not of a dispatch that
    /// ends by the number of its groups.
    private static func recut(_ groups: [ResultGroup], _ generator: inout SeededGenerator) -> [ResultGroup] {
        let counted = Set(groups.filter { $0.closing == .released }.map { "\($0.batch) \($0.dispatchNumber)" })
        return groups.filter { !counted.contains("\($0.batch) \($0.dispatchNumber)") }.flatMap { one in
            one.results.enumerated().filter { _ in Bool.random(using: &generator) }.map { offset, result in
                resultGroup(
                    batch: one.batch.number, dispatchNumber: one.dispatchNumber, worker: one.worker + "-again",
                    sequence: one.sequence * 10 + offset, [result])
            }
        }
    }

    private static func outcome(_ engine: Engine, _ writes: [[ResultGroup]]) async throws -> Outcome {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        let id = Example.id()
        try await Example.plan(ledger, batches: [9, 9, 9, 9])
        for _ in 1...2 {
            // The first dispatch was given up, and its results come late.
            for batch in try await ledger.dispatchBatches([(id, 9)], now: Example.start) where batch.dispatchNumber == 1 {
                _ = try await ledger.takeBack([Dispatch(batch: batch.id, dispatchNumber: 1)], now: Example.start)
            }
        }
        for groups in writes {
            _ = try await ledger.write(groups: groups, events: [], now: Example.start)
            let progress = try #require(try await ledger.progress(id))
            #expect(progress.balances && progress.planned == 36)
        }
        #expect(try await ledger.recount(id) == [])
        let report = try #require(try await ledger.report(id, now: Example.start))
        #expect(report.balances)
        var recipients: [String] = []
        for batch in 0..<4 {
            for index in 0..<9 {
                let detail = try #require(try await ledger.recipient(id, "p\(batch)-\(index)@example.com"))
                recipients.append("\(batch)/\(index) \(detail.state.name) \(detail.attempts) \(detail.due ?? 0)")
            }
        }
        return Outcome(
            states: report.states, failures: report.failures, responses: report.responses, recipients: recipients,
            sentInTimeline: report.timeline.reduce(0) { $0 + $1.sent },
            failedInTimeline: report.timeline.reduce(0) { $0 + $1.failed },
            dispatched: try await ledger.openDispatches(of: [id])[id, default: []],
            uncertain: try await ledger.uncertain(id, onlyHeld: false, after: nil, limit: 99).map {
                "\($0.batch)/\($0.index) \($0.listing.dispatchNumber) \($0.listing.isHeld) \($0.listing.at) \($0.state.name)"
            }, listed: report.uncertain)
    }
}
