/// Decides when a line about an event that may happen thousands of times is written: the first at once, then one a minute that counts the
/// events since. Times are nanoseconds of a monotonic clock.
package struct RepeatedLine: Sendable, Equatable {
    package static let interval: Int64 = 60_000_000_000

    private var count = 0
    private var told: Int64?

    package init() {}

    /// It happened.
    /// - Returns: how often since the last line, this time included; nil where no line is due.
    package mutating func add(at now: Int64) -> Int? {
        count += 1
        if let told, now - told < Self.interval { return nil }
        told = now
        defer { count = 0 }
        return count
    }

    /// Counts several events; `due` says when the line is written.
    package mutating func count(_ times: Int) { count += times }

    /// - Returns: the events since the last line; nil where there are none, or no line is due.
    package mutating func due(at now: Int64, isLast: Bool = false) -> Int? {
        guard count > 0 else { return nil }
        if let told, now - told < Self.interval, !isLast { return nil }
        told = now
        defer { count = 0 }
        return count
    }

    /// What goes behind the line: ` (412 times since the last such line)`; empty for the first.
    package static func text(_ count: Int) -> String { count == 1 ? "" : " (\(count) times since the last such line)" }
}
