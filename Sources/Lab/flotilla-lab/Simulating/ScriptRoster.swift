import Loadtest
import Model
import Settings

/// Which processes of a scenario run when, if each line of its script does what a run of it would (`Loadtest/Run/LoadRun+script`): the
/// same are chosen, and a line that finds nobody changes nothing. Times are seconds from the start.
struct ScriptRoster {
    struct FleetProcess {
        /// A time in which it works.
        struct Span {
            var from: Double
            var to = Double.infinity
            /// SIGSTOP ended its work: the process still exists.
            var isFrozen = false
        }

        let kind: ProcessKind
        let name: String
        fileprivate(set) var spans: [Span]
        fileprivate var state = State.runs
        /// A restart works on it until then.
        fileprivate var busyUntil = 0.0

        fileprivate enum State { case runs, frozen, ended }

        fileprivate mutating func beginOutage(at time: Double, _ state: State) {
            if self.state == .runs {
                spans[spans.count - 1].to = time
                spans[spans.count - 1].isFrozen = state == .frozen
            }
            // A frozen process that ends has ended.
            if state == .ended, !spans.isEmpty { spans[spans.count - 1].isFrozen = false }
            self.state = state
        }

        fileprivate mutating func comeBack(at time: Double) {
            state = .runs
            spans.append(Span(from: time))
        }

        /// When it does not work; the last outage may have no end.
        var outages: [Range<Double>] {
            let starts = [0] + spans.map(\.to)
            let ends = spans.map(\.from) + [.infinity]
            return zip(starts, ends).filter { $0 < $1 }.map { $0..<$1 }
        }
    }

    private(set) var members: [FleetProcess] = []
    /// Lines of the script that found no process, in the words of a run.
    private(set) var idle: [ScriptLine] = []
    private var steps: [(at: Double, step: Step)] = []
    private let grace: Double
    /// Seconds that a restart takes from SIGTERM until the successor works.
    private let restart: (ProcessKind) -> Double

    private enum Step {
        case line(ScriptLine)
        /// One of several that are restarted one after the other; by their places.
        case restart([Int], Int, each: Double)
        case back(Int)
    }

    init(_ scenario: Scenario, restart: @escaping (ProcessKind) -> Double) {
        grace = scenario.fleet.settings.shutdown.grace.seconds
        self.restart = restart
        if scenario.redis == .own { members.append(FleetProcess(kind: .redis, name: "redis", spans: [.init(from: 0)])) }
        for sink in scenario.sinks { members.append(FleetProcess(kind: .sink, name: sink.name, spans: [.init(from: 0)])) }
        let fleet = scenario.fleet
        for (kind, count) in [(ProcessKind.collector, fleet.collectors), (.planner, fleet.planners), (.worker, fleet.workers)] {
            for _ in 0..<count { begin(kind, at: 0) }
        }
        for line in scenario.script { plan(.line(line), at: line.at) }
        while !steps.isEmpty {
            let (time, step) = steps.removeFirst()
            perform(step, at: time)
        }
    }

    private mutating func begin(_ kind: ProcessKind, at time: Double) {
        let number = members.count { $0.kind == kind } + 1
        members.append(FleetProcess(kind: kind, name: "\(kind.rawValue)-\(number)", spans: [.init(from: time)]))
    }

    /// Behind all that are planned for the same time.
    private mutating func plan(_ step: Step, at time: Double) {
        steps.insert((time, step), at: steps.firstIndex { $0.at > time } ?? steps.count)
    }

    private mutating func perform(_ step: Step, at time: Double) {
        switch step {
        case .line(let line): perform(line)
        case .restart(let places, let index, let each): restart(places, index, each, at: time)
        case .back(let place): members[place].comeBack(at: time)
        }
    }

