import Telemetry

/// A run on a screen: a few lines that are drawn anew each second, or one line now and then where there is no screen.
package struct LiveView: Sendable {
    private let state: LiveState

    package init(_ state: LiveState) { self.state = state }

    /// One line with all that matters.
    package var line: String {
        guard state.phase == "sending" else { return "\(state.scenario): \(state.phase)" }
        var parts = [
            "\(state.scenario) \(FigureText.clock(state.seconds))",
            "\(grouped(state.arrived)) of \(grouped(state.recipients)) arrived",
            "\(grouped(state.lastSecond))/s",
        ]
        if let ready = state.ready { parts.append("ready \(Int(ready))") }
        if let inFlight = state.inFlight { parts.append("in flight \(Int(inFlight))") }
        if let lag = state.lag { parts.append("lag \(FigureText.time(lag))") }
        parts.append("\(state.running[.worker] ?? 0) workers")
        parts.append("CPU \(FigureText.decimals(fleetCores, 2)) cores")
        if let event = state.events.last { parts.append("(\(FigureText.clock(event.at)) \(event.what))") }
        return parts.joined(separator: "  ")
    }

    /// Of the fleet and its Redis, without the sinks.
    private var fleetCores: Double { state.cores.filter { $0.key != .sink }.values.reduce(0, +) }

    /// The screen, each line cut to its columns.
    package func screen(columns: Int, rows: Int) -> [String] {
        var lines = ["\(state.scenario)  \(FigureText.clock(state.seconds))  \(state.phase)", state.about, ""]
        let share = state.recipients > 0 ? state.arrived * 100 / state.recipients : 0
        lines.append(
            Self.row(
                "arrived",
                "\(grouped(state.arrived)) of \(grouped(state.recipients))  \(share) %  "
                    + "\(grouped(state.lastSecond))/s  (ten seconds: \(FigureText.rate(state.lastTen)))"))
        lines.append(
            Self.row(
                "queue",
                "\(Self.count(state.ready)) batches ready, \(Self.count(state.inFlight)) in flight, "
                    + "results \(state.lag.map { FigureText.time($0) } ?? "?") behind"))
        lines.append(Self.row("fleet", kinds { state.running[$0].map(String.init) }))
        lines.append(Self.row("cores", kinds { state.cores[$0].map { FigureText.decimals($0, 2) } }))
        lines.append(Self.row("memory", kinds { state.memory[$0].map { FigureText.size(Double($0)) } }))
        lines.append("")
        let head = lines.count
        let tail = state.events.map { Self.row("\(FigureText.clock($0.at))", $0.what) } + (state.next.map { [Self.row("next", $0)] } ?? [])
        // Of many mailings those that are still sent are shown.
        let room = max(1, rows - head - tail.count - 2)
        let open = state.mailings.filter { $0.arrived < $0.recipients }
        let shown = state.mailings.count <= room ? state.mailings : Array(open.prefix(room - 1))
        lines += shown.map { mailing in
            Self.row(
                mailing.name,
                "\(grouped(mailing.arrived)) of \(grouped(mailing.recipients)), \(mailing.state)")
        }
        if shown.count < state.mailings.count { lines.append(Self.row("", "and \(state.mailings.count - shown.count) more mailings")) }
        if !tail.isEmpty { lines.append("") }
        return (lines + tail).prefix(max(1, rows - 1)).map { $0.fitting(max(1, columns - 1)) }
    }

    /// A figure for each kind of process that has one.
    private func kinds(_ figure: (ProcessKind) -> String?) -> String {
        ProcessKind.allCases.compactMap { kind in figure(kind).map { "\(kind.rawValue) \($0)" } }.joined(separator: ", ")
    }

    private static func count(_ value: Double?) -> String { value.map { grouped(Int($0)) } ?? "?" }

    private static func row(_ name: String, _ text: String) -> String {
        "  " + name + String(repeating: " ", count: max(1, 14 - name.columns)) + text
    }
}
