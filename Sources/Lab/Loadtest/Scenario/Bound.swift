import Policy
import Telemetry
import Text

/// What a figure has to be, as it is written in a scenario: `>= 480/s`, `<= 60us`, `<= 200MB`, `0`.
package struct Bound: Sendable, Equatable, CustomStringConvertible {
    package enum Comparison: String, Sendable, CaseIterable {
        // The longer signs first: a text is searched for them in this order.
        case atMost = "<="
        case atLeast = ">="
        case less = "<"
        case more = ">"
        case equal = "="
    }

    /// What a figure counts in.
    package enum Unit: Sendable {
        /// Messages a second.
        case rate
        /// Seconds.
        case time
        /// Bytes.
        case size
        case count
        /// A part of the whole.
        case share

        package var allowed: String {
            switch self {
            case .rate: "a rate such as '>= 480/s' or '<= 6000/min'"
            case .time: "a time such as '<= 60us', '<= 250ms', '<= 2s', '<= 5min' or '<= 1h'"
            case .size: "a size such as '<= 64kB', '<= 200MB' or '<= 1GB'"
            case .count: "a whole number such as 0, or '<= 10'"
            case .share: "a share such as '>= 0.9' or '<= 10%'"
            }
        }
    }

    package let comparison: Comparison
    /// In the unit's own measure.
    package let value: Double
    package let unit: Unit
    /// As it was written.
    package let description: String

    /// Nil for a text that is no such bound.
    package init?(_ text: String, _ unit: Unit) {
        let text = String(text.trimmed)
        let comparison = Comparison.allCases.first { text.hasPrefix($0.rawValue) }
        let rest = text.dropFirst(comparison?.rawValue.count ?? 0)
        guard let value = Self.value(String(rest.trimmed), unit) else { return nil }
        self.comparison = comparison ?? .equal
        self.value = value
        self.unit = unit
        description = text
    }

    package func isMet(by seen: Double) -> Bool {
        switch comparison {
        case .atMost: seen <= value
        case .atLeast: seen >= value
        case .less: seen < value
        case .more: seen > value
        case .equal: seen == value
        }
    }

    private static func value(_ text: String, _ unit: Unit) -> Double? {
        switch unit {
        case .rate:
            do { return try RateLimit(text).perSecond } catch { return nil }
        case .time: return number(text, [("us", 1e-6), ("ms", 1e-3), ("min", 60), ("m", 60), ("h", 3_600), ("s", 1)])
        case .size: return number(text, [("kB", 1e3), ("KB", 1e3), ("MB", 1e6), ("GB", 1e9), ("B", 1)])
        case .count: return Int(text).flatMap { $0 >= 0 ? Double($0) : nil }
        case .share: return number(text, [("%", 0.01), ("", 1)])
        }
    }

    /// A number with one of the units, of which those that end in another stand before it.
    private static func number(_ text: String, _ units: [(name: String, factor: Double)]) -> Double? {
        guard let unit = units.first(where: { text.hasSuffix($0.name) }) else { return nil }
        let digits = String(text.dropLast(unit.name.count).trimmed)
        guard digits.first?.isNumber == true, let number = Double(digits), number.isFinite else { return nil }
        return number * unit.factor
    }
}

extension Bound.Unit {
    /// A figure for people, with its unit.
    package func text(_ value: Double) -> String {
        switch self {
        case .rate: FigureText.rate(value)
        case .time: FigureText.time(value)
        case .size: FigureText.size(value)
        case .count: grouped(Int(value))
        case .share: FigureText.decimals(value, 3)
        }
    }
}
