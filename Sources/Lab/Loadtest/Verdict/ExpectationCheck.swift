import Model
import Telemetry

/// Compares what was seen of a run with what its scenario expects.
struct ExpectationCheck {
    private let outcome: RunOutcome
    /// By the mailings' order.
    let deliveryCounts: [DeliveryCounts]

    init(_ outcome: RunOutcome) {
        self.outcome = outcome
        deliveryCounts = outcome.mailings.map { DeliveryCounts($0, outcome.arrivals.mailings[$0.id]) }
    }

    private struct Measurement {
        var value: Double?
        var note = ""
    }

    /// What is always expected, that all ends and that nothing is lost or doubled, and what the scenario says.
    var expectations: [RunResult.Expectation] {
        var all = [ending]
        var expectations = outcome.scenario.expectations.filter { $0.measure != .efficiency }
        for measure in [ExpectationRule.Measure.losses, .duplicates]
        where !expectations.contains(where: { $0.subject == .run && $0.measure == measure }) {
            if let bound = Bound("0", .count) { expectations.append(ExpectationRule(subject: .run, measure: measure, bound: bound)) }
        }
        for expectation in expectations { all += faultSelector(expectation) }
        return all
    }

    private var ending: RunResult.Expectation {
        RunResult.Expectation(
            what: "all mailings end", wanted: "<= \(FigureText.time(outcome.scenario.timeout))",
            seen: outcome.isWhole ? FigureText.time(duration ?? outcome.seconds) : "n/a", good: outcome.isWhole,
            note: outcome.halt ?? "")
    }

    private func faultSelector(_ expectation: ExpectationRule) -> [RunResult.Expectation] {
        switch expectation.subject {
        case .run: [line(expectation, expectation.measure.rawValue, ofRun(expectation.measure))]
        case .kind(let kind):
            [line(expectation, "\(kind.rawValue): \(expectation.measure.rawValue)", ofKind(expectation.measure, kind))]
        case .mailing(let plan): [ofMailings(expectation, plan)]
        }
    }

    private func line(_ expectation: ExpectationRule, _ what: String, _ seen: Measurement) -> RunResult.Expectation {
        RunResult.Expectation(
            what: what, wanted: expectation.bound.description, seen: seen.value.map { expectation.measure.unit.text($0) } ?? "n/a",
            good: seen.value.map { expectation.bound.isMet(by: $0) } ?? false, note: seen.note)
    }

    // MARK: The run as a whole

    private func ofRun(_ measure: ExpectationRule.Measure) -> Measurement {
        let last = outcome.samples.last?.counts
        switch measure {
        case .rate: return Measurement(value: outcome.arrivals.taken.middleRate)
        case .peakRate: return Measurement(value: Double(outcome.arrivals.begun.peak))
        case .cpuPerMessage: return Measurement(value: cpuPerMessage)
        case .queueWaitP50: return Measurement(value: last?.queueWait.quantile(0.5))
        case .queueWaitP99: return Measurement(value: last?.queueWait.quantile(0.99))
        case .deliveryP50: return Measurement(value: last?.delivery.quantile(0.5))
        case .deliveryP99: return Measurement(value: last?.delivery.quantile(0.99))
        case .duration: return Measurement(value: duration)
        case .duplicates, .losses, .uncertain, .failed: return count(measure, of: deliveryCounts)
        case .memory, .memoryGrowth, .efficiency: return Measurement()
        }
    }

    /// From the start to the last mailing's end; nil where one has none.
    private var duration: Double? {
        let ends = outcome.mailings.compactMap(\.ended)
        return ends.count == outcome.mailings.count ? ends.max() : nil
    }

    /// CPU of the fleet and its Redis; nil where nothing arrived.
    var cpuPerMessage: Double? {
        let cpu = outcome.processes.filter { $0.kind != .sink }.reduce(0) { $0 + $1.cpu }
        let messages = outcome.arrivals.taken.total
        return messages > 0 ? cpu / Double(messages) : nil
    }

    private func count(_ measure: ExpectationRule.Measure, of deliveryCounts: [DeliveryCounts]) -> Measurement {
        func sum(_ part: (DeliveryCounts) -> Int) -> Double { Double(deliveryCounts.reduce(0) { $0 + part($1) }) }
        switch measure {
        case .duplicates:
            let listed = Int(sum(\.listedTwice))
            let strangers = Int(sum(\.strangers))
            let notes = [
                listed > 0 ? "\(grouped(listed)) more arrived twice and are on the list of the uncertain" : nil,
                strangers > 0 ? "\(grouped(strangers)) of them are to recipients that the ledger does not have" : nil,
            ]
            return Measurement(value: sum(\.twice) + sum(\.strangers), note: notes.compactMap(\.self).joined(separator: "; "))
        case .losses:
            let open = Int(sum(\.open)) - Int(sum { min($0.open, $0.uncertain) })
            return Measurement(
                value: sum(\.missing), note: open > 0 ? "\(grouped(open)) were not sent to before the run ended" : "")
        case .uncertain: return Measurement(value: sum(\.uncertain))
        case .failed:
            let arrived = Int(sum(\.failedArrived))
            return Measurement(
                value: sum(\.failed), note: arrived > 0 ? "\(grouped(arrived)) of them arrived all the same" : "")
        default: return Measurement()
        }
    }

    // MARK: Kinds and mailings

    private func ofKind(_ measure: ExpectationRule.Measure, _ kind: ProcessKind) -> Measurement {
        let processes = outcome.processes.filter { $0.kind == kind }
        if measure == .memoryGrowth {
            let worst = processes.filter { $0.growth != nil }.max { ($0.growth ?? 0) < ($1.growth ?? 0) }
            return Measurement(value: worst?.growth, note: worst?.name ?? "its time was too short to tell")
        }
        if kind == .redis { return Measurement(value: outcome.redisPeak.map(Double.init), note: "used_memory") }
        let worst = processes.filter { $0.peak != nil }.max { ($0.peak ?? 0) < ($1.peak ?? 0) }
        return Measurement(value: worst?.peak.map(Double.init), note: worst?.name ?? "")
    }

    /// Of several copies the worst is reported.
    private func ofMailings(_ expectation: ExpectationRule, _ plan: String) -> RunResult.Expectation {
        let what = "\(plan): \(expectation.measure.rawValue)"
        let found = outcome.mailings.indices.filter { outcome.mailings[$0].plan == plan }
        let lines = found.map { index in
            let facts = outcome.mailings[index]
            var seen = self.seen(expectation.measure, facts, deliveryCounts[index])
            if found.count > 1 { seen.note = seen.note.isEmpty ? facts.name : "\(facts.name), \(seen.note)" }
            return (value: seen.value, line: line(expectation, what, seen))
        }
        let isSmallGood = expectation.bound.comparison != .atLeast && expectation.bound.comparison != .more
        let worst = lines.max { left, right in
            if left.line.good != right.line.good { return left.line.good }
            return isSmallGood
                ? left.value ?? .infinity < right.value ?? .infinity : left.value ?? 0 > right.value ?? 0
        }
        return worst?.line
            ?? RunResult.Expectation(
                what: what, wanted: expectation.bound.description, seen: "n/a", good: false, note: "it was not added")
    }

    private func seen(_ measure: ExpectationRule.Measure, _ facts: MailingFacts, _ deliveryCounts: DeliveryCounts) -> Measurement {
        switch measure {
        case .rate: Measurement(value: outcome.arrivals.mailings[facts.id]?.taken.middleRate ?? 0)
        case .duration: Measurement(value: facts.ended.map { $0 - facts.added })
        default: count(measure, of: [deliveryCounts])
        }
    }
}
