/// A length of time as people write it: `24h`, `90m`, `2d`, `1h30m`, `45s`.
package struct TimeSpan: Sendable, Equatable {
    /// Whole seconds, from 1.
    package let seconds: Int

    /// Reads numbers with the units d, h, m (or min), s, each at most once, the larger first.
    package init(_ text: String) throws(TimeSpanError) {
        var total = 0
        var lastUnit = Int.max
        var rest = text.utf8[...]
        guard !rest.isEmpty else { throw TimeSpanError(text: text) }
        while !rest.isEmpty {
            let digits = rest.prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
            rest = rest.dropFirst(digits.count)
            let letters = rest.prefix { UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 }
            rest = rest.dropFirst(letters.count)
            guard let value = Int(Substring(digits)), let unit = Self.unit(Substring(letters)), unit < lastUnit else {
                throw TimeSpanError(text: text)
            }
            let (product, overflow) = value.multipliedReportingOverflow(by: unit)
            let (sum, overflowed) = total.addingReportingOverflow(product)
            guard !overflow, !overflowed else { throw TimeSpanError(text: text) }
            total = sum
            lastUnit = unit
        }
        guard total > 0 else { throw TimeSpanError(text: text) }
        seconds = total
    }

    private static func unit(_ text: Substring) -> Int? {
        switch text {
        case "d": 86_400
        case "h": 3_600
        case "m", "min": 60
        case "s": 1
        default: nil
        }
    }
}

/// A text that is no length of time.
package struct TimeSpanError: Error, Equatable, Sendable, CustomStringConvertible {
    package let text: String

    package var description: String {
        "'\(text)' is no length of time; write it as 24h, 90m, 2d or 1h30m (units: d, h, m, s)"
    }
}
