/// A progress line: a name, which is cut first where there is no room, and the figures behind it, the most important first.
package struct ProgressText: Sendable, Equatable {
    private let name: String
    private let figures: [String]

    /// Columns of a name that are enough to recognise it.
    private static let recognisable = 14

    package init(name: String, figures: [String]) {
        self.name = LogText.line(name)
        self.figures = figures.map(LogText.line)
    }

    /// The whole line.
    package var text: String { line(name, figures) }

    /// As much of it as fits some columns. Figures leave from the end before the name gets too short to be recognised.
    package func fitting(_ columns: Int) -> String {
        for count in stride(from: figures.count, through: 1, by: -1) {
            let shown = figures.prefix(count)
            let room = columns - line("", shown).columns
            if room >= min(name.columns, Self.recognisable) { return line(name.cut(to: room, at: .end), shown) }
        }
        return line(name.cut(to: min(Self.recognisable, max(0, columns / 3)), at: .end), figures.prefix(1)).cut(
            to: max(0, columns), at: .end)
    }

    private func line(_ name: String, _ figures: some Sequence<String>) -> String { "\(name): \(figures.joined(separator: "  "))" }
}
