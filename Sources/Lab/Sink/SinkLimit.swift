package import Policy

/// How many messages a sink takes in a time, and what it says to those that come faster. In every window of w seconds no more
/// than rate x w + burst get past it, by the times at which they asked: an HTTP request at its end (the record's column `decided`,
/// give or take the turns that the sink's threads get), a recipient of SMTP at RCPT, before its message.
package struct SinkLimit: Sendable, Equatable {
    package let rate: RateLimit
    let smtp: Fault
    let http: Fault

    /// - Parameters:
    ///   - code: 400 to 599; nil for 421 over SMTP and 429 over HTTP.
    ///   - proto: whose response it is; nil to go by the code, as `--fail` does. The other one's is the usual.
    /// - Throws: `SinkError` when the code is no refusal, or an option belongs to the other protocol.
    package init(
        rate: RateLimit, code: Int? = nil, options: FaultOptions = FaultOptions(), over proto: SinkProfile.Proto? = nil
    ) throws(SinkError) {
        if let code, !(400...599).contains(code) {
            throw SinkError("\(code) is no refusal; the codes are 400 to 599")
        }
        let named = proto ?? code.map { FailureProfile.home(of: $0) == .http ? .http : .smtp }
        if named == .http, options.status != nil { throw SinkError("an enhanced status code belongs to SMTP") }
        if named == .smtp, options.retryAfter != nil { throw SinkError("Retry-After belongs to HTTP") }
        self.rate = rate
        smtp = .smtp(
            named == .http ? 421 : code ?? 421, status: options.status, text: named == .http ? nil : options.text)
        http = .http(
            named == .smtp ? 429 : code ?? 429, text: named == .smtp ? nil : options.text,
            retryAfter: options.retryAfter)
    }

    /// Reads `100/s`, `6000/min,burst=50` or `30/s,burst=30;code=429;retry-after=1s;text=slow down`.
    /// - Throws: `SinkError` that says what is wrong with it.
    package init(parsing text: String) throws(SinkError) {
        let parts = text.split(separator: ";", omittingEmptySubsequences: false)
        let rate: RateLimit
        do { rate = try RateLimit(String(parts[0])) } catch { throw SinkError(error.description) }
        var code: Int?
        var rest: [Substring] = []
        for part in parts.dropFirst() {
            guard part.hasPrefix("code=") else {
                rest.append(part)
                continue
            }
            guard let number = Int(part.dropFirst(5)) else { throw SinkError("'\(text)': '\(part)' is no code") }
            code = number
        }
        let options = try FaultOptions(rest, of: text[...])
        do { try self.init(rate: rate, code: code, options: options) } catch { throw SinkError("'\(text)': \(error)") }
    }
}