    private mutating func perform(_ line: ScriptLine) {
        switch line.action {
        case .add:
            if case .kind(let kind) = line.target {
                for _ in 0..<(line.count ?? 1) { begin(kind, at: line.at) }
                return
            }
            let ended = members.indices.filter { matches(line, $0) && members[$0].state == .ended && !isBusy($0, line.at) }
            for place in ended { members[place].comeBack(at: line.at) }
            if ended.isEmpty { idle.append(line) }
        case .remove, .kill:
            for place in choose(line, count: line.count ?? 1) { members[place].beginOutage(at: line.at, .ended) }
        case .freeze:
            for place in choose(line, count: line.count ?? 1) { members[place].beginOutage(at: line.at, .frozen) }
        case .thaw:
            for place in choose(line, count: line.count ?? .max, frozen: true) { members[place].comeBack(at: line.at) }
        case .restart:
            let chosen = choose(line, count: line.count ?? .max)
            if !chosen.isEmpty { plan(.restart(chosen.sorted(), 0, each: line.each), at: line.at) }
        }
    }

    private mutating func restart(_ places: [Int], _ index: Int, _ each: Double, at time: Double) {
        let place = places[index]
        var back = time
        if members[place].state != .ended, !isBusy(place, time) {
            // A frozen one does not hear SIGTERM, and is killed in the end.
            back += restart(members[place].kind) + (members[place].state == .frozen ? grace + 5 : 0)
            members[place].beginOutage(at: time, .ended)
            members[place].busyUntil = back
            plan(.back(place), at: back)
        }
        if index + 1 < places.count { plan(.restart(places, index + 1, each: each), at: back + each) }
    }

    private func isBusy(_ place: Int, _ time: Double) -> Bool { members[place].busyUntil > time }

    private func matches(_ line: ScriptLine, _ place: Int) -> Bool {
        switch line.target {
        case .kind(let kind): members[place].kind == kind
        case .member(let name): members[place].name == name && members[place].kind != .sink
        case .redis: members[place].kind == .redis
        case .sink(let name): members[place].kind == .sink && members[place].name == name
        }
    }

    /// Whom a line means, those that were started last first.
    private mutating func choose(_ line: ScriptLine, count: Int, frozen: Bool = false) -> [Int] {
        let found = members.indices.filter { place in
            let state = members[place].state
            return state != .ended && !isBusy(place, line.at) && (state == .frozen || !frozen) && matches(line, place)
        }
        if found.isEmpty { idle.append(line) }
        return Array(found.reversed().prefix(count))
    }
}

// MARK: - Result

extension ScriptRoster {
    /// How many of a kind work from each moment on, in order of time.
    func counts(_ kind: ProcessKind) -> [(at: Double, count: Int)] {
        let spans = members.filter { $0.kind == kind }.flatMap(\.spans)
        var changes: [Double: Int] = [0: 0]
        for span in spans where span.from < span.to {
            changes[span.from, default: 0] += 1
            if span.to < .infinity { changes[span.to, default: 0] -= 1 }
        }
        var count = 0
        return changes.sorted { $0.key < $1.key }.map { change in
            count += change.value
            return (change.key, count)
        }
    }

    /// When none of a kind works.
    func gaps(_ kind: ProcessKind) -> [Range<Double>] {
        let counts = counts(kind)
        return counts.enumerated().filter { $0.element.count == 0 }.map { place, change in
            change.at..<(place + 1 < counts.count ? counts[place + 1].at : .infinity)
        }
    }

    /// When nobody has the planner's leadership: another takes over at once when its holder has ended, and after its lease when it is
    /// frozen.
    func gapsOfThePlanner(lease: Double) -> [Range<Double>] {
        let planners = members.filter { $0.kind == .planner }
        var gaps: [Range<Double>] = []
        var holder: Int?
        var loss = 0.0
        var wasFrozen = false
        while loss < .infinity {
            // Whoever is there first; of several the one that was started first.
            var next: (at: Double, span: FleetProcess.Span, planner: Int)?
            for (number, planner) in planners.enumerated() {
                for span in planner.spans {
                    let from = max(span.from, loss + (wasFrozen && number != holder ? lease : 0))
                    if from < span.to, from < next?.at ?? .infinity { next = (from, span, number) }
                }
            }
            let back = next?.at ?? .infinity
            if back > loss { gaps.append(loss..<back) }
            holder = next?.planner
            loss = next?.span.to ?? .infinity
            wasFrozen = next?.span.isFrozen ?? false
        }
        return gaps
    }
}
