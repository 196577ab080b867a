extension [UInt8] {
    /// Appends a moment as RFC 5322 section 3.3 writes it, in UTC: `Tue, 01 Jul 2025 10:00:00 +0000`.
    /// - Parameter milliseconds: since 1970, within the years 1 to 9999; others are taken as the nearest of these.
    mutating func appendMailDate(_ milliseconds: Int64) {
        let limits: ClosedRange<Int64> = -62_135_596_800...253_402_300_799
        let seconds = Swift.min(
            Swift.max(milliseconds / 1000 - (milliseconds % 1000 < 0 ? 1 : 0), limits.lowerBound), limits.upperBound)
        let secondOfDay = Int((seconds % 86_400 + 86_400) % 86_400)
        let days = Int((seconds - Int64(secondOfDay)) / 86_400)
        // Years begin in March here, so that the leap day is the last of a year; an era is 400 years.
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 2 : monthFromMarch - 10
        let year = yearOfEra + era * 400 + (month < 2 ? 1 : 0)

        appendName(((days + 4) % 7 + 7) % 7, of: "SunMonTueWedThuFriSat")
        append(contentsOf: ", ".utf8)
        appendTwoDigits(day)
        append(0x20)
        appendName(month, of: "JanFebMarAprMayJunJulAugSepOctNovDec")
        append(0x20)
        appendTwoDigits(year / 100)
        appendTwoDigits(year % 100)
        append(0x20)
        appendTwoDigits(secondOfDay / 3600)
        append(UInt8(ascii: ":"))
        appendTwoDigits(secondOfDay / 60 % 60)
        append(UInt8(ascii: ":"))
        appendTwoDigits(secondOfDay % 60)
        append(contentsOf: " +0000".utf8)
    }

    private mutating func appendName(_ index: Int, of names: StaticString) {
        append(contentsOf: Bytes(start: names.utf8Start + index * 3, count: 3))
    }

    private mutating func appendTwoDigits(_ value: Int) {
        append(UInt8(ascii: "0") + UInt8(value / 10))
        append(UInt8(ascii: "0") + UInt8(value % 10))
    }
}
