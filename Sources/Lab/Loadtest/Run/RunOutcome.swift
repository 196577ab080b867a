import Model

/// All that is left of a run once everything has ended: what the verdict and the report are made of.
struct RunOutcome: Sendable {
    struct Process: Sendable {
        var name: String
        var kind: ProcessKind
        var cpu: Double
        var peak: Int64?
        var growth: Double?
        var exits: [String]
    }

    var scenario: Scenario
    var began: Int64
    var seconds: Double
    var arrivals: Arrivals
    var mailings: [MailingFacts]
    var samples: [RunSample]
    var processes: [Process]
    var redisPeak: Int64?
    var events: [RunResult.Event]
    var notes: [String]
    /// Why the run did not go to its end; nil where it did.
    var halt: String?

    var isWhole: Bool { halt == nil }

    init(_ run: isolated LoadRun) {
        scenario = run.scenario
        began = run.origin / 1_000
        seconds = run.seconds
        arrivals = run.arrivals
        mailings = run.mailings
        samples = run.samples
        processes = run.members.map {
            Process(name: $0.name, kind: $0.kind, cpu: $0.cpu, peak: $0.peak, growth: $0.memoryGrowth, exits: $0.exits)
        }
        redisPeak = run.redisPeak
        events = run.events
        notes = run.notes
        halt = run.halt
        let late = run.scenario.script.filter { $0.at > run.seconds }
        if let first = late.first {
            let lines = late.count == 1 ? "" : "\(late.count) lines from "
            notes.append("all was sent before the script came to: \(lines)\(first.text) at \(FigureText.decimals(first.at, 1)) s")
        }
        for tail in run.tails {
            if tail.broken > 0 { notes.append("\(tail.broken) lines of the record of \(tail.sink) are broken, and were ignored") }
            if tail.hasRest { notes.append("the record of \(tail.sink) ends within a line: the sink was killed") }
        }
        if run.arrivals.strangers > 0 {
            notes.append("\(run.arrivals.strangers) messages arrived whose id is none of these mailings")
        }
        if case .given = run.scenario.redis { notes.append("the CPU of the given Redis is not counted") }
    }
}
