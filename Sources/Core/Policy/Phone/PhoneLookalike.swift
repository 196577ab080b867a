import Text

/// What a column of telephone numbers may hold in place of one: its digits, read as a number, are one that nobody wrote.
package enum PhoneLookalike: String, Sendable {
    case address = "an IP address"
    case date = "a date"
    case version = "a version"
    case amount = "an amount"

    struct Finding: Equatable {
        let what: PhoneLookalike
        /// No telephone number is written so. Otherwise one that its country is known to have is taken.
        let isCertain: Bool
    }

    /// - Parameter text: from the first digit or plus sign on, in ASCII's digits and signs.
    static func found(in text: String) -> Finding? {
        // A plus sign says that it is a number.
        guard text.utf8.first?.isDigit == true else { return nil }
        return address(text) ?? date(text) ?? dotted(text)
    }

    /// Four numbers up to 255 (RFC 6943 section 3.1.1), also with a port or a prefix. Numbers of eight digits are written in four pairs.
    private static func address(_ text: String) -> Finding? {
        let head = text.utf8.prefix { $0.isDigit || $0 == dot }
        let rest = text.utf8.dropFirst(head.count)
        guard IPAddress.isVersion4(head), rest.isEmpty || rest.first == UInt8(ascii: ":") || rest.first == slash else { return nil }
        return Finding(what: .address, isCertain: !head.split(separator: dot).allSatisfy { $0.count == 2 })
    }

    /// Year, month and day, or day, month and year in either order, with one sign between them; a time may follow.
    private static func date(_ text: String) -> Finding? {
        let head = text.prefix { $0 != " " }
        let rest = text.dropFirst(head.count)
        guard rest.isEmpty || rest.contains(":") else { return nil }
        for separator in "-./" {
            let parts = head.split(separator: separator, omittingEmptySubsequences: false)
            guard parts.count == 3, parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(\.isDigit) }) else { continue }
            let (lengths, numbers) = (parts.map(\.utf8.count), parts.map { Int($0) ?? .max })
            func isDay(_ one: Int, _ other: Int) -> Bool {
                lengths[one] <= 2 && lengths[other] <= 2 && numbers[one] > 0 && numbers[other] > 0
                    && min(numbers[one], numbers[other]) <= 12 && max(numbers[one], numbers[other]) <= 31
            }
            if lengths[0] == 4, 1900...2099 ~= numbers[0], isDay(1, 2) { return Finding(what: .date, isCertain: true) }
            if lengths[2] == 4, 1900...2099 ~= numbers[2], isDay(0, 1) { return Finding(what: .date, isCertain: true) }
            if lengths[2] == 2, isDay(0, 1) { return Finding(what: .date, isCertain: false) }
        }
        return nil
    }

    /// Numbers with dots: `10.15.7`, `1.234.567`, `52.520008`, `1234567.50`. Some countries write telephone numbers like the latter.
    private static func dotted(_ text: String) -> Finding? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count > 1, parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(\.isDigit) }) else { return nil }
        let tail = parts.dropFirst()
        if parts.count > 2 {
            if tail.contains(where: { $0.utf8.count == 1 }) { return Finding(what: .version, isCertain: true) }
            let isGrouped = parts[0].utf8.count <= 3 && parts[0].first != "0" && tail.allSatisfy { $0.utf8.count == 3 }
            return isGrouped ? Finding(what: .amount, isCertain: false) : nil
        }
        if parts[1].utf8.count <= 2 { return Finding(what: .amount, isCertain: true) }
        return parts[0].first == "0" ? nil : Finding(what: .amount, isCertain: false)
    }

    private static let dot = UInt8(ascii: ".")
    private static let slash = UInt8(ascii: "/")
}
