/// Says when a line about what may happen thousands of times is worth writing: the first at once, then one a minute, which tells of all
/// since. Times are nanoseconds of a clock that does not go back.
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

    /// It happened several times; `due` says when that is to be told.
    package mutating func count(_ times: Int) { count += times }

    /// - Returns: how often since the last line; nil where there is nothing to tell, or not yet.
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
