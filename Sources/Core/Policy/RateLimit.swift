import Text

/// A limit on how many messages may start: at most `count` in `period`, and `burst` more at once after a pause. In any window
/// of w seconds at most `count / period * w + burst` start. All integers, so that arithmetic on it is exact.
package struct RateLimit: Sendable, Hashable, CustomStringConvertible {
    package enum Unit: String, Sendable, CaseIterable {
        case second = "s"
        case minute = "min"
        case hour = "h"
        case day = "d"

        package var microseconds: Int64 {
            switch self {
            case .second: 1_000_000
            case .minute: 60_000_000
            case .hour: 3_600_000_000
            case .day: 86_400_000_000
            }
        }
    }

    /// Messages in a period, from 1.
    package let count: Int64
    package let unit: Unit
    /// Messages that may start together, from 1, which is also what a limit without `burst=` has: evenly spaced.
    package let burst: Int64

    /// The period in microseconds.
    package var period: Int64 { unit.microseconds }
    package var perSecond: Double { Double(count) / (Double(period) / 1_000_000) }

    /// At most this many a second; what is beyond it is no limit in practice.
    package static let maximum: Int64 = 1_000_000

    /// Reads `500/s` or `6000/min,burst=50`, with the units s, min, h, d; white space around the parts is allowed.
    package init(_ text: String) throws(RateLimitError) {
        func refuse(_ problem: String) -> RateLimitError { RateLimitError(text: text, problem: problem) }
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(\.trimmed)
        let rate = parts[0].split(separator: "/", omittingEmptySubsequences: false).map(\.trimmed)
        guard rate.count == 2 else { throw refuse("needs a number, a slash and a unit") }
        guard let count = Self.number(rate[0]) else {
            throw refuse(
                "'\(rate[0])' is no whole number from 1; for less than one a second take a longer unit: 30/min")
        }
        guard let unit = Self.unit(rate[1]) else { throw refuse("the unit '\(rate[1])' is none of s, min, h, d") }
        guard count <= Self.maximum * (unit.microseconds / 1_000_000) else {
            throw refuse("more than 1000000 a second")
        }
        var burst: Int64 = 1
        for (index, part) in parts.dropFirst().enumerated() {
            let pair = part.split(separator: "=", omittingEmptySubsequences: false).map(\.trimmed)
            guard index == 0, pair.count == 2, pair[0] == "burst" else {
                throw refuse("after the comma there is only burst=N, and only once")
            }
            guard let value = Self.number(pair[1]), value <= Self.maximum else {
                throw refuse("burst '\(pair[1])' is no whole number from 1 to 1000000")
            }
            burst = value
        }
        self.count = count
        self.unit = unit
        self.burst = burst
    }

    /// The text that reads back as the same limit.
    package var description: String { "\(count)/\(unit.rawValue)" + (burst == 1 ? "" : ",burst=\(burst)") }

    private static func unit(_ text: Substring) -> Unit? {
        switch text {
        case "s", "sec", "second": .second
        case "m", "min", "minute": .minute
        case "h", "hour": .hour
        case "d", "day": .day
        default: nil
        }
    }

    private static func number(_ text: Substring) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy(\.isDigit) else { return nil }
        guard let value = Int64(text), value >= 1 else { return nil }
        return value
    }
}

/// A text that is no rate limit.
package struct RateLimitError: Error, Equatable, Sendable, CustomStringConvertible {
    package let text: String
    package let problem: String

    package var description: String {
        "'\(text)' is no rate limit: \(problem). Write it as 500/s or 6000/min,burst=50 (units: s, min, h, d)."
    }
}
