import Foundation
import Policy
import Telemetry

/// A fleet as a page of a terminal, 80 columns and more.
struct FleetText {
    let view: FleetView
    let width: Int

    var lines: [String] {
        var lines = ["flotilla top   \(Timestamp.text(view.at))   \(summary)", ""]
        lines += view.problems.map { "! \($0)" }
        lines += mailings + [""] + processes
        return lines.map { String($0.prefix(width)) }
    }

    private var summary: String {
        let queues = view.queues.map { "\($0.channel) \(grouped($0.ready)) ready, \(grouped($0.inWork)) in work" }
        let lag = "lag \(grouped(view.lagEntries)) results" + (view.lagSeconds >= 1 ? ", \(TimeSpan.text(seconds: view.lagSeconds.rounded()))" : "")
        return (queues + [lag]).joined(separator: "; ")
    }

    private var mailings: [String] {
        if view.mailings.isEmpty { return ["no mailings in work"] }
        let rows = view.mailings.map { line -> [String] in
            let finished = line.planned - line.open
            return [
                String(line.id.prefix(8)), line.state, line.planned == 0 ? "-" : "\(finished * 100 / line.planned) %", grouped(line.sent),
                grouped(line.failed), grouped(line.open), line.perSecond.map { grouped(Int($0.rounded())) } ?? "-",
                line.secondsLeft.map { TimeSpan.text(seconds: $0.rounded()) } ?? "-", line.name,
            ]
        }
        let table = TextTable(
            header: ["MAILING", "STATE", "DONE", "SENT", "FAILED", "OPEN", "PER S", "LEFT", "NAME"], rows: rows, rightAligned: [2, 3, 4, 5, 6, 7]
        ).text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        // What holds a mailing up stands below it, whole: it is what one looks for.
        return [table[0]] + zip(table.dropFirst(), view.mailings).flatMap { row, line in
            line.holdup.isEmpty ? [row] : [row] + wrapped(line.holdup)
        }
    }

    private var processes: [String] {
        guard !view.processes.isEmpty else { return view.problems.isEmpty ? ["no process of this fleet has given a sign of life"] : [] }
        let rows = view.processes.map { line -> [String] in
            [
                Self.short(line.name), line.role + (line.hasDuty ? "*" : ""), line.isAlive ? "alive" : "LOST", "\(TimeSpan.text(seconds: line.age.rounded()))",
                grouped(line.inFlight), grouped(line.batches), line.perSecond.map { grouped(Int($0.rounded())) } ?? "-",
                line.cpu.map { "\(Int(($0 * 100).rounded())) %" } ?? "-", "\(line.memory / 1_000_000) MB",
                TimeSpan.text(seconds: line.uptime.rounded()), line.version,
            ]
        }
        return TextTable(
            header: ["PROCESS", "ROLE", "LIFE", "SEEN", "WIRE", "BATCHES", "PER S", "CPU", "RSS", "UP", "VERSION"], rows: rows,
            rightAligned: [3, 4, 5, 6, 7, 8, 9]
        ).text.split(separator: "\n").map(String.init)
    }

    /// Host and process number, without what makes the name unique.
    private static func short(_ name: String) -> String { String(name[..<(name.lastIndex(of: "-") ?? name.endIndex)]) }

    private func wrapped(_ text: String) -> [String] {
        var lines = ["  ^"]
        for word in text.split(separator: " ") {
            if lines[lines.count - 1].count + word.count + 1 > width, lines[lines.count - 1].count > 4 { lines.append("   ") }
            lines[lines.count - 1] += " " + word
        }
        return lines
    }
}
