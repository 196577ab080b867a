import Model
import Policy
import Text

/// Weighs what is said of one recipient, the most certain first: what a text says stands before what a code says.
struct BounceVerdict {
    private let responses: ResponseTable
    private let address: String
    private(set) var reason = ResponseReason.unknown
    private var suppresses = false
    private(set) var text = ""
    private var code = 0
    private var status = ""
    /// Of the group of the delivery report.
    private var dsnStatus = ""
    /// The text decided, not only a code.
    private var isCertain = false
    /// The text of the message was refused, after its recipient was taken.
    private let isAfterData: Bool
    /// The transcript says that the recipient was refused.
    private let isToRecipient: Bool

    private static let longestText = 998

    init(_ responses: ResponseTable, address: String, text: BounceText.Transcript) {
        (self.responses, self.address) = (responses, address)
        (isAfterData, isToRecipient) = (text.isAfterData, text.isToRecipient)
    }

    /// Takes a text into account.
    /// - Parameter status: the enhanced code that it came with; empty where it has one itself, or none.
    mutating func consider(_ words: String, status given: String) {
        guard !isCertain, words.contains(where: { $0.isLetter || $0.isNumber }) else { return }
        let reply = ReplyText(words)
        let enhanced = reply.status.isEmpty ? given : reply.status
        if text.isEmpty { text = SingleLine.clean(words.utf8, longest: Self.longestText) }
        if code == 0 { code = reply.code }
        if status.isEmpty { status = enhanced }
        if dsnStatus.isEmpty { dsnStatus = given }
        // Of two codes the first word of the server counts; one of 4xx may have been a failure in the end (RFC 3464 section 2.3.4).
        let own = reply.code != 0 ? reply.code : enhanced.first == "4" ? 450 : 550
        let facts = ResponseFacts(
            code: own, stage: reply.stage, text: enhanced.isEmpty ? reply.text : "\(enhanced) \(reply.text)",
            parties: MessageParties(sender: "", recipient: address, hostname: ""))
        let decision = responses.decide(.smtp, facts)
        let byText = decision.rule.map { !$0.condition.texts.isEmpty && $0.reason != .unknown } ?? false
        // A word for a recipient's trouble says nothing of the recipient in a text that speaks of us.
        let isOfUs = decision.isOfUs || facts.speaksOfUs
        let phrase = BouncePhrases.reason(of: reply.text).flatMap { isOfUs && $0.consequence.isRecipients ? nil : $0 }
        let first = BouncePhrases.firstReason(of: reply.text).flatMap { isOfUs && $0.consequence.isRecipients ? nil : $0 }
        if let first {
            take(first, first.consequence.suppresses, reply, own)
        } else if let host = missingHost(reply.text) {
            take(host, host.consequence.suppresses, reply, own)
        } else if byText, !Self.vague.contains(decision.reason) || phrase == nil {
            take(decision.reason, decision.suppresses, reply, own, isReply: true)
        } else if let phrase {
            take(phrase, phrase.consequence.suppresses, reply, own)
        } else if decision.reason != .unknown, reason == .unknown, decision.rule?.condition.enhanced.isEmpty == false || reply.code != 0 {
            let isOpening = reply.stage == .greeting && decision.reason == .setUp
            (reason, suppresses) = (isOpening ? .reputation : decision.reason, decision.suppresses)
        }
    }

    /// What a table of replies says of many texts; words for people may be more exact.
    private static let vague: Set<ResponseReason> = [.network, .system, .policy, .rate]

    /// Takes what a text says.
    /// - Parameter isReply: the words are a server's, not those of a system that writes for people.
    private mutating func take(_ found: ResponseReason, _ suppresses: Bool, _ reply: ReplyText, _ code: Int, isReply: Bool = false) {
        isCertain = true
        (reason, self.suppresses) = (found, suppresses)
        if found.consequence.isRecipients, [.mail, .greeting].contains(reply.stage) {
            // No recipient was named yet.
            (reason, self.suppresses) = (.policy, false)
        } else if found == .unknownUser, isFilter(reply) || isReply && isQuote(reply) {
            (reason, self.suppresses) = (.policy, false)
        } else if found == .unknownUser, isReply, !saysNoMailbox, !isToRecipient, !reply.isToRecipient {
            // Neither a status nor a transcript says that it was the recipient whom the server refused.
            self.suppresses = false
        } else if found == .unknownHost, code < 500,
            !BouncePhrases.refusingDomains.contains(where: { reply.text.lowercased().contains($0) })
        {
            // A name that cannot be looked up today may be there tomorrow.
            (reason, self.suppresses) = (.network, false)
        }
    }

    /// A server took the recipient and refused the text: that is a filter, whatever it calls it. Where a status says that there is no such
    /// mailbox, the reply was that to the recipient, which a pipelining client got behind its DATA (RFC 2920).
    private func isFilter(_ reply: ReplyText) -> Bool {
        // KDDI: the address that stands before the colon is missing at DATA.
        if reply.text.hasPrefix(": ") { return true }
        // It says itself that a rule of its own refuses (RFC 3463 section 3.8).
        if reply.status.hasPrefix("5.7.") { return true }
        if isToRecipient || reply.isToRecipient { return false }
        // The mailbox is there (RFC 3463 section 3.3).
        if status.hasPrefix("5.2.") || status.isEmpty && dsnStatus.hasPrefix("5.2.") { return true }
        guard reply.stage == .response || reply.stage == .data || isAfterData else { return false }
        return !saysNoMailbox && !reply.text.lowercased().contains("delivery error: dd")
    }

    /// The words of a server without its code: nothing says what it refused.
    private func isQuote(_ reply: ReplyText) -> Bool {
        reply.code == 0 && code == 0 && !saysNoMailbox && !isToRecipient && !reply.isToRecipient
    }

    private var saysNoMailbox: Bool { status.hasPrefix("5.1.") || dsnStatus.hasPrefix("5.1.") || status.hasPrefix("4.1.") }

    /// `553 shop.example does not exist`: the recipient's domain, or, where it is another, ours.
    private func missingHost(_ text: String) -> ResponseReason? {
        let words = text.lowercased().split(separator: " ")
        guard words.count >= 4, words[1...].starts(with: ["does", "not", "exist"]), words[0].contains("."), !words[0].contains("@") else {
            return nil
        }
        return address.lowercased().hasSuffix("@\(words[0])") ? .unknownHost : .policy
    }

    /// Takes a bare status into account, where nothing else said why (RFC 3463, registry of RFC 5248).
    mutating func consider(status given: String) {
        if status.isEmpty { status = given }
        guard reason == .unknown, let found = BouncePhrases.reason(ofStatus: status) else { return }
        (reason, suppresses) = (found, found.consequence.suppresses && status.hasPrefix("5."))
    }

    /// - Parameter isFinal: it is tried no more.
    func recipient(isFinal: Bool) -> ReturnedRecipient {
        var recipient = ReturnedRecipient(reason == .accepted ? .unknown : reason)
        (recipient.status, recipient.code, recipient.text) = (status, code, text)
        recipient.suppresses = isFinal && suppresses
        let isPermanent = reason == .unknownUser || code >= 500 || code == 0 && (status.isEmpty || status.hasPrefix("5."))
        recipient.isHard = isFinal && isPermanent && [.unknownUser, .unknownHost, .moved].contains(reason)
        return recipient
    }
}

extension ResponseTable.Decision {
    /// It speaks of our side.
    var isOfUs: Bool { subject == .everybody || action == .pauseMailing }
}
