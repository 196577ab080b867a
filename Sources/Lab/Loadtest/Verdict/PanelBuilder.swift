import Model
import Policy
import Settings

/// The plots of a run, from its samples and the sinks' records.
struct PanelBuilder {
    private typealias Point = RunResult.Point
    private typealias Line = RunResult.Line

    private let outcome: RunOutcome
    private let samples: [RunSample]
    /// Seconds that a percentile looks back, so that a second with few batches is no spike.
    private static let window = 5

    init(_ outcome: RunOutcome) {
        self.outcome = outcome
        samples = outcome.samples
    }

    /// In the order of the report.
    var all: [RunResult.Panel] {
        [messages, arrivals] + throttles + [queue, lag]
            + [
                latency(
                    "Queue wait", "From dispatching a batch to a worker taking it, over five seconds; from the workers' histograms."
                ) { $0.queueWait },
                latency(
                    "Delivery", "From handing a group of messages to its transport to the last response, over five seconds."
                ) { $0.delivery },
                cpu, memory,
            ]
    }

    private var messages: RunResult.Panel {
        let outcomes = RecipientState.allCases.map(\.name).filter { name in samples.contains { $0.counts.outcomes[name] ?? 0 > 0 } }
        return RunResult.Panel(
            title: "Messages by outcome", unit: "messages/s", note: "As the workers count them.", isStacked: true,
            lines: outcomes.map { name in Line(label: name, points: rates { $0.counts.outcomes[name] ?? 0 }) })
    }

    private var arrivals: RunResult.Panel {
        var lines = [Line(label: "taken", points: seconds(outcome.arrivals.taken))]
        let refused = outcome.arrivals.sinks.values.reduce(0) { $0 + $1.refused.total }
        if refused > 0 {
            lines.append(
                Line(
                    label: "refused",
                    points: wholeSeconds.map { second in
                        Point(
                            at: Double(second),
                            value: Double(outcome.arrivals.sinks.values.reduce(0) { $0 + $1.refused.inSecond(second) }))
                    }))
        }
        return RunResult.Panel(
            title: "Messages at the sinks", unit: "messages/s", note: "From the receiving side's own records.", lines: lines)
    }

    /// One for each scope that has a limit.
    private var throttles: [RunResult.Panel] {
        let limits = outcome.scenario.fleet.settings.limits
        var panels: [RunResult.Panel] = []
        for sink in outcome.scenario.sinks {
            guard let limit = limits.providers[sink.name], let arrivals = outcome.arrivals.sinks[sink.name] else { continue }
            panels.append(throttle("provider:\(sink.name)", limit, arrivals.begun, "Attempts that the sink saw begin"))
        }
        for facts in outcome.mailings {
            guard let plan = outcome.scenario.mailings.first(where: { $0.name == facts.plan }), let speed = plan.speed,
                let arrivals = outcome.arrivals.mailings[facts.id], panels.count < 6
            else { continue }
            panels.append(throttle("mailing:\(facts.name)", speed, arrivals.taken, "Messages that the sinks took"))
        }
        return panels
    }

    private func throttle(_ scope: String, _ limit: RateLimit, _ seen: Timeline, _ what: String) -> RunResult.Panel {
        RunResult.Panel(
            title: "Use of the limit of \(scope)", unit: "messages/s", note: "\(what), against \(limit).",
            lines: [Line(label: "used", points: seconds(seen))],
            limit: [Point(at: 0, value: limit.perSecond), Point(at: outcome.seconds, value: limit.perSecond)])
    }

    private var queue: RunResult.Panel {
        RunResult.Panel(
            title: "Queue", unit: "batches", note: "In Redis: ready, and held by a worker.",
            lines: [
                Line(label: "ready", points: samples.map { Point(at: $0.at, value: $0.ready) }),
                Line(label: "in flight", points: samples.map { Point(at: $0.at, value: $0.inFlight) }),
            ])
    }

    private var lag: RunResult.Panel {
        RunResult.Panel(
            title: "Lag of the status streams", unit: "s", note: "Age of the oldest result that is not in the ledger yet.",
            lines: [Line(label: "lag", points: samples.map { Point(at: $0.at, value: $0.lag) })])
    }

    private func latency(_ title: String, _ note: String, _ part: (RoleFigures) -> Histogram) -> RunResult.Panel {
        let totals = samples.map { part($0.counts) }
        let differences = totals.indices.map { totals[$0].since($0 >= Self.window ? totals[$0 - Self.window] : Histogram()) }
        func line(_ label: String, _ quantile: Double) -> Line {
            Line(label: label, points: samples.indices.map { Point(at: samples[$0].at, value: differences[$0].quantile(quantile)) })
        }
        return RunResult.Panel(title: title, unit: "s", note: note, lines: [line("p50", 0.5), line("p99", 0.99)])
    }

    private var cpu: RunResult.Panel {
        RunResult.Panel(
            title: "CPU by role", unit: "cores", note: "User and system, all processes of a kind together.", isStacked: true,
            lines: kinds.map { kind in Line(label: kind.rawValue, points: rates { $0.cpu[kind] ?? 0 }) })
    }

    private var memory: RunResult.Panel {
        var lines = kinds.map { kind in
            Line(label: kind.rawValue, points: samples.map { Point(at: $0.at, value: $0.memory[kind].map(Double.init)) })
        }
        lines.append(Line(label: "Redis used_memory", points: samples.map { Point(at: $0.at, value: $0.redisMemory.map(Double.init)) }))
        return RunResult.Panel(
            title: "Memory by role", unit: "B", note: "Resident; of several processes of a kind the largest.", lines: lines)
    }

    private var kinds: [ProcessKind] { ProcessKind.allCases.filter { kind in outcome.processes.contains { $0.kind == kind } } }

    // MARK: Points

    private var wholeSeconds: Range<Int> { 0..<max(1, Int(outcome.seconds.rounded(.up))) }

    private func seconds(_ timeline: Timeline) -> [Point] {
        wholeSeconds.map { Point(at: Double($0), value: Double(timeline.inSecond($0))) }
    }

    /// Growth by second between one sample and the next.
    private func rates(_ total: (RunSample) -> Double) -> [Point] {
        zip(samples, samples.dropFirst()).compactMap { before, after in
            let time = after.at - before.at
            return time > 0 ? Point(at: after.at, value: max(0, total(after) - total(before)) / time) : nil
        }
    }
}
