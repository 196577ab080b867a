import Policy
import Telemetry

/// A fleet as a page of a terminal: no line is wider than it, only names are cut, and nothing in it can steer the terminal.
struct FleetText {
    let view: FleetView
    let width: Int

    var lines: [String] {
        let blocks = [
            [head], view.problems.flatMap { wrapped($0, first: "! ", rest: "  ") }, mailings, processes, streams,
        ]
        return blocks.filter { !$0.isEmpty }.joined(separator: [""]).map { $0.fitting(width) }
    }

    private var head: String {
        let lost = view.processes.count { !$0.isAlive }
        let what = [
            Self.counted(view.mailings.count, "mailing", "mailings"), Self.counted(view.processes.count, "process", "processes"),
            lost > 0 ? "\(lost) LOST" : nil,
        ]
        return "flotilla top  \(Timestamp.text(view.at).prefix(19))Z  \(what.compactMap { $0 }.joined(separator: ", "))"
    }

    private static func counted(_ count: Int, _ one: String, _ many: String) -> String {
        "\(grouped(count)) \(count == 1 ? one : many)"
    }

    private var mailings: [String] {
        if view.mailings.isEmpty { return view.problems.isEmpty ? ["no mailings in work"] : [] }
        let rows = view.mailings.map { line -> [FittedTable.Cell] in
            let finished = Double(line.planned - line.open)
            return [
                .init(String(line.id.prefix(8))), .init(line.state),
                line.planned == 0 ? .init("-") : Self.share(finished / Double(line.planned), rounded: .down), .count(line.sent),
                .count(line.failed), .count(line.open), .count(line.perSecond), .span(line.secondsLeft), .init(Self.plain(line.name)),
            ]
        }
        let table = FittedTable(
            header: ["MAILING", "STATE", "DONE", "SENT", "FAILED", "OPEN", "PER S", "LEFT", "NAME"], rows: rows,
            rightAligned: [2, 3, 4, 5, 6, 7], names: 8, cut: .end
        ).lines(width: width)
        // What holds a mailing up stands below it, whole: it is what one looks for.
        return table.prefix(1)
            + zip(table.dropFirst(), view.mailings).flatMap { row, line in
                [row] + (line.blockingReason.isEmpty ? [] : wrapped(line.blockingReason, first: "  ^ ", rest: "    "))
            }
    }

    private var processes: [String] {
        if view.processes.isEmpty { return view.problems.isEmpty ? ["no process of this fleet has given a sign of life"] : [] }
        let rows = view.processes.map { line -> [FittedTable.Cell] in
            let seen = FittedTable.Cell.span(line.seenSeconds)
            let version = Self.plain(line.version)
            return [
                .init(Self.plain(Self.short(line.name))), .init(line.role + (line.hasDuty ? "*" : "")),
                line.isAlive ? seen : .init("LOST \(seen.long)", short: "LOST \(seen.short)"), .count(line.inFlight),
                .count(line.batches), .count(line.perSecond), line.cpu.map { Self.share($0) } ?? .init("-"),
                .init("\(grouped(line.memoryBytes / 1_000_000)) MB", short: brief(line.memoryBytes) + "B"), .span(line.uptimeSeconds),
                .init(version, short: version.cut(to: 10, at: .end)),
            ]
        }
        return FittedTable(
            header: ["PROCESS", "ROLE", "SEEN", "WIRE", "BATCH", "PER S", "CPU", "RSS", "UP", "VERSION"], rows: rows,
            rightAligned: [2, 3, 4, 5, 6, 7, 8], names: 0, cut: .middle
        ).lines(width: width)
    }

    /// A line a stream with anything in it.
    private var streams: [String] {
        let batches = view.batchStreams.map { ("batches, \($0.channel)", $0.ready, $0.inWork, $0.oldestSeconds) }
        let results = view.resultStreams.map { ("results, partition \($0.partition)", $0.waiting, $0.pending, $0.oldestSeconds) }
        let rows = (batches + results).filter { $0.1 + $0.2 > 0 }.map { name, waiting, taken, oldest -> [FittedTable.Cell] in
            [.init(name), .count(waiting), .count(taken), .span(oldest)]
        }
        if rows.isEmpty { return [] }
        return FittedTable(
            header: ["STREAM", "WAITING", "TAKEN", "OLDEST"], rows: rows, rightAligned: [1, 2, 3], names: 0, cut: .end
        ).lines(width: width)
    }

    /// Host and process number, without what makes the name unique.
    private static func short(_ name: String) -> String { String(name[..<(name.lastIndex(of: "-") ?? name.endIndex)]) }

    private static func share(_ value: Double, rounded rule: FloatingPointRoundingRule = .toNearestOrAwayFromZero) -> FittedTable.Cell {
        let percent = whole((value * 100).rounded(rule))
        return FittedTable.Cell("\(percent) %", short: brief(percent) + "%")
    }

    /// What others made up: names, versions, providers' words.
    private static func plain(_ text: String) -> String {
        var plain = ""
        LogText.append(text, to: &plain)
        return plain
    }

    private func wrapped(_ text: String, first: String, rest: String) -> [String] {
        var lines = [first]
        for word in Self.plain(text).split(separator: " ") {
            var word = String(word)
            if lines[lines.count - 1].count > first.count {
                if lines[lines.count - 1].columns + 1 + word.columns <= width {
                    lines[lines.count - 1] += " " + word
                    continue
                }
                lines.append(rest)
            }
            // A word wider than the terminal goes over several lines: nothing of it is lost.
            while lines[lines.count - 1].columns + word.columns > width, !word.isEmpty {
                let part = word.fitting(max(1, width - rest.columns))
                if part.isEmpty { break }
                lines[lines.count - 1] += part
                word = String(word.dropFirst(part.count))
                lines.append(rest)
            }
            lines[lines.count - 1] += word
        }
        return lines.filter { $0 != rest }
    }
}
