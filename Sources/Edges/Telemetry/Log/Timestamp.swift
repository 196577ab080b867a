/// Points in time as logs and health pages write them.
package enum Timestamp {
    /// RFC 3339 in UTC with milliseconds: `2026-03-01T09:30:00.125Z`.
    /// - Parameter milliseconds: since 1970-01-01 UTC; years 1 to 9999.
    package static func text(_ milliseconds: Int64) -> String {
        let (days, inDay) = milliseconds.flooredQuotientAndRemainder(dividingBy: 86_400_000)
        let (year, month, day) = civil(daysSince1970: days)
        var out = ""
        out.reserveCapacity(24)
        func append(_ value: Int64, digits: Int) {
            let text = "\(value)"
            for _ in text.utf8.count..<max(digits, text.utf8.count) { out += "0" }
            out += text
        }
        append(year, digits: 4)
        out += "-"
        append(month, digits: 2)
        out += "-"
        append(day, digits: 2)
        out += "T"
        append(inDay / 3_600_000, digits: 2)
        out += ":"
        append(inDay / 60_000 % 60, digits: 2)
        out += ":"
        append(inDay / 1_000 % 60, digits: 2)
        out += "."
        append(inDay % 1_000, digits: 3)
        return out + "Z"
    }

    /// The Gregorian date of a day. Counts in eras of 400 years of 146,097 days that start on 1 March, so that the leap
    /// day is the last of its year.
    private static func civil(daysSince1970 days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        // 719,468 days from 1 March of year 0 to 1970-01-01.
        let (era, dayOfEra) = (days + 719_468).flooredQuotientAndRemainder(dividingBy: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        // Months from March: 153 days are five months.
        let shifted = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shifted + 2) / 5 + 1
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }
}

extension Int64 {
    fileprivate func flooredQuotientAndRemainder(dividingBy divisor: Int64) -> (Int64, Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
