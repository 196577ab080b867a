import Model
import Policy
import Text

/// What a mail that came to us says of a message of ours.
struct MailReport: Equatable {
    enum Kind: String, CaseIterable {
        case bounced, delayed, delivered, complained
        /// A machine answered for the person, or a person answered.
        case reply
    }

    var kind: Kind
    var reason = ResponseReason.unknown
    /// The address itself is no good, as the other side says of this recipient alone.
    var isHard = false
    /// Original-Recipient, else Final-Recipient; empty where there is none.
    var recipient = ""
    /// The Message-ID of the message that came back, without brackets; empty where there is none.
    var messageID = ""
    /// The words of the other side, as one line.
    var detail = ""

    /// Reads a mail. Nothing in it can be trusted yet.
    init(_ mail: MailParts, sender: String, responses: ResponseTable) {
        kind = .reply
        messageID = Self.identifier(in: mail)
        if !mail.feedback.isEmpty {
            kind = .complained
            reason = .complaint
            detail = mail.feedback["feedback-type"]
            recipient = Self.address(mail.feedback["original-rcpt-to"])
            if recipient.isEmpty { recipient = Self.address(mail.returned["to"]) }
            // RFC 5965 section 3.5, RFC 6692: what is no complaint of a person changes nothing.
            if ["not-spam", "auth-failure", "virus"].contains(detail.lowercased()) { kind = .reply }
            return
        }
        if let worst = Self.worst(of: mail.status) { take(worst, responses) } else { readText(mail, sender: sender, responses) }
    }

    /// The group of a recipient that says most: a failure before a delay, before a delivery.
    private static func worst(of groups: [MailFields]) -> MailFields? {
        let order = ["failed", "delayed", "delivered", "relayed", "expanded"]
        return groups.filter { !$0["action"].isEmpty || !$0["status"].isEmpty }.min {
            order.firstIndex(of: word($0["action"])) ?? order.count < order.firstIndex(of: word($1["action"])) ?? order.count
        }
    }

    /// The first word, in small letters, without a comment behind it.
    private static func word(_ text: String) -> String { text.prefix { $0.isLetter }.lowercased() }

    /// RFC 3464 section 2.3.
    private mutating func take(_ group: MailFields, _ responses: ResponseTable) {
        recipient = Self.address(group["original-recipient"])
        if recipient.isEmpty { recipient = Self.address(group["final-recipient"]) }
        if recipient.isEmpty { recipient = Self.address(group["x-actual-recipient"]) }
        let status = String(group["status"].prefix { "0123456789.".contains($0) })
        let said = group["diagnostic-code"]
        detail = said.firstIndex(of: ";").map { String(said[said.index(after: $0)...]).trimmed } ?? said
        if detail.isEmpty { detail = status }
        switch Self.word(group["action"]) {
        case "delayed":
            kind = .delayed
            return
        case "delivered", "relayed", "expanded":
            kind = .delivered
            return
        default: kind = .bounced
        }
        classify(code: Self.code(detail) ?? (status.first == "4" ? 450 : 550), status: status, responses)
    }

    private mutating func classify(code: Int, status: String, _ responses: ResponseTable) {
        var text = detail
        if let space = text.firstIndex(of: " "), Int(text[..<space]) == code { text = String(text[text.index(after: space)...]) }
        if !status.isEmpty, !text.contains(status) { text = "\(status) \(text)" }
        let facts = ResponseFacts(
            code: code, stage: .rcpt, text: text, parties: MessageParties(sender: "", recipient: recipient, hostname: ""))
        let decision = responses.decide(.smtp, facts)
        reason = decision.reason == .accepted ? .unknown : decision.reason
        isHard = decision.suppresses && code >= 500
    }

    /// A bounce without a report: a machine sends it, and a line has a reply code.
    private mutating func readText(_ mail: MailParts, sender: String, _ responses: ResponseTable) {
        let from = mail.header["from"].lowercased()
        let isMachine = ["mailer-daemon", "postmaster", "mail delivery"].contains { from.contains($0) } || sender.isEmpty && from.isEmpty
        let auto = Self.word(mail.header["auto-submitted"])
        guard isMachine, !mail.header["subject"].lowercased().contains("delayed") else { return }
        guard auto.isEmpty || mail.header["auto-submitted"].lowercased().hasPrefix("auto-"),
            let line = mail.lines.first(where: { Self.code($0) != nil })
        else { return }
        kind = .bounced
        detail = line
        recipient = mail.lines.lazy.compactMap { Self.bracketed($0) }.first ?? Self.address(mail.header["x-failed-recipients"])
        classify(code: Self.code(line) ?? 550, status: "", responses)
    }

    /// The first reply code in a line, `5xx` or `4xx` by itself.
    private static func code(_ text: String) -> Int? {
        text.split { !$0.isNumber && $0 != "." && $0 != "@" }.lazy.compactMap { word in
            word.count == 3 ? Int(word).flatMap { 400..<600 ~= $0 ? $0 : nil } : nil
        }.first
    }

    /// An address behind its type, `rfc822; <a@example.com>`, or in a field such as To.
    static func address(_ text: String) -> String {
        var rest = text[...]
        if let mark = rest.firstIndex(of: ";") { rest = rest[rest.index(after: mark)...] }
        if let found = bracketed(String(rest)) { return found }
        return String(rest).trimmed
    }

    private static func bracketed(_ text: String) -> String? {
        guard let open = text.lastIndex(of: "<"), let close = text[open...].firstIndex(of: ">") else { return nil }
        let address = text[text.index(after: open)..<close]
        return address.contains("@") ? String(address) : nil
    }

    /// Our Message-ID in the header of the message that came back, or, where that is no part of its own, in a line of the text.
    private static func identifier(in mail: MailParts) -> String {
        let line = mail.lines.first { $0.lowercased().hasPrefix("message-id:") }.map { String($0.dropFirst(11)) }
        let references = mail.header["in-reply-to"] + " " + mail.header["references"]
        for text in [mail.returned["message-id"], line ?? "", references] {
            for word in text.split(whereSeparator: { " <>\t".contains($0) }) {
                var receipt = ProviderReceipt(.unknown, word: "")
                receipt.messageID = String(word)
                if receipt.place != nil { return receipt.messageID }
            }
        }
        return ""
    }
}

extension String {
    fileprivate var trimmed: String {
        var text = drop { $0 == " " }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
