import Telemetry

/// A result for a terminal: the verdict first.
package struct VerdictText {
    private let result: RunResult

    package init(_ result: RunResult) { self.result = result }

    package var text: String {
        var blocks = [
            "\(result.scenario.name): \(result.good ? "met" : "NOT MET"), \(FigureText.time(result.seconds))\n\(result.scenario.about)",
            table(
                ["", "EXPECTED", "WANTED", "SEEN", ""],
                result.expectations.map { [$0.good ? "ok" : "NO", $0.what, $0.wanted, $0.seen, $0.note] }),
            table(
                ["MAILING", "RECIPIENTS", "ARRIVED", "TWICE", "MISSING", "FAILED", "UNCERTAIN", "TIME", "RATE"],
                result.mailings.map { mailing in
                    [mailing.name]
                        + [mailing.recipients, mailing.arrived, mailing.twice, mailing.missing, mailing.failed, mailing.uncertain]
                        .map(grouped)
                        + [mailing.seconds.map(FigureText.time) ?? "-", FigureText.rate(mailing.perSecond)]
                }),
        ]
        if !result.steps.isEmpty {
            blocks.append(
                table(
                    ["WORKERS", "MESSAGES", "RATE", "EFFICIENCY", "CPU A MESSAGE"],
                    result.steps.map { step in
                        [
                            "\(step.workers)", grouped(step.messages), FigureText.rate(step.perSecond),
                            FigureText.decimals(step.efficiency, 3),
                            step.cpuPerMessageMicroseconds.map { FigureText.time($0 / 1e6) } ?? "-",
                        ]
                    }))
        }
        blocks.append(
            table(
                ["PROCESS", "CPU", "A MESSAGE", "MEMORY", "ENDED"],
                result.roles.map { role in
                    [
                        role.name, FigureText.time(role.cpuSeconds),
                        role.cpuPerMessageMicroseconds.map { FigureText.time($0 / 1e6) } ?? "-",
                        role.peakMemoryBytes.map { FigureText.size(Double($0)) } ?? "-", role.exits.joined(separator: "; "),
                    ]
                }))
        if !result.notes.isEmpty { blocks.append(result.notes.map { "Note: \($0)" }.joined(separator: "\n")) }
        return blocks.joined(separator: "\n\n")
    }

    private func table(_ header: [String], _ rows: [[String]]) -> String {
        let all = [header] + rows
        let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                line += "  " + cell + String(repeating: " ", count: widths[column] - cell.count)
            }
            while line.last == " " { line.removeLast() }
            return line
        }.joined(separator: "\n")
    }
}
