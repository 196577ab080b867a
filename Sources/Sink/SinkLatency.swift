/// How long an answer is held back: evenly spread between two bounds.
package struct SinkLatency: Sendable, Equatable {
    /// The bounds, in nanoseconds.
    package let least: Int64
    package let most: Int64

    package static let none = SinkLatency(least: 0, most: 0)

    package init(least: Int64, most: Int64) {
        self.least = least
        self.most = max(least, most)
    }

    /// Reads `50ms`, `1.5s`, `50-500ms` or `50ms-2s`; the units are us, ms, s and min.
    /// - Throws: `SinkError` when the text is no such thing.
    package init(parsing text: String) throws(SinkError) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard let last = parts.last, parts.count <= 2, let most = Self.nanoseconds(last),
            let least = parts.count == 1 ? most : Self.nanoseconds(parts[0], unit: Self.unit(of: last)), least <= most
        else {
            throw SinkError("'\(text)' is no latency: write a time such as 50ms or a range such as 50-500ms")
        }
        self.init(least: least, most: most)
    }

    var isNone: Bool { most == 0 }

    /// The latency at a draw from 0 up to 1, in nanoseconds.
    func at(_ draw: Double) -> Int64 {
        least + Int64(Double(most - least) * draw)
    }

    /// Reads a time with its unit, or with `unit` where it has none; nil when it is none, negative or above a day.
    static func nanoseconds(_ text: Substring, unit: Substring? = nil) -> Int64? {
        let own = Self.unit(of: text)
        let factor: Double
        switch own.isEmpty ? unit ?? "" : own {
        case "us": factor = 1e3
        case "ms": factor = 1e6
        case "s": factor = 1e9
        case "min": factor = 60e9
        default: return nil
        }
        guard let number = Double(text.dropLast(own.count)), number >= 0, number * factor <= 86_400e9 else {
            return nil
        }
        return Int64(number * factor)
    }

    private static func unit(of text: Substring) -> Substring {
        text.drop { !$0.isLetter }
    }
}
