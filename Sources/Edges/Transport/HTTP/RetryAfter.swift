/// The wait that a response asks for: Retry-After (RFC 9110 section 10.2.3).
enum RetryAfter {
    /// A wait above a day is taken as a day: a wrong clock or a slip must not hold a mailing for ever.
    static let longest: Double = 86_400

    /// Reads the field's value, delay-seconds or an HTTP-date in any of the three forms of RFC 9110 section 5.6.7.
    /// - Parameter now: seconds since 1970.
    /// - Returns: seconds to wait from now, from 0 to `longest`; nil where the value is neither.
    static func seconds(_ value: some Collection<UInt8>, now: Double) -> Double? {
        if let delay = delay(value) { return delay }
        let words = value.split { $0 == 0x20 || $0 == 0x09 || $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "-") }
        return date(words).map { min(max($0 - now, 0), longest) }
    }

    private static func delay(_ digits: some Collection<UInt8>) -> Double? {
        guard !digits.isEmpty else { return nil }
        var seconds = 0.0
        for digit in digits {
            guard (0x30...0x39).contains(digit) else { return nil }
            seconds = seconds * 10 + Double(digit - 0x30)
        }
        return min(seconds, longest)
    }

    /// The words of `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` or `Sun Nov  6 08:49:37 1994`.
    private static func date(_ words: [some Collection<UInt8>]) -> Double? {
        guard words.count == 6 || words.count == 5 else { return nil }
        let isAsctime = words.count == 5
        guard let day = number(words[isAsctime ? 2 : 1]), let month = month(words[isAsctime ? 1 : 2]),
            var year = number(words[isAsctime ? 4 : 3]), (1...31).contains(day)
        else { return nil }
        // Two digits: RFC 9110 has years more than 50 ahead mean the last century; a response's date is about now.
        if year < 100 { year += year < 70 ? 2000 : 1900 }
        let clock = words[isAsctime ? 3 : 4].split(separator: UInt8(ascii: ":"))
        guard clock.count == 3, let hour = number(clock[0]), let minute = number(clock[1]),
            let second = number(clock[2]), hour < 24, minute < 60, second <= 60, (1970...9999).contains(year)
        else { return nil }
        return Double(days(year: year, month: month, day: day) * 86_400 + hour * 3600 + minute * 60 + second)
    }

    private static func number(_ digits: some Collection<UInt8>) -> Int? {
        guard !digits.isEmpty, digits.count <= 4 else { return nil }
        var value = 0
        for digit in digits {
            guard (0x30...0x39).contains(digit) else { return nil }
            value = value * 10 + Int(digit - 0x30)
        }
        return value
    }

    private static func month(_ name: some Collection<UInt8>) -> Int? {
        let names = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        return names.firstIndex { $0.utf8.elementsEqual(name) }.map { $0 + 1 }
    }

    /// Days from 1970-01-01 in the Gregorian calendar; the year is counted from March, so that the leap day ends it.
    private static func days(year: Int, month: Int, day: Int) -> Int {
        let year = month > 2 ? year : year - 1
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return year * 365 + year / 4 - year / 100 + year / 400 + dayOfYear - 719_468
    }
}
