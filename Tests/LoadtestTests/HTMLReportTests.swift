import Foundation
import Testing
import Text

@testable import Loadtest

@Suite struct HTMLReportTests {
    private struct Plots: Decodable {
        struct Panel: Decodable {
            var title: String
            var lines: [RunResult.Line]
        }
        var seconds: Double
        var events: [RunResult.Event]
        var panels: [Panel]
    }

    private func between(_ start: String, _ end: String, in page: String) throws -> Substring {
        let from = try #require(page.range(of: start)).upperBound
        let to = try #require(page.range(of: end, range: from..<page.endIndex)).lowerBound
        return page[from..<to]
    }

    private func plots(_ page: String) throws -> Plots {
        let json = try between(#"<script type="application/json" id="data">"#, "</script>", in: page)
        return try JSONDecoder().decode(Plots.self, from: Data(json.utf8))
    }

    @Test func eachExpectationMailingPanelEventRoleAndNoteIsInThePage() throws {
        let result = MadeUpRun.result()
        let page = try HTMLReport(result).text
        let visible = try between("<main>", "</main>", in: page)
        var wanted = [
            "✗ Not met", "1 of 2 expectations is not met.", "It was away for 30 s.", "500,000", "499,997", "1 min 52 s",
            "not ended", "together", "501,000", "8 workers", "94 %", "71 MB", "killed at 20 s; code 0", "n/a",
            "2026-11-22 07:36:40 UTC", "2 cores, 25.3 GB",
        ]
        for one in result.expectations { wanted += [one.what, one.wanted.htmlEscaped, one.seen] }
        for panel in result.panels {
            wanted += [">\(panel.title)</h3>", panel.note] + panel.lines.map { ">\($0.label)</th>" }
        }
        wanted +=
            result.mailings.map { ">\($0.name)<" } + result.events.map(\.what) + result.roles.map { ">\($0.name)</th>" }
        wanted += result.notes
        for text in wanted { #expect(visible.contains(text), "\(text)") }

        let plots = try plots(page)
        #expect(plots.seconds == 90)
        #expect(plots.events == result.events)
        #expect(plots.panels.map(\.title) == result.panels.map(\.title))
        #expect(plots.panels.map { $0.lines.map(\.label) } == result.panels.map { $0.lines.map(\.label) })
        for index in result.panels.indices { #expect(visible.contains("data-panel=\"\(index)\"")) }
    }

    @Test func theVerdictStandsBeforeAllElse() throws {
        var result = MadeUpRun.result()
        let page = try HTMLReport(result).text
        let places = try ["✗ Not met</strong>", "<h2>Mailings", "<h2>Over time", "<h2>Roles", "<h2>Notes"].map {
            try #require(page.range(of: $0)).lowerBound
        }
        #expect(places == places.sorted())

        result.expectations.removeFirst()
        #expect(try HTMLReport(result).text.contains("The run did not go to its end; the notes say why."))
        result.good = true
        #expect(try HTMLReport(result).text.contains("✓ Met</strong>\n<p>The one expectation.</p>"))
        result.expectations = []
        #expect(try HTMLReport(result).text.contains("✓ Ended</strong>"))
    }

    @Test func nothingFromOutsideBecomesMarkup() throws {
        let evil = MadeUpRun.hostile
        var result = MadeUpRun.result(name: evil)
        let plain = try HTMLReport(MadeUpRun.result()).text
        result.scenario.about = evil
        result.scenario.file = evil
        result.version = evil
        result.machine.kernel = evil
        result.expectations = [.init(what: evil, wanted: evil, seen: evil, good: false, note: evil)]
        result.mailings[0].name = evil
        result.mailings[0].id = evil
        result.panels[0].title = evil
        result.panels[0].unit = evil
        result.panels[0].note = evil
        result.panels[0].lines[0].label = evil
        result.events[0].what = evil
        result.roles[0].name = evil
        result.roles[0].kind = evil
        result.roles[0].exits = [evil]
        result.notes = [evil]
        let page = try HTMLReport(result).text
        for mark in ["<script", "</script", "<!--", "<b>"] {
            #expect(page.components(separatedBy: mark).count == plain.components(separatedBy: mark).count, "\(mark)")
        }
        #expect(!page.contains(#"alert("x")"#))
        let visible = try between("<main>", "</main>", in: page)
        #expect(visible.components(separatedBy: evil.htmlEscaped).count - 1 == 20, "one for each of them")
        let plots = try plots(page)
        #expect(plots.panels[0].title == evil)
        #expect(plots.panels[0].lines[0].label == evil)
        #expect(plots.events[0].what == evil)
    }

    @Test func aCombiningMarkDoesNotHideAnAngleBracket() {
        #expect("<\u{338}script>\r\n&".htmlEscaped == "&lt;\u{338}script&gt;\r\n&amp;")
        let html: HTML = "<b title=\"\("\"'")\">\("<")</b>"
        #expect(html.text == "<b title=\"&quot;&#39;\">&lt;</b>")
    }

    @Test func thePageAsksTheNetworkForNothing() throws {
        let page = try HTMLReport(MadeUpRun.result()).text
        #expect(page.contains("default-src 'none'"))
        for reference in [" src=", " href=", "url(", "@import", "fetch(", "XMLHttpRequest"] {
            #expect(!page.contains(reference), "\(reference)")
        }
        let addresses = page.components(separatedBy: "http").count - 1
        let names = page.components(separatedBy: "http://www.w3.org/2000/svg").count - 1
        #expect(addresses - names == 1, "http-equiv alone")
    }

    @Test func anHourOfManyLinesStaysBelowAMegabyte() throws {
        var result = MadeUpRun.result(seconds: 3600)
        let lines = (0..<12).map { "results-\($0)" }
        result.panels = (0..<10).map { index in
            MadeUpRun.panel("Panel \(index)", "messages/s", isStacked: index % 2 == 0, lines, seconds: 3600)
        }
        let page = try HTMLReport(result).text
        #expect(page.utf8.count < 1_000_000)
        let counts = try plots(page).panels.flatMap { $0.lines.map(\.points.count) }
        #expect(counts.count == 120)
        #expect(counts.allSatisfy { (50...600).contains($0) })
    }

    @Test func valuesThatAreNoNumbersAreGapsAndFiguresOfTheRest() throws {
        var result = MadeUpRun.result()
        result.panels = [
            .init(
                title: "Odd", unit: "s",
                lines: [
                    .init(
                        label: "some",
                        points: [.init(at: 0, value: .nan), .init(at: 1, value: 2), .init(at: .nan, value: 3)]),
                    .init(label: "none", points: []),
                ],
                limit: [.init(at: 0, value: .infinity)])
        ]
        result.seconds = .nan
        result.events = [.init(at: .infinity, what: "never")]
        result.mailings[0].perSecond = .nan
        let page = try HTMLReport(result).text
        let lines = try plots(page).panels[0].lines
        #expect(lines[0].points == [.init(at: 0, value: nil), .init(at: 1, value: 2)])
        #expect(page.contains(#">some</th><td class="number">2 s</td>"#))
        #expect(page.contains(#">none</th><td class="number">n/a</td>"#))
    }

    @Test func aTemplateIsFilledInOnePass() {
        let values = ["a": "{{b}}", "b": "}} x"]
        #expect(HTMLReport.filled("<{{a}}|{{b}}|{{c}}>", values) == "<{{b}}|}} x|>")
        #expect(HTMLReport.filled("plain", values) == "plain")
    }

    @Test(arguments: [
        (4321.123456, 4321.1), (0.00001234567, 0.000012346), (25_276_502_016, 25_277_000_000), (-0.5, -0.5), (0, 0),
    ])
    func aDrawnValueHasFiveSignificantFigures(value: Double, drawn: Double) {
        #expect(PlotData.significant(value) == drawn)
    }
}
