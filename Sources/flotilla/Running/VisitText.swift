import Ledger
import Model
import Policy
import Telemetry

/// What visitors of a mailing's messages did, for a terminal: people, people behind proxies and machines apart.
struct VisitText {
    private let report: MailingReport
    private let visits: EventReport
    private let rules: String?

    /// Nil where nobody came.
    /// - Parameter rules: the version of the rules of now, to compare with; nil where they are not known.
    init?(_ report: MailingReport, rules: String? = nil) {
        guard let visits = report.visits else { return nil }
        (self.report, self.visits, self.rules) = (report, visits, rules)
    }

    var blocks: [String] {
        var blocks = [(["Visits (\(base)):", actions] + notes).joined(separator: "\n")]
        if !visits.links.isEmpty { blocks.append("Clicks, by link:\n" + links) }
        if visits.timeline.count > 1 {
            blocks.append("Visits of people over time (\(counted(Int(visits.hours), "hour")) a row):\n" + timeline)
        }
        return blocks
    }

    private var base: String {
        let (count, isDelivered) = report.reached
        if isDelivered { return "delivered \(grouped(count)); sent \(grouped(report.accepted)); rates are of the delivered" }
        return "delivered \(report.delivered.map { grouped($0) } ?? "n/a"); sent \(grouped(count))"
    }

    /// What the numbers leave out, and that other rules are in force than those by which visits were classified.
    private var notes: [String] {
        var notes: [String] = []
        if visits.waiting > 0 { notes.append("\(counted(visits.waiting, "visit")) more: a collector counts them within some seconds") }
        let known = visits.rules
        if known.count > 1 || (known.count == 1 && rules != nil && known.first != rules) {
            let now = rules.map { " of \($0), which are in force now" } ?? " that are in force now"
            notes.append(
                "classified by the rules of \(known.joined(separator: " and ")): flotilla recount \(report.id) applies those\(now), to all")
        }
        return notes
    }

    private static let header = ["", "people", "rate", "visits", "by proxy", "visits", "machines", "visits"]

    private var actions: String {
        let named: [(TrackedAction, String)] = [(.open, "opened"), (.click, "clicked"), (.view, "read in a browser")]
        var rows = named.map { action, name in Self.row(name, visits[action], of: report.reached.count) }
        let chosen: [(TrackedAction, String)] = [
            (.unsubscribe, "unsubscribed"), (.resubscribe, "subscribed again"), (.preferences, "changed preferences"),
        ]
        for (action, name) in chosen {
            let all = visits[action].all
            // It counts whoever did it: a mail program does it for a person.
            if all.unique > 0 || action == .unsubscribe {
                rows.append(
                    [name, grouped(all.unique), Self.rate(all.unique, of: report.reached.count)] + [grouped(all.total), "", "", "", ""])
            }
        }
        return TextTable(header: Self.header, rows: rows, rightAligned: Set(1...7)).text
    }

    private var links: String {
        let shown = visits.links.prefix(20)
        let rows = shown.map { link in
            let name = link.target.isEmpty ? "link \(link.number)" : String(link.target.prefix(60))
            return Self.row(name, link.counts, of: report.reached.count)
        }
        let more = visits.links.count - shown.count
        let rest = more > 0 ? "\nand \(counted(more, "link")) more: --output json" : ""
        return TextTable(header: Self.header, rows: rows, rightAligned: Set(1...7)).text + rest
    }

    private var timeline: String {
        let shown = visits.timeline.prefix(24)
        let rows = shown.map { moment in
            [TrackedAction.open, .click].reduce(into: [Timestamp.text(moment.start)]) { row, action in
                row.append(grouped(moment.count(action, .human) + moment.count(action, .proxied)))
            }
        }
        let more = visits.timeline.count - shown.count
        let rest = more > 0 ? "\nand \(counted(more, "row")) more: --output json" : ""
        return TextTable(header: ["from", "opens", "clicks"], rows: rows, rightAligned: [1, 2]).text + rest
    }

    private static func row(_ name: String, _ counts: EventReport.Counts, of base: Int) -> [String] {
        let human = counts[.human]
        return [name, grouped(human.unique), rate(human.unique, of: base), grouped(human.total)]
            + [VisitorClass.proxied, .machine].flatMap { [grouped(counts[$0].unique), grouped(counts[$0].total)] }
    }

    /// As `12.3 %`.
    private static func rate(_ count: Int, of base: Int) -> String {
        guard base > 0 else { return "n/a" }
        let tenths = (count * 1000 + base / 2) / base
        return "\(tenths / 10).\(tenths % 10) %"
    }
}

extension EventDetail {
    /// As `clicked link 2, by a person: Mozilla/5.0 …`.
    var words: String {
        let done =
            switch action {
            case .open: "opened"
            case .click: "clicked link \(link ?? 0)"
            case .unsubscribe: method == .post ? "unsubscribed" : "looked at the page to unsubscribe"
            case .resubscribe: method == .post ? "subscribed again" : "looked at the page to subscribe again"
            case .view: "read it in a browser"
            case .preferences: "changed their preferences"
            }
        let who =
            switch visitor {
            case .human: "a person"
            case .proxied: "a person behind a proxy"
            case .machine: "a machine"
            }
        let origin = [network, address].filter { !$0.isEmpty }.joined(separator: " ")
        return "\(done), by \(who)\(origin.isEmpty ? "" : " from \(origin)")\(agent.isEmpty ? "" : ": \(agent)")"
    }

    /// In the past tense, for scripts.
    var name: String {
        switch action {
        case .open: "opened"
        case .click: "clicked"
        case .unsubscribe: "unsubscribed"
        case .resubscribe: "resubscribed"
        case .view: "viewed"
        case .preferences: "changed_preferences"
        }
    }
}
