import Ledger
import Model
import Policy
import Telemetry

/// A report for a terminal.
struct ReportText {
    private let report: MailingReport
    /// What follows a command in a hint, for the same ledger.
    private let ledger: String
    private let rules: String?

    /// - Parameters:
    ///   - ledger: the option that names it, with a space before; empty where the settings name it.
    ///   - rules: the version of the rules about visitors; nil where they are not known.
    init(_ report: MailingReport, ledger: String, rules: String? = nil) {
        self.report = report
        self.ledger = ledger
        self.rules = rules
    }

    var text: String {
        var blocks = [head, TextTable(header: [], rows: numbers, rightAligned: [1]).text.indented]
        if report.pruned == nil, report.excluded.contains(where: { $0.key != .sentBefore && $0.value > 0 }) {
            blocks.append("Excluded, row by row: flotilla mailing excluded \(report.id)\(ledger)")
        }
        if report.pruned == nil, report[.skipped] > 0 {
            blocks.append("Skipped, one by one: flotilla mailing excluded \(report.id)\(ledger) --skipped")
        }
        if !report.rounds.isEmpty { blocks.append("Rounds:\n" + rounds.indented) }
        if !report.responses.isEmpty { blocks.append("Failures, by response:\n" + responses(report.responses).indented) }
        if report.uncertain.listed > 0 { blocks.append(uncertain) }
        if !report.deferrals.isEmpty { blocks.append("Deferred, by response:\n" + responses(report.deferrals).indented) }
        if !report.brake.isEmpty { blocks.append("The brake:\n" + brake.indented) }
        if let told { blocks.append("As providers tell:\n" + told.indented) }
        if report.timeline.count > 1 { blocks.append("Rate over time (\(report.step) s a column):\n" + timeline.indented) }
        if let visits = VisitText(report, rules: rules) { blocks += visits.blocks.map(\.indentedBelow) }
        blocks.append(times)
        if let pruned = report.pruned { blocks.append(PrunedText(report.id, pruned).text) }
        return blocks.joined(separator: "\n\n")
    }

    private var head: String {
        let why = report.reason.isEmpty ? "" : " (\(report.reason))"
        return "Mailing \(report.id) '\(report.name)' by \(report.channel.rawValue): \(report.state.rawValue)\(why)"
    }

    private var numbers: [[String]] {
        let excluded = report.excluded.values.reduce(0, +)
        var rows = [["rows", grouped(report.planned + excluded)]]
        for (reason, count) in Self.commonest(report.excluded) where count > 0 {
            rows.append(["  excluded: \(reason.rawValue)", grouped(count)])
        }
        rows.append(["recipients", grouped(report.planned)])
        if report.unverified > 0 { rows.append(["  of these unverified numbers", grouped(report.unverified)]) }
        for state in RecipientState.allCases.sorted(by: { $0.rank > $1.rank }) where report[state] > 0 || state == .sent {
            rows.append(["  \(state.name)", grouped(report[state])])
            guard state == .skipped else { continue }
            for (reason, count) in Self.commonest(report.skipped) {
                rows.append(["    \(reason.rawValue)", grouped(count)])
            }
        }
        rows.append(["reconciled", report.balances ? "yes" : "NO"])
        return rows
    }

    /// The commonest first; of those with one count by their names, so that the same report is printed alike.
    private static func commonest(_ counts: [ExclusionReason: Int]) -> [(key: ExclusionReason, value: Int)] {
        counts.sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }
    }

    /// What the brake has found since the mailing was resumed last.
    private var brake: String {
        TextTable(header: [], rows: report.brake.map { [Timestamp.text($0.at), $0.finding.key.level.rawValue, $0.finding.words] }).text
    }

    /// What receipts say beside `delivered`; nil for nothing.
    private var told: String? {
        let rows = EventKind.allCases.compactMap { kind in
            report.events[kind].map { [kind.rawValue, grouped($0.recipients), grouped($0.count)] }
        }
        return rows.isEmpty ? nil : TextTable(header: ["", "recipients", "receipts"], rows: rows, rightAligned: [1, 2]).text
    }

    /// Each with what its recipients came to in it.
    private var rounds: String {
        TextTable(
            header: ["", "since", "recipients", "sent", "failed", "open", "by", "for"],
            rows: report.rounds.map { round in
                let open = RecipientState.allCases.filter { !$0.isTerminal }.reduce(0) { $0 + round[$1] }
                let isKnown = !round.states.isEmpty
                return [
                    "\(round.number)", round.at.map(Timestamp.text) ?? "-", grouped(round.recipients),
                    isKnown ? grouped(round[.sent] + round[.delivered]) : "-", isKnown ? grouped(round[.failed] + round[.expired]) : "-",
                    isKnown ? grouped(open) : "-", round.actor.isEmpty ? "-" : round.actor,
                    round.number == 1 ? "all" : round.reasons,
                ]
            }, rightAligned: [2, 3, 4, 5]
        ).text
    }

    private var uncertain: String {
        let counts = report.uncertain
        var text = "Uncertain: \(counted(counts.listed, "recipient")) whose message may have arrived without a response"
        if counts.redelivered > 0 { text += "; \(grouped(counts.redelivered)) sent to again" }
        if counts.unresolved > 0 { text += "; \(grouped(counts.unresolved)) ended as not sent, and may have had it" }
        if counts.held > 0 {
            text += "; \(grouped(counts.held)) held until you decide: flotilla mailing uncertain \(report.id)\(ledger) --held"
        }
        return text
    }

    private func responses(_ counts: [MailingReport.ResponseCount]) -> String {
        TextTable(
            header: [],
            rows: counts.map { [grouped($0.count), $0.reason?.rawValue ?? "-", $0.code == 0 ? "-" : "\($0.code)", $0.text] },
            rightAligned: [0]
        ).text
    }

    private var timeline: String {
        let bars = Array("▁▂▃▄▅▆▇█")
        let moments = report.timeline
        guard let first = moments.first?.second, let last = moments.last?.second else { return "" }
        let sent = Dictionary(moments.map { ($0.second, $0.sent) }, uniquingKeysWith: +)
        let counts = stride(from: first, through: last, by: Int(max(1, report.step))).prefix(200).map { sent[$0] ?? 0 }
        let most = max(1, counts.max() ?? 1)
        let line = String(counts.map { bars[min(bars.count - 1, $0 * bars.count / (most + 1))] })
        return "\(line)  at most \(grouped(most / Int(max(1, report.step))))/s"
    }

    private var times: String {
        let start = report.started.map(Timestamp.text) ?? "-"
        let end = report.finished.map(Timestamp.text) ?? "-"
        return "Started \(start), finished \(end): \(TimeSpan.text(taken: report.seconds)), \(grouped(Int(report.messagesPerSecond)))/s"
    }
}

extension String {
    /// Each line but the first, which names the block.
    fileprivate var indentedBelow: String {
        let lines = split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
        return lines.count < 2 ? self : "\(lines[0])\n" + String(lines[1]).indented
    }

    /// Each line, indented by two spaces.
    fileprivate var indented: String {
        split(separator: "\n", omittingEmptySubsequences: false).map { "  " + $0 }.joined(separator: "\n")
    }
}
