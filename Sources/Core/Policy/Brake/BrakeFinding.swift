/// A share of complaints or hard bounces that is at a limit of the brake.
package struct BrakeFinding: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable { case complaints, bounces }

    package enum Window: String, Sendable, CaseIterable {
        case hour, day

        package var minutes: Int64 { self == .hour ? 60 : 1_440 }
        fileprivate var words: String { self == .hour ? "hour" : "24 hours" }
    }

    package enum Level: String, Sendable, CaseIterable { case warn, pause }

    /// What makes a finding another one.
    package struct Key: Sendable, Hashable {
        package var kind: Kind
        package var window: Window
        package var level: Level

        package init(_ kind: Kind, _ window: Window, _ level: Level) {
            self.kind = kind
            self.window = window
            self.level = level
        }
    }

    package var key: Key
    /// Complaints, or hard bounces.
    package var events: Int
    /// Messages that they are of.
    package var of: Int
    /// The share that was reached, in thousandths of a percent.
    package var limit: Int

    package init(_ key: Key, events: Int, of: Int, limit: Int) {
        self.key = key
        self.events = events
        self.of = of
        self.limit = limit
    }

    /// As in `24 of 200 messages of the last hour bounced for good (12 %; the limit is 10 %)`.
    package var words: String {
        let what = key.kind == .complaints ? "were called spam" : "bounced for good"
        let share = BrakeLimit.percent(of > 0 ? events * 100_000 / of : 0)
        return "\(events) of \(of) messages of the last \(key.window.words) \(what) (\(share) %; the limit is "
            + "\(BrakeLimit.percent(limit)) %)"
    }
}
