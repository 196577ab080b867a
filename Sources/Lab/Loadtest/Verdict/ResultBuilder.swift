import Foundation
import Model

/// Puts the result of a load test together from the outcomes of its runs: one, or one for each step.
struct ResultBuilder {
    let scenario: Scenario
    let version: String
    let outcomes: [RunOutcome]

    var result: RunResult {
        let judgements = outcomes.map(ExpectationCheck.init)
        // The steps stand one behind the other in time.
        let offsets = outcomes.map { Double($0.began - (outcomes.first?.began ?? 0)) / 1_000 }
        let steps = scenario.steps == nil ? [] : steps(judgements, offsets)
        var expectations: [RunResult.Expectation] = []
        for (outcome, judgement) in zip(outcomes, judgements) {
            expectations += judgement.expectations.map { line in
                var line = line
                line.what = label(outcome, line.what)
                return line
            }
        }
        expectations += efficiencies(steps)
        return RunResult(
            scenario: .init(name: scenario.name, about: scenario.about, file: scenario.file), version: version,
            machine: .here, began: outcomes.first?.began ?? Clock.milliseconds(),
            seconds: zip(outcomes, offsets).map { $0.seconds + $1 }.max() ?? 0, good: expectations.allSatisfy(\.good),
            expectations: expectations,
            mailings: zip(outcomes, judgements).flatMap { outcome, judgement in mailings(outcome, judgement) },
            steps: steps, panels: panels(offsets),
            events: zip(outcomes, offsets).flatMap { outcome, offset in events(outcome, offset) },
            roles: outcomes.flatMap(roles), notes: outcomes.flatMap { outcome in outcome.notes.map { label(outcome, $0) } })
    }

    /// Puts the number of workers before the text of a run that is one of several.
    private func label(_ outcome: RunOutcome, _ text: String) -> String {
        scenario.steps == nil ? text : "\(Self.workers(outcome.scenario.fleet.workers)): \(text)"
    }

    private static func workers(_ count: Int) -> String { count == 1 ? "1 worker" : "\(count) workers" }

    private func mailings(_ outcome: RunOutcome, _ judgement: ExpectationCheck) -> [RunResult.Mailing] {
        zip(outcome.mailings, judgement.deliveryCounts).map { facts, deliveryCounts in
            RunResult.Mailing(
                name: label(outcome, facts.name), id: facts.id, channel: facts.channel, recipients: facts.recipients,
                arrived: deliveryCounts.arrived, twice: deliveryCounts.twice, missing: deliveryCounts.missing,
                failed: deliveryCounts.failed,
                uncertain: deliveryCounts.uncertain, seconds: facts.ended.map { $0 - facts.added },
                perSecond: outcome.arrivals.mailings[facts.id]?.taken.middleRate ?? 0)
        }
    }

    private func roles(_ outcome: RunOutcome) -> [RunResult.Role] {
        let messages = outcome.arrivals.taken.total
        return outcome.processes.map { process in
            RunResult.Role(
                name: label(outcome, process.name), kind: process.kind.rawValue, cpuSeconds: process.cpu,
                cpuPerMessageMicroseconds: messages > 0 ? process.cpu / Double(messages) * 1e6 : nil,
                peakMemoryBytes: process.peak, exits: process.exits)
        }
    }

    private func events(_ outcome: RunOutcome, _ offset: Double) -> [RunResult.Event] {
        let own = outcome.events.map { RunResult.Event(at: $0.at + offset, what: $0.what) }
        guard scenario.steps != nil else { return own }
        return [RunResult.Event(at: offset, what: Self.workers(outcome.scenario.fleet.workers))] + own
    }

    /// Joins panels of the same title, with a gap between the steps.
    private func panels(_ offsets: [Double]) -> [RunResult.Panel] {
        var all: [RunResult.Panel] = []
        for (outcome, offset) in zip(outcomes, offsets) {
            for var panel in PanelBuilder(outcome).all {
                panel.limit = panel.limit?.map { $0.shifted(offset) }
                for index in panel.lines.indices { panel.lines[index].points = panel.lines[index].points.map { $0.shifted(offset) } }
                guard let place = all.firstIndex(where: { $0.title == panel.title }) else {
                    all.append(panel)
                    continue
                }
                all[place].limit = all[place].limit.map { $0 + (panel.limit ?? []) } ?? panel.limit
                for line in panel.lines {
                    if let same = all[place].lines.firstIndex(where: { $0.label == line.label }) {
                        all[place].lines[same].points += [.init(at: offset, value: nil)] + line.points
                    } else {
                        all[place].lines.append(line)
                    }
                }
            }
        }
        return all
    }

    // MARK: Steps

    private func steps(_ judgements: [ExpectationCheck], _ offsets: [Double]) -> [RunResult.Step] {
        let rates = outcomes.map(\.arrivals.taken.middleRate)
        let first = outcomes.first.map { max(1, $0.scenario.fleet.workers) } ?? 1
        let single = (rates.first ?? 0) / Double(first)
        return outcomes.indices.map { index in
            let outcome = outcomes[index]
            let linear = single * Double(outcome.scenario.fleet.workers)
            return RunResult.Step(
                workers: outcome.scenario.fleet.workers, at: offsets[index], seconds: outcome.seconds,
                messages: outcome.arrivals.taken.total, perSecond: rates[index],
                efficiency: linear > 0 ? rates[index] / linear : 0,
                cpuPerMessageMicroseconds: judgements[index].cpuPerMessage.map { $0 * 1e6 })
        }
    }

    private func efficiencies(_ steps: [RunResult.Step]) -> [RunResult.Expectation] {
        guard let bound = scenario.expectations.first(where: { $0.measure == .efficiency })?.bound else { return [] }
        return steps.dropFirst().map { step in
            RunResult.Expectation(
                what: "\(Self.workers(step.workers)): efficiency", wanted: bound.description,
                seen: FigureText.decimals(step.efficiency, 3), good: bound.isMet(by: step.efficiency),
                note: "\(FigureText.rate(step.perSecond)) in all")
        }
    }
}

extension RunResult.Point {
    fileprivate func shifted(_ seconds: Double) -> Self { Self(at: at + seconds, value: value) }
}
