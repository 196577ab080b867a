import Model

/// Holds what was seen of a run against what its scenario expects.
struct Judgement {
    private let outcome: RunOutcome
    /// By the mailings' order.
    let tallies: [Tally]

    init(_ outcome: RunOutcome) {
        self.outcome = outcome
        tallies = outcome.mailings.map { Tally($0, outcome.arrivals.mailings[$0.id]) }
    }

    private struct Seen {
        var value: Double?
        var note = ""
    }

    /// What is always expected, that all ends and that nothing is lost or doubled, and what the scenario says.
    var expectations: [RunResult.Expectation] {
        var all = [ending]
        var wishes = outcome.scenario.wishes.filter { $0.measure != .efficiency }
        for measure in [ExpectationRule.Measure.losses, .duplicates]
        where !wishes.contains(where: { $0.subject == .run && $0.measure == measure }) {
            if let bound = Bound("0", .count) { wishes.append(ExpectationRule(subject: .run, measure: measure, bound: bound)) }
        }
        for wish in wishes { all += judge(wish) }
        return all
    }

    private var ending: RunResult.Expectation {
        RunResult.Expectation(
            what: "all mailings end", wanted: "<= \(FigureText.time(outcome.scenario.timeout))",
            seen: outcome.isWhole ? FigureText.time(duration ?? outcome.seconds) : "n/a", good: outcome.isWhole,
            note: outcome.halt ?? "")
    }

    private func judge(_ wish: ExpectationRule) -> [RunResult.Expectation] {
        switch wish.subject {
        case .run: [line(wish, wish.measure.rawValue, ofRun(wish.measure))]
        case .kind(let kind):
            [line(wish, "\(kind.rawValue): \(wish.measure.rawValue)", ofKind(wish.measure, kind))]
        case .mailing(let plan): [ofMailings(wish, plan)]
        }
    }

    private func line(_ wish: ExpectationRule, _ what: String, _ seen: Seen) -> RunResult.Expectation {
        RunResult.Expectation(
            what: what, wanted: wish.bound.description, seen: seen.value.map { wish.measure.unit.text($0) } ?? "n/a",
            good: seen.value.map { wish.bound.isMet(by: $0) } ?? false, note: seen.note)
    }

    // MARK: The run as a whole

    private func ofRun(_ measure: ExpectationRule.Measure) -> Seen {
        let last = outcome.samples.last?.counts
        switch measure {
        case .rate: return Seen(value: outcome.arrivals.taken.middleRate)
        case .peakRate: return Seen(value: Double(outcome.arrivals.begun.peak))
        case .cpuPerMessage: return Seen(value: cpuPerMessage)
        case .queueWaitP50: return Seen(value: last?.queueWait.quantile(0.5))
        case .queueWaitP99: return Seen(value: last?.queueWait.quantile(0.99))
        case .deliveryP50: return Seen(value: last?.delivery.quantile(0.5))
        case .deliveryP99: return Seen(value: last?.delivery.quantile(0.99))
        case .duration: return Seen(value: duration)
        case .duplicates, .losses, .uncertain, .failed: return count(measure, of: tallies)
        case .memory, .memoryGrowth, .efficiency: return Seen()
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

    private func count(_ measure: ExpectationRule.Measure, of tallies: [Tally]) -> Seen {
        func sum(_ part: (Tally) -> Int) -> Double { Double(tallies.reduce(0) { $0 + part($1) }) }
        switch measure {
        case .duplicates:
            let listed = Int(sum(\.listedTwice))
            let strangers = Int(sum(\.strangers))
            let notes = [
                listed > 0 ? "\(FigureText.grouped(listed)) more arrived twice and are on the list of the uncertain" : nil,
                strangers > 0 ? "\(FigureText.grouped(strangers)) of them are to recipients whom the ledger does not have" : nil,
            ]
            return Seen(value: sum(\.twice) + sum(\.strangers), note: notes.compactMap(\.self).joined(separator: "; "))
        case .losses:
            let open = Int(sum(\.open)) - Int(sum { min($0.open, $0.uncertain) })
            return Seen(
                value: sum(\.missing), note: open > 0 ? "\(FigureText.grouped(open)) were not sent to before the run ended" : "")
        case .uncertain: return Seen(value: sum(\.uncertain))
        case .failed:
            let arrived = Int(sum(\.failedArrived))
            return Seen(
                value: sum(\.failed), note: arrived > 0 ? "\(FigureText.grouped(arrived)) of them arrived all the same" : "")
        default: return Seen()
        }
    }

    // MARK: Kinds and mailings

    private func ofKind(_ measure: ExpectationRule.Measure, _ kind: MemberKind) -> Seen {
        let processes = outcome.processes.filter { $0.kind == kind }
        if measure == .memoryGrowth {
            let worst = processes.filter { $0.growth != nil }.max { ($0.growth ?? 0) < ($1.growth ?? 0) }
            return Seen(value: worst?.growth, note: worst?.name ?? "its time was too short to tell")
        }
        if kind == .redis { return Seen(value: outcome.redisPeak.map(Double.init), note: "used_memory") }
        let worst = processes.filter { $0.peak != nil }.max { ($0.peak ?? 0) < ($1.peak ?? 0) }
        return Seen(value: worst?.peak.map(Double.init), note: worst?.name ?? "")
    }

    /// Of several copies the worst is told.
    private func ofMailings(_ wish: ExpectationRule, _ plan: String) -> RunResult.Expectation {
        let what = "\(plan): \(wish.measure.rawValue)"
        let found = outcome.mailings.indices.filter { outcome.mailings[$0].plan == plan }
        let lines = found.map { index in
            let facts = outcome.mailings[index]
            var seen = self.seen(wish.measure, facts, tallies[index])
            if found.count > 1 { seen.note = seen.note.isEmpty ? facts.name : "\(facts.name), \(seen.note)" }
            return (value: seen.value, line: line(wish, what, seen))
        }
        let isSmallGood = wish.bound.comparison != .atLeast && wish.bound.comparison != .more
        let worst = lines.max { left, right in
            if left.line.good != right.line.good { return left.line.good }
            return isSmallGood
                ? left.value ?? .infinity < right.value ?? .infinity : left.value ?? 0 > right.value ?? 0
        }
        return worst?.line
            ?? RunResult.Expectation(
                what: what, wanted: wish.bound.description, seen: "n/a", good: false, note: "it was not added")
    }

    private func seen(_ measure: ExpectationRule.Measure, _ facts: MailingFacts, _ tally: Tally) -> Seen {
        switch measure {
        case .rate: Seen(value: outcome.arrivals.mailings[facts.id]?.taken.middleRate ?? 0)
        case .duration: Seen(value: facts.ended.map { $0 - facts.added })
        default: count(measure, of: [tally])
        }
    }
}
