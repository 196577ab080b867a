import Foundation
import Model

/// The state of a run, for its display.
package struct LiveState: Sendable {
    package struct Mailing: Sendable {
        package var name: String
        package var arrived: Int
        package var recipients: Int
        package var state: String
    }

    package var scenario: String
    package var about: String
    package var phase: String
    package var seconds: Double
    /// Messages that the sinks have taken, and recipients of all mailings.
    package var arrived: Int
    package var recipients: Int
    /// Messages taken in the last whole second, and by second in the last ten.
    package var lastSecond: Int
    package var lastTen: Double
    /// Batches; nil where nobody told.
    package var ready: Double?
    package var inFlight: Double?
    /// Seconds.
    package var lag: Double?
    /// Running and not frozen, by kind.
    package var running: [ProcessKind: Int]
    /// Cores in use by kind.
    package var cores: [ProcessKind: Double]
    /// Largest resident memory of a process, in bytes.
    package var memory: [ProcessKind: Int64]
    package var mailings: [Mailing]
    /// The last things that happened, and the next that the script does.
    package var events: [RunResult.Event]
    package var next: String?

    init(_ run: isolated LoadRun) {
        scenario = run.scenario.name
        about = run.scenario.about
        phase = run.phase
        seconds = run.phase == "sending" || run.phase == "ending" ? run.now : 0
        arrived = run.arrivals.taken.total
        recipients = run.scenario.recipients
        let second = Int(seconds)
        lastSecond = second > 0 ? run.arrivals.taken.inSecond(second - 1) : 0
        let ten = (max(0, second - 10)..<max(0, second)).map { run.arrivals.taken.inSecond($0) }
        lastTen = ten.isEmpty ? 0 : Double(ten.reduce(0, +)) / Double(ten.count)
        let last = run.samples.last
        ready = last?.ready
        inFlight = last?.inFlight
        lag = last?.lag
        running = [:]
        for member in run.members where member.isRunning && !member.isFrozen { running[member.kind, default: 0] += 1 }
        cores = [:]
        if let last, let before = run.samples.dropLast().last, last.at > before.at {
            for (kind, cpu) in last.cpu { cores[kind] = max(0, cpu - (before.cpu[kind] ?? 0)) / (last.at - before.at) }
        }
        memory = last?.memory ?? [:]
        mailings = run.mailings.map { facts in
            Mailing(
                name: facts.name, arrived: run.arrivals.mailings[facts.id]?.taken.total ?? 0,
                recipients: facts.recipients, state: facts.state.rawValue)
        }
        events = run.events.suffix(3)
        let now = seconds
        next = run.scenario.script.first { $0.at > now }.map { "\(FigureText.clock($0.at)) \($0.text)" }
    }
}
