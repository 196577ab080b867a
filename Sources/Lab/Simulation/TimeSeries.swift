/// The rate of a plan over time, and what bounds it.
struct TimeSeries: Sendable {
    /// Columns at most; where it takes longer, they get wider.
    private static let most = 1_200
    private var width = 1.0
    private var counts: [Double] = []
    private var raw: [Forecast.Phase] = []

    /// - Parameter started: messages that began, evenly over the time.
    mutating func add(from: Double, to: Double, started: Int, bottleneck: Bottleneck) {
        guard to > from else { return }
        if let last = raw.last, last.bottleneck == bottleneck {
            // Until `phases` are asked for, `rate` is the number of messages.
            raw[raw.count - 1].to = to
            raw[raw.count - 1].rate += Double(started)
        } else {
            raw.append(Forecast.Phase(from: from, to: to, bottleneck: bottleneck, rate: Double(started)))
        }
        guard started > 0 else { return }
        while to / width >= Double(Self.most) { widen() }
        while counts.count <= Int(to / width) { counts.append(0) }
        let rate = Double(started) / (to - from)
        for column in Int(from / width)...Int(to / width) {
            let begin = max(from, Double(column) * width)
            let end = min(to, Double(column + 1) * width)
            if end > begin { counts[column] += rate * (end - begin) }
        }
    }

    private mutating func widen() {
        counts = stride(from: 0, to: counts.count, by: 2).map { counts[$0] + ($0 + 1 < counts.count ? counts[$0 + 1] : 0) }
        width *= 2
    }

    /// The rate of each column.
    var points: [Forecast.Point] {
        counts.enumerated().map { Forecast.Point(at: Double($0) * width, rate: $1 / width) }
    }

    /// Its bottlenecks in order. One that lasts less than a hundredth of the whole is counted with the one before.
    var phases: [Forecast.Phase] {
        guard let first = raw.first, let last = raw.last else { return [] }
        let least = (last.to - first.from) / 100
        var joined: [Forecast.Phase] = []
        for phase in raw {
            if let before = joined.last, before.bottleneck == phase.bottleneck || phase.to - phase.from < least {
                joined[joined.count - 1].to = phase.to
                joined[joined.count - 1].rate += phase.rate
            } else if let before = joined.last, before.to - before.from < least {
                joined[joined.count - 1].to = phase.to
                joined[joined.count - 1].rate += phase.rate
                joined[joined.count - 1].bottleneck = phase.bottleneck
            } else {
                joined.append(phase)
            }
        }
        return joined.map { phase in
            var phase = phase
            phase.rate /= phase.to - phase.from
            return phase
        }
    }
}
