/// What is counted of the messages of one minute, by the time at which they were sent.
package struct BrakeCounts: Sendable, Equatable {
    /// A provider took them.
    package var sent = 0
    /// It refused them at once, and for good, because their recipients are not there.
    package var refused = 0
    /// It took them, and they came back for good.
    package var bounced = 0
    /// Their recipients called them spam.
    package var complained = 0

    package init(sent: Int = 0, refused: Int = 0, bounced: Int = 0, complained: Int = 0) {
        self.sent = sent
        self.refused = refused
        self.bounced = bounced
        self.complained = complained
    }

    fileprivate static func + (a: Self, b: Self) -> Self {
        Self(
            sent: a.sent + b.sent, refused: a.refused + b.refused, bounced: a.bounced + b.bounced, complained: a.complained + b.complained)
    }
}

/// The last day of one mailing, minute by minute, and what the brake finds in it.
///
/// A complaint or a bounce belongs to the minute in which its message was sent: what is counted is always a part of what it is compared
/// with, however late it comes. A pure value: times are parameters, in milliseconds since 1970.
package struct BrakeWindows: Sendable, Equatable {
    private struct Bucket: Equatable {
        var minute: Int64 = -1
        var counts = BrakeCounts()
    }

    /// A ring: a minute's place is its number modulo its size.
    private var buckets = [Bucket](repeating: Bucket(), count: Int(BrakeFinding.Window.day.minutes))

    package init() {}

    /// Adds what was counted in a minute since 1970. Of two minutes that are a day apart the later one stays.
    package mutating func add(_ counts: BrakeCounts, minute: Int64) {
        guard minute >= 0 else { return }
        let place = Int(minute % Int64(buckets.count))
        if buckets[place].minute > minute { return }
        if buckets[place].minute < minute { buckets[place] = Bucket(minute: minute) }
        buckets[place].counts = buckets[place].counts + counts
    }

    /// All of a window, which ends with this minute.
    package func total(_ window: BrakeFinding.Window, at now: Int64) -> BrakeCounts {
        let last = now / 60_000
        return buckets.reduce(BrakeCounts()) { sum, bucket in
            bucket.minute > last - window.minutes && bucket.minute <= last ? sum + bucket.counts : sum
        }
    }

    /// The limits that are reached, those that pause first; of one share and window the higher level alone.
    package func judge(_ thresholds: BrakeThresholds, at now: Int64) -> [BrakeFinding] {
        var findings: [BrakeFinding] = []
        for window in BrakeFinding.Window.allCases {
            let total = total(window, at: now)
            for kind in BrakeFinding.Kind.allCases {
                let limit = thresholds[kind, window]
                // A message that was refused was not sent: it is compared with what was tried.
                let events = kind == .complaints ? total.complained : total.refused + total.bounced
                let of = kind == .complaints ? total.sent : total.sent + total.refused
                guard total.sent >= thresholds.leastSent, events >= thresholds.leastEvents else { continue }
                for case (let level, let share?) in [(BrakeFinding.Level.pause, limit.pause), (.warn, limit.warn)]
                where events * 100_000 >= of * share {
                    findings.append(BrakeFinding(.init(kind, window, level), events: events, of: of, limit: share))
                    break
                }
            }
        }
        return findings.filter { $0.key.level == .pause } + findings.filter { $0.key.level == .warn }
    }
}
