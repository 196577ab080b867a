import Telemetry

extension HTMLReport {
    private typealias Cell = HTMLTable.Cell

    var steps: HTML {
        guard !result.steps.isEmpty else { return "" }
        var table = HTMLTable("Step", "Messages", "Time", "Messages/s", "Efficiency", "CPU a message")
        for step in result.steps {
            let percent = Figure.text(step.efficiency * 100, unit: "%")
            let width = step.efficiency.isFinite ? Int(min(1, max(0, step.efficiency)) * 100) : 0
            table.add(
                "\(counted(step.workers, "worker"))",
                [
                    Cell(grouped(step.messages)), Cell(Figure.duration(step.seconds)),
                    Cell(Figure.rounded(step.perSecond)),
                    Cell(html: "\(percent)<span class=\"bar\"><i style=\"width:\(width)%\"></i></span>"),
                    Cell(perMessage(step.cpuPerMessageMicroseconds)),
                ])
        }
        return """
            <section>
            <h2>Steps</h2>
            <p class="note">Efficiency: the rate, by what the first step's rate a worker would give with as many workers.</p>
            \(table.html)</section>

            """
    }

    var panels: HTML {
        guard !result.panels.isEmpty else { return "" }
        return """
            <section>
            <h2>Over time</h2>
            <noscript><p class="note">The plots need JavaScript; the figures of each stand here without.</p></noscript>
            \(events)<div class="panels">
            \(result.panels.enumerated().map { figure($0.offset, $0.element.finite) })</div>
            </section>

            """
    }

    private var events: HTML {
        guard !result.events.isEmpty else { return "" }
        let items = result.events.filter(\.at.isFinite).map { event in
            "<li><time>\(Figure.duration(event.at))</time> \(event.what)</li>\n" as HTML
        }
        return """
            <p class="note">What the script did; the numbers are those in the plots.</p>
            <ol class="events">
            \(items)</ol>

            """
    }

    /// The place of a plot, and the figures of all its samples, not only of those that are drawn.
    private func figure(_ index: Int, _ panel: RunResult.Panel) -> HTML {
        // Seconds and bytes have a unit with each figure, any other has it once.
        let unit = ["s", "B"].contains(panel.unit) ? panel.unit : ""
        var table = HTMLTable(unit.isEmpty ? panel.unit : "", "Least", "Mean", "Greatest", "Last")
        for line in panel.lines {
            let values = line.points.compactMap(\.value)
            let mean = values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
            let figures = [values.min(), mean, values.max(), values.last]
            table.add("\(line.label)", figures.map { Cell(Figure.text($0, unit: unit)) })
        }
        return """
            <figure class="panel" data-panel="\(index)">
            <h3>\(panel.title)</h3>
            <p class="note">\(panel.note)</p>
            <div class="plot"></div>
            <details open><summary>Figures</summary>
            \(table.html)</details>
            </figure>

            """
    }

    var roles: HTML {
        guard !result.roles.isEmpty else { return "" }
        var table = HTMLTable([
            .init(title: "Role", kind: .text), .init(title: "Kind", kind: .text), .init(title: "CPU"),
            .init(title: "CPU a message"), .init(title: "Memory, at most"), .init(title: "Ended", kind: .long),
        ])
        for role in result.roles {
            table.add(
                "\(role.name)",
                [
                    Cell(role.kind), Cell(Figure.text(role.cpuSeconds, unit: "s")),
                    Cell(perMessage(role.cpuPerMessageMicroseconds)),
                    Cell(Figure.text(role.peakMemoryBytes.map(Double.init), unit: "B")),
                    Cell(role.exits.joined(separator: "; ")),
                ])
        }
        return "<section>\n<h2>Roles</h2>\n\(table.html)</section>\n"
    }

    var notes: HTML {
        guard !result.notes.isEmpty else { return "" }
        return "<section>\n<h2>Notes</h2>\n<ul>\n\(result.notes.map { "<li>\($0)</li>\n" })</ul>\n</section>\n"
    }

    private func perMessage(_ microseconds: Double?) -> String { Figure.text(microseconds, unit: "µs") }
}
