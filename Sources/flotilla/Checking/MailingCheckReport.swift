import Ledger
import Model
import Planning
import Telemetry
import Templates

/// What `flotilla mailing check` found.
struct MailingCheckReport: Encodable {
    struct Recipients: Encodable {
        struct Row: Encodable {
            let row: Int
            let id: String
            let address: String
            let detail: String?
        }

        struct Excluded: Encodable {
            let reason: String
            let count: Int
            let first: [Row]
        }

        let rows: Int
        let recipients: Int
        let unverified: Int
        let excluded: [Excluded]
        /// The ledger's list of suppressions was looked at.
        let suppressionsChecked: Bool

        init(_ check: RecipientCheck, suppressionsChecked: Bool) {
            (rows, recipients, unverified) = (check.rows, check.recipients, check.unverified)
            self.suppressionsChecked = suppressionsChecked
            excluded = check.excluded.map { part in
                Excluded(
                    reason: part.reason.rawValue, count: part.count,
                    first: part.first.map {
                        Row(row: $0.row, id: $0.id, address: $0.address, detail: $0.detail.isEmpty ? nil : $0.detail)
                    })
            }
        }
    }

    var findings: [MailingFinding] = []
    var recipients: Recipients?
    /// What SpamAssassin says of the first message; nil where it was not asked.
    var spam: SpamScore?

    var faults: Int { findings.count { $0.severity == .fault } }

    mutating func note(_ finding: MailingFinding) { findings.append(finding) }

    /// For people.
    var text: String {
        var lines: [String] = []
        for finding in findings {
            let mark = finding.severity.rawValue
            let place = finding.place.isEmpty ? "" : finding.place + ": "
            lines.append(mark + String(repeating: " ", count: 9 - mark.count) + LogText.line("\(place)\(finding.check): \(finding.what)"))
            if !finding.why.isEmpty { lines.append("         why: \(LogText.line(finding.why))") }
            if !finding.advice.isEmpty { lines.append("         do:  \(LogText.line(finding.advice))") }
        }
        if let recipients { lines += (lines.isEmpty ? [] : [""]) + Self.lines(recipients) }
        if let spam { lines += ["", LogText.line(spam.text)] }
        let warnings = findings.count - faults
        lines += ["", "\(counted(faults, "fault")), \(counted(warnings, "warning"))"]
        return lines.joined(separator: "\n")
    }

    private static func lines(_ recipients: Recipients) -> [String] {
        var lines = [
            "\(counted(recipients.rows, "row")): \(counted(recipients.recipients, "recipient")), "
                + "\(grouped(recipients.rows - recipients.recipients)) excluded"
        ]
        for part in recipients.excluded {
            lines.append("  \(part.reason): \(grouped(part.count))")
            for row in part.first {
                let detail = row.detail.map { ": \($0)" } ?? ""
                lines.append("    " + LogText.line("row \(row.row), id \(row.id), \(row.address.isEmpty ? "-" : row.address)\(detail)"))
            }
            if part.count > part.first.count { lines.append("    and \(grouped(part.count - part.first.count)) more") }
        }
        if recipients.unverified > 0 { lines.append("  unverified numbers, sent to all the same: \(grouped(recipients.unverified))") }
        return lines
    }
}
