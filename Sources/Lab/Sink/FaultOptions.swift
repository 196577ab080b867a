/// What a response says besides its code: the options after a rule of `--fail` or a limit.
package struct FaultOptions: Sendable, Equatable {
    /// An enhanced status code (RFC 3463), for SMTP.
    package private(set) var status: String?
    package private(set) var text: String?
    /// Whole seconds, rounded up, for HTTP.
    package private(set) var retryAfter: Int?

    /// None of them.
    package init() {}

    /// Reads `retry-after=2s`, `status=5.7.1`, `text=words`.
    /// - Parameter rule: what they belong to, for the error.
    /// - Throws: `SinkError` that names the option and what is wrong with it.
    init(_ options: some Sequence<Substring>, of rule: Substring) throws(SinkError) {
        for option in options {
            let halves = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = halves.count == 2 ? halves[1] : ""
            do {
                switch halves.first {
                case "retry-after": try take(retryAfter: value)
                case "status": try take(status: value)
                case "text": try take(text: value)
                default: throw SinkError("no option '\(option)'; the options are retry-after=, status= and text=")
                }
            } catch {
                throw SinkError("'\(rule)': \(error)")
            }
        }
    }

    /// - Throws: `SinkError` when it is no time.
    package mutating func take(retryAfter value: Substring) throws(SinkError) {
        guard let wait = SinkLatency.nanoseconds(value) else { throw SinkError("'\(value)' is no time, such as 2s") }
        retryAfter = Int((wait + 999_999_999) / 1_000_000_000)
    }

    /// - Throws: `SinkError` when it is no enhanced status code.
    package mutating func take(status value: Substring) throws(SinkError) {
        let numbers = value.split(separator: ".", omittingEmptySubsequences: false).map { UInt16($0) }
        guard numbers.count == 3, !numbers.contains(nil) else {
            throw SinkError("'\(value)' is no enhanced status code, such as 5.7.1")
        }
        status = String(value)
    }

    /// - Throws: `SinkError` when a response could not hold it: it goes into a JSON string and onto an SMTP line as it is.
    package mutating func take(text value: Substring) throws(SinkError) {
        let isPlain = value.utf8.allSatisfy { (0x20..<0x7f).contains($0) && $0 != 0x22 && $0 != 0x5c }
        guard isPlain, !value.isEmpty, value.utf8.count <= 400 else {
            throw SinkError("a text has up to 400 printable ASCII characters but \" and \\")
        }
        text = String(value)
    }
}
