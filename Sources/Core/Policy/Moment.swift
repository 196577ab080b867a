import FoundationEssentials

/// A moment as RFC 3339 section 5.6 writes it, with its offset from UTC: `2026-12-01T09:00:00+01:00`.
package struct Moment: Sendable, Equatable, CustomStringConvertible {
    /// Since 1970-01-01 UTC.
    package let milliseconds: Int64

    package init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// Reads date, time of day and offset; all three are needed. A leap second counts as the second behind it.
    package init(_ text: String) throws(MomentError) {
        var scanner = MomentScanner(text)
        guard let year = scanner.number(4), scanner.take("-"), let month = scanner.number(2), scanner.take("-"),
            let day = scanner.number(2), scanner.take("Tt "), let hour = scanner.number(2), scanner.take(":"),
            let minute = scanner.number(2), scanner.take(":"), let second = scanner.number(2),
            let fraction = scanner.fraction()
        else { throw MomentError(text: text, problem: .unreadable) }
        guard !scanner.isAtEnd else { throw MomentError(text: text, problem: .withoutOffset) }
        guard let offset = scanner.offset(), scanner.isAtEnd else { throw MomentError(text: text, problem: .unreadable) }
        guard (1...12).contains(month), (1...Self.days(of: month, in: year)).contains(day), hour < 24, minute < 60,
            second <= 60
        else { throw MomentError(text: text, problem: .impossible) }
        let minutes = (Self.days(before: year, month, day) * 24 + hour) * 60 + minute - offset
        milliseconds = Int64(minutes * 60 + second) * 1000 + Int64(fraction)
    }

    /// In UTC, in whole seconds: `2026-12-01T08:00:00Z`.
    package var description: String { Date(timeIntervalSince1970: Double(milliseconds) / 1000).formatted(.iso8601) }

    private static func days(of month: Int, in year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days from 1970-01-01 in the Gregorian calendar; the year is counted from March, so that the leap day ends it.
    private static func days(before year: Int, _ month: Int, _ day: Int) -> Int {
        // 400 years more, a whole cycle of 146,097 days, keep the divisions of year 0 above zero.
        let year = (month > 2 ? year : year - 1) + 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return year * 365 + year / 4 - year / 100 + year / 400 + dayOfYear - 719_468 - 146_097
    }
}

/// A text that is no moment.
package struct MomentError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Problem: Sendable {
        case unreadable, withoutOffset, impossible
    }

    package let text: String
    package let problem: Problem

    package var description: String {
        switch problem {
        case .unreadable:
            "'\(text)' is no time; write date, time and offset from UTC as 2026-12-01T09:00:00+01:00 (RFC 3339)"
        case .withoutOffset:
            "'\(text)' does not say its offset from UTC; write it as 2026-12-01T09:00:00+01:00, or with Z for UTC"
        case .impossible: "'\(text)' is no day or time of the calendar; write it as 2026-12-01T09:00:00+01:00"
        }
    }
}

/// Reads the parts of a moment from left to right.
private struct MomentScanner {
    private var rest: Substring.UTF8View

    init(_ text: String) { rest = text[...].utf8 }

    var isAtEnd: Bool { rest.isEmpty }

    /// A number of so many digits.
    mutating func number(_ digits: Int) -> Int? {
        let found = rest.prefix(digits)
        guard found.count == digits, found.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
        rest = rest.dropFirst(digits)
        return found.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    /// One of some characters.
    mutating func take(_ allowed: String) -> Bool {
        guard let next = rest.first, allowed.utf8.contains(next) else { return false }
        rest = rest.dropFirst()
        return true
    }

    /// The milliseconds of a fraction, 0 without one; nil for a point without digits.
    mutating func fraction() -> Int? {
        guard take(".") else { return 0 }
        let digits = rest.prefix { 0x30...0x39 ~= $0 }
        guard !digits.isEmpty else { return nil }
        rest = rest.dropFirst(digits.count)
        return (digits.prefix(3) + Array("000".utf8)).prefix(3).reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    /// Minutes east of UTC.
    mutating func offset() -> Int? {
        if take("Zz") { return 0 }
        guard let sign = rest.first, take("+-"), let hours = number(2), take(":"), let minutes = number(2), hours < 24,
            minutes < 60
        else { return nil }
        return (sign == UInt8(ascii: "-") ? -1 : 1) * (hours * 60 + minutes)
    }
}
