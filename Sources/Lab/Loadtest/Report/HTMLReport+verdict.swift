import Foundation
import Model
import Telemetry

extension HTMLReport {
    private typealias Cell = HTMLTable.Cell

    var header: HTML {
        let began = Date(timeIntervalSince1970: Double(result.began) / 1000)
            .formatted(Date.ISO8601FormatStyle(dateTimeSeparator: .space))
            .replacing("Z", with: " UTC")
        let facts = [
            began, "took " + Figure.duration(result.seconds), "Flotilla " + result.version,
            "\(counted(result.machine.cores, "core")), \(Figure.text(Double(result.machine.memoryBytes), unit: "B"))",
            result.machine.kernel, result.scenario.file,
        ]
        return """
            <header>
            <h1>\(result.scenario.name)</h1>
            <p>\(result.scenario.about)</p>
            <ul class="facts">\(facts.filter { !$0.isEmpty }.map { "<li>\($0)</li>" })</ul>
            </header>

            """
    }

    var verdict: HTML {
        let sentence = verdictSentence
        return """
            <section class="verdict\(result.good ? "" : " bad")">
            <strong>\(sentence.head)</strong>
            <p>\(sentence.detail)</p>
            \(result.expectations.isEmpty ? "" : expectations)</section>

            """
    }

    private var verdictSentence: (head: String, detail: String) {
        let count = result.expectations.count
        let unmet = result.expectations.count { !$0.good }
        if !result.good {
            if unmet == 0 { return ("✗ Not met", "The run did not go to its end; the notes say why.") }
            return ("✗ Not met", "\(unmet) of \(counted(count, "expectation")) \(unmet == 1 ? "is" : "are") not met.")
        }
        if count == 0 { return ("✓ Ended", "The scenario expects nothing of the run.") }
        return ("✓ Met", count == 1 ? "The one expectation." : "All \(count) expectations.")
    }

    private var expectations: HTML {
        var table = HTMLTable(["Expectation", "Wanted", "Seen", ""].map { HTMLTable.Column(title: $0, kind: .text) })
        for one in result.expectations {
            let note: HTML = one.note.isEmpty ? "" : "<span class=\"note\">\(one.note)</span>"
            let mark = one.good ? "✓" : "✗"
            table.add(
                "<span class=\"mark\" aria-hidden=\"true\">\(mark)</span>\(one.what)\(note)",
                [Cell(one.wanted), Cell(one.seen), Cell(one.good ? "met" : "not met")], style: one.good ? "" : "bad")
        }
        return table.html
    }

    var mailings: HTML {
        guard !result.mailings.isEmpty else { return "" }
        var table = HTMLTable(
            "Mailing", "Recipients", "Arrived", "Twice", "Missing", "Failed", "Uncertain", "Time", "Messages/s")
        for mailing in result.mailings {
            let seconds = mailing.seconds.map(Figure.duration)
            table.add(
                """
                \(mailing.name)<span class="note">\(mailing.channel.rawValue) <span class="id">\(mailing.id)</span></span>
                """,
                counts([mailing]) + [
                    Cell(seconds ?? "not ended", isBad: seconds == nil), Cell(Figure.rounded(mailing.perSecond)),
                ])
        }
        if result.mailings.count > 1 {
            table.add("together", counts(result.mailings) + [Cell(""), Cell("")], style: "all")
        }
        return """
            <section>
            <h2>Mailings</h2>
            <p class="note">As the sinks recorded them, not as Flotilla counted.</p>
            \(table.html)</section>

            """
    }

    private func counts(_ mailings: [RunResult.Mailing]) -> [Cell] {
        let sum = { (count: KeyPath<RunResult.Mailing, Int>) in mailings.reduce(0) { $0 + $1[keyPath: count] } }
        return [
            Cell(grouped(sum(\.recipients))), Cell(grouped(sum(\.arrived))),
            Cell(grouped(sum(\.twice)), isBad: sum(\.twice) > 0),
            Cell(grouped(sum(\.missing)), isBad: sum(\.missing) > 0),
            Cell(grouped(sum(\.failed))), Cell(grouped(sum(\.uncertain))),
        ]
    }

    func counted(_ count: Int, _ what: String) -> String { "\(grouped(count)) \(what)\(count == 1 ? "" : "s")" }
}
