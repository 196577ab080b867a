import Foundation

/// What `report.js` draws: the panels, downsampled and rounded, and the events.
struct PlotData: Encodable {
    struct Panel: Encodable {
        var title: String
        var unit: String
        var stacked: Bool
        var lines: [RunResult.Line]
        var limit: [RunResult.Point]?
    }

    /// What a line has at most: more than a screen has columns for.
    static let mostPoints = 600
    /// What all lines have together, so that the page stays below a megabyte.
    static let mostPointsOfAll = 36_000

    var seconds: Double
    var events: [RunResult.Event]
    var panels: [Panel]

    init(_ result: RunResult) {
        seconds = result.seconds.isFinite ? result.seconds : 0
        events = result.events.filter(\.at.isFinite)
        let lines = max(1, result.panels.reduce(0) { $0 + $1.lines.count })
        let most = min(Self.mostPoints, max(8, Self.mostPointsOfAll / lines))
        panels = result.panels.map { panel in
            let thin = Downsampling.thin(panel.finite, to: most)
            return Panel(
                title: thin.title, unit: thin.unit, stacked: thin.isStacked,
                lines: thin.lines.map { RunResult.Line(label: $0.label, points: $0.points.map(Self.rounded)) },
                limit: thin.limit)
        }
    }

    /// JSON that may stand in a `script` element: `<`, `>` and `&`, which JSON has in strings alone, are written as escapes.
    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var bytes: [UInt8] = []
        for byte in try encoder.encode(self) {
            switch byte {
            case UInt8(ascii: "<"): bytes += #"\u003c"#.utf8
            case UInt8(ascii: ">"): bytes += #"\u003e"#.utf8
            case UInt8(ascii: "&"): bytes += #"\u0026"#.utf8
            default: bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Hundredths of a second, and five significant figures: finer than can be drawn.
    private static func rounded(_ point: RunResult.Point) -> RunResult.Point {
        RunResult.Point(at: (point.at * 100).rounded() / 100, value: point.value.map { significant($0) })
    }

    static func significant(_ value: Double) -> Double {
        guard value != 0, value.isFinite else { return value }
        let place = Int(4 - log10(abs(value)).rounded(.down))
        let power = pow(10, Double(abs(place)))
        return place >= 0 ? (value * power).rounded() / power : (value / power).rounded() * power
    }
}

extension RunResult.Panel {
    /// Without points that have no time, and with gaps where a value is not a number.
    var finite: RunResult.Panel {
        var panel = self
        let tidy = { (points: [RunResult.Point]) in
            points.filter(\.at.isFinite).map { point in
                RunResult.Point(at: point.at, value: point.value.flatMap { $0.isFinite ? $0 : nil })
            }
        }
        for index in panel.lines.indices { panel.lines[index].points = tidy(panel.lines[index].points) }
        panel.limit = panel.limit.map(tidy)
        return panel
    }
}
