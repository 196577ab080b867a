import Policy
import Telemetry

/// A snapshot as a page for a terminal. No line is wider than the terminal, only names are cut, and control characters are escaped.
struct FleetText {
    let snapshot: FleetSnapshot
    let width: Int

    var lines: [String] {
        let blocks = [
            [head], snapshot.problems.flatMap { wrapped($0, first: "! ", rest: "  ") }, mailings, processes, streams,
        ]
        return blocks.filter { !$0.isEmpty }.joined(separator: [""]).map { $0.fitting(width) }
    }

    private var head: String {
        let lost = snapshot.processes.count { !$0.isAlive }
        let what = [
            Self.counted(snapshot.mailings.count, "mailing", "mailings"), Self.counted(snapshot.processes.count, "process", "processes"),
            lost > 0 ? "\(lost) LOST" : nil,
        ]
        return "flotilla top  \(Timestamp.text(snapshot.at).prefix(19))Z  \(what.compactMap { $0 }.joined(separator: ", "))"
    }

    private static func counted(_ count: Int, _ one: String, _ many: String) -> String {
        "\(grouped(count)) \(count == 1 ? one : many)"
    }

    private var mailings: [String] {
        if snapshot.mailings.isEmpty { return snapshot.problems.isEmpty ? ["no open mailings"] : [] }
        let rows = snapshot.mailings.map { line -> [FittedTable.Cell] in
            let finished = Double(line.recipients - line.open)
            return [
                .init(String(line.id.prefix(8))), .init(line.state),
                line.recipients == 0 ? .init("-") : Self.share(finished / Double(line.recipients), rounded: .down), .count(line.sent),
                .count(line.failed), .count(line.open), .count(line.perSecond), .span(line.secondsLeft), .init(LogText.line(line.name)),
            ]
        }
        let table = FittedTable(
            header: ["MAILING", "STATE", "DONE", "SENT", "FAILED", "OPEN", "PER S", "LEFT", "NAME"], rows: rows,
            rightAligned: [2, 3, 4, 5, 6, 7], names: 8, cut: .end
        ).lines(width: width)
        // The blocking reason stands below the mailing, in full.
        return table.prefix(1)
            + zip(table.dropFirst(), snapshot.mailings).flatMap { row, line in
                [row] + below(line)
            }
    }

    /// What stands below a mailing's line.
    private func below(_ line: FleetSnapshot.MailingLine) -> [String] {
        let reason = line.blockingReason
        let response = line.commonestResponse
        var lines = reason.isEmpty ? [] : wrapped(reason, first: "  ^ ", rest: "    ")
        if !response.isEmpty { lines += wrapped("most who wait got: \(response)", first: "    ", rest: "    ") }
        for warning in line.warnings { lines += wrapped("warning: \(warning)", first: "    ", rest: "    ") }
        return lines
    }

    private var processes: [String] {
        if snapshot.processes.isEmpty { return snapshot.problems.isEmpty ? ["no process of this fleet has sent a heartbeat"] : [] }
        let rows = snapshot.processes.map { line -> [FittedTable.Cell] in
            let seen = FittedTable.Cell.span(line.seenSeconds)
            let version = LogText.line(line.version)
            return [
                .init(LogText.line(Self.short(line.name))), .init(line.role + (line.isLeader ? "*" : "")),
                line.isAlive ? seen : .init("LOST \(seen.long)", short: "LOST \(seen.short)"), .count(line.inFlight),
                .count(line.batches), .count(line.perSecond), line.cpu.map { Self.share($0) } ?? .init("-"),
                .init("\(grouped(line.memoryBytes / 1_000_000)) MB", short: brief(line.memoryBytes) + "B"), .span(line.uptimeSeconds),
                .init(version, short: version.cut(to: 10, at: .end)),
            ]
        }
        return FittedTable(
            header: ["PROCESS", "ROLE", "SEEN", "MSGS", "BATCH", "PER S", "CPU", "RSS", "UP", "VERSION"], rows: rows,
            rightAligned: [2, 3, 4, 5, 6, 7, 8], names: 0, cut: .middle
        ).lines(width: width)
    }

    /// One line for each lane, each stream, and the ledger's log of events that are not empty.
    private var streams: [String] {
        let batches = snapshot.lanes.map { ("lane \($0.channel):\(LogText.line($0.provider))", $0.ready, $0.inFlight, $0.oldestSeconds) }
        let results = snapshot.resultStreams.map { ("results, partition \($0.partition)", $0.waiting, $0.pending, $0.oldestSeconds) }
        let visits = snapshot.eventStreams.map { ("visits, stream \($0.stream)", $0.waiting, $0.pending, $0.oldestSeconds) }
        let receipts = snapshot.receiptStreams.map { ("receipts of providers", $0.waiting, $0.pending, $0.oldestSeconds) }
        var rows = (batches + results + visits + receipts).filter { $0.1 + $0.2 > 0 }.map {
            name, waiting, taken, oldest -> [FittedTable.Cell] in
            [.init(name), .count(waiting), .count(taken), .span(oldest)]
        }
        if snapshot.unansweredQuestions > 0 {
            rows.append([.init("visitors' questions"), .count(snapshot.unansweredQuestions), .init("-"), .init("-")])
        }
        if snapshot.uncountedEvents > 0 {
            rows.append([.init("visits in the ledger, not counted"), .count(snapshot.uncountedEvents), .init("-"), .init("-")])
        }
        if snapshot.unknownReceipts > 0 {
            rows.append([.init("receipts that name no message"), .count(snapshot.unknownReceipts), .init("-"), .init("-")])
        }
        if rows.isEmpty { return [] }
        return FittedTable(
            header: ["STREAM", "WAITING", "TAKEN", "OLDEST"], rows: rows, rightAligned: [1, 2, 3], names: 0, cut: .end
        ).lines(width: width)
    }

    /// Host and process number, without the random end of the name.
    private static func short(_ name: String) -> String { String(name[..<(name.lastIndex(of: "-") ?? name.endIndex)]) }

    private static func share(_ value: Double, rounded rule: FloatingPointRoundingRule = .toNearestOrAwayFromZero) -> FittedTable.Cell {
        let percent = whole((value * 100).rounded(rule))
        return FittedTable.Cell("\(percent) %", short: brief(percent) + "%")
    }

    private func wrapped(_ text: String, first: String, rest: String) -> [String] {
        WrappedText.lines(text, first: first, rest: rest, width: width)
    }
}
