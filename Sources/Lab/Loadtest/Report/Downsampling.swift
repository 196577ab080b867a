/// Reduces the points of a plot. Each section keeps its least and its greatest value, so that no extreme is lost.
enum Downsampling {
    /// The panel with at most `most` points a line.
    static func thin(_ panel: RunResult.Panel, to most: Int) -> RunResult.Panel {
        var panel = panel
        if panel.isStacked {
            panel.lines = thin(aligned(panel.lines), to: most)
        } else {
            for index in panel.lines.indices { panel.lines[index].points = thin(panel.lines[index].points, to: most) }
        }
        panel.limit = panel.limit.map { thin($0, to: most) }
        return panel
    }

    /// At most `most` of the points, in their order: the first, the last, and of each stretch the least, the greatest and one gap.
    static func thin(_ points: [RunResult.Point], to most: Int) -> [RunResult.Point] {
        guard points.count > most, most > 0 else { return points }
        let hasGaps = points.contains { $0.value == nil }
        var kept: Set = [0, points.count - 1]
        for stretch in stretches(of: points.count, number: (most - 2) / (hasGaps ? 3 : 2)) {
            insertExtremes(of: stretch, into: &kept) { points[$0].value }
            if hasGaps, let gap = stretch.first(where: { points[$0].value == nil }) { kept.insert(gap) }
        }
        return kept.sorted().map { points[$0] }
    }

    /// Lines with the same times, at most `most` of them: the extremes of each line and of their sum.
    private static func thin(_ lines: [RunResult.Line], to most: Int) -> [RunResult.Line] {
        guard let count = lines.first?.points.count, count > most else { return lines }
        var kept: Set = [0, count - 1]
        for stretch in stretches(of: count, number: (most - 2) / (2 * lines.count + 2)) {
            for line in lines { insertExtremes(of: stretch, into: &kept) { line.points[$0].value } }
            insertExtremes(of: stretch, into: &kept) { index in lines.reduce(0) { $0 + ($1.points[index].value ?? 0) } }
        }
        let indices = kept.sorted()
        return lines.map { line in RunResult.Line(label: line.label, points: indices.map { line.points[$0] }) }
    }

    private static func stretches(of count: Int, number: Int) -> [Range<Int>] {
        let number = max(1, number)
        return (0..<number).map { $0 * count / number..<($0 + 1) * count / number }
    }

    private static func insertExtremes(of stretch: Range<Int>, into kept: inout Set<Int>, by value: (Int) -> Double?) {
        let measured = stretch.compactMap { index in value(index).map { (index: index, value: $0) } }
        if let least = measured.min(by: { $0.value < $1.value }) { kept.insert(least.index) }
        if let greatest = measured.max(by: { $0.value < $1.value }) { kept.insert(greatest.index) }
    }

    /// The lines with a point each at every time that any of them has, so that they can stand on one another: between two points
    /// of its own a line holds the former, outside them it has gaps.
    static func aligned(_ lines: [RunResult.Line]) -> [RunResult.Line] {
        let times = Set(lines.flatMap { $0.points.map(\.at) }).sorted()
        guard lines.contains(where: { $0.points.count != times.count }) else { return lines }
        return lines.map { line in
            var next = 0
            let points = times.map { time in
                while next < line.points.count, line.points[next].at <= time { next += 1 }
                let isInside = next > 0 && (next < line.points.count || line.points[next - 1].at == time)
                return RunResult.Point(at: time, value: isInside ? line.points[next - 1].value : nil)
            }
            return RunResult.Line(label: line.label, points: points)
        }
    }
}
