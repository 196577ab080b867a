/// What the sink does to a message that it does not accept in the normal way.
package struct Fault: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// Refused with this code; in SMTP 421 and 521 end the connection.
        case response(Int)
        /// The connection is closed, and the message is not taken.
        case drop
        /// The message is taken, and the connection closed without a response.
        case dropAfter
        /// No response ever comes, and the message is not taken; the connection stays open.
        case stall
    }

    package let kind: Kind
    /// The response as it goes onto the wire; empty where there is none.
    let reply: [UInt8]
    /// What it says behind its code, in SMTP with the enhanced status code in front; empty where there is no response.
    package let text: String
    /// Seconds that its Retry-After names.
    package let retryAfter: Int?

    /// The code that the record shows: 0 where no response was given.
    var code: Int {
        if case .response(let code) = kind { code } else { 0 }
    }

    var endsConnection: Bool { code == 421 || code == 521 }

    static let drop = Fault(kind: .drop, reply: [])
    static let dropAfter = Fault(kind: .dropAfter, reply: [])
    static let stall = Fault(kind: .stall, reply: [])

    private init(kind: Kind, reply: [UInt8], text: String = "", retryAfter: Int? = nil) {
        self.kind = kind
        self.reply = reply
        self.text = text
        self.retryAfter = retryAfter
    }

    /// An SMTP response with an enhanced status code (RFC 3463).
    static func smtp(_ code: Int, status: String? = nil, text: String? = nil) -> Fault {
        let usual = usualSMTP(code)
        let said = "\(status ?? usual.status) \(text ?? usual.text)"
        return Fault(kind: .response(code), reply: Array("\(code) \(said)\r\n".utf8), text: said)
    }

    /// An HTTP response with a JSON body, and with Retry-After (RFC 9110 section 10.2.3) in whole seconds where it is
    /// given.
    static func http(_ code: Int, text: String? = nil, retryAfter: Int? = nil) -> Fault {
        let text = text ?? usualHTTP(code)
        let body = "{\"error\":\"\(text)\"}"
        let wait = retryAfter.map { "Retry-After: \($0)\r\n" } ?? ""
        return Fault(
            kind: .response(code),
            reply: Array(
                """
                HTTP/1.1 \(code) \(text)\r
                Content-Type: application/json\r
                \(wait)Content-Length: \(body.utf8.count)\r
                \r
                \(body)
                """.utf8), text: text, retryAfter: retryAfter)
    }

    private static func usualSMTP(_ code: Int) -> (status: String, text: String) {
        switch code {
        case 421: ("4.7.0", "too much mail, closing the connection, try again later")
        case 450: ("4.2.0", "mailbox unavailable, try again later")
        case 451: ("4.3.0", "local error, try again later")
        case 452: ("4.2.2", "mailbox full, try again later")
        case 454: ("4.7.0", "temporary authentication failure")
        case 550: ("5.1.1", "no such mailbox")
        case 552: ("5.2.2", "mailbox full")
        case 553: ("5.1.3", "mailbox name not allowed")
        case 554: ("5.7.1", "message refused")
        default: code < 500 ? ("4.0.0", "refused for now") : ("5.0.0", "refused")
        }
    }

    private static func usualHTTP(_ code: Int) -> String {
        switch code {
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 410: "Gone"
        case 413: "Content Too Large"
        case 422: "Unprocessable Content"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        case 507: "Insufficient Storage"
        default: "Refused"
        }
    }
}
