package import Model
import Text

/// Which header fields a mailing's file may have, and of what form some of them must be.
package enum OwnHeaders {
    /// Fields of one mailing at most.
    package static let most = 50

    /// Bytes of a field's template at most.
    private static let longest = 8192

    /// Those that each message has from Flotilla, with what to write in place of them; those of transport, which others read as proof of
    /// what happened before; and those that would show or name recipients who do not get the message.
    private static let refused: [String: String] = [
        "from": "use 'from:'", "reply-to": "use 'reply_to:'", "subject": "use 'subject:'", "to": "it is the recipient's address",
        "date": "it is written at each attempt", "message-id": "it is made of mailing, batch and recipient",
        "mime-version": "it is always there",
        "cc": "each recipient gets a message of their own", "bcc": "each recipient gets a message of their own",
        "return-path": "the receiving server writes it", "received": "servers write it", "dkim-signature": "it is a signature",
        "authentication-results": "the receiving server writes it",
    ]
    private static let refusedPrefixes = [
        "content-": "it belongs to the body", "resent-": "it is of a message that a person sends on", "arc-": "it is a signature",
    ]

    /// What is wrong with a field's name; nil where nothing is.
    package static func fault(ofName name: String) -> String? {
        // ftext of RFC 5322 section 3.6.8; 76 characters leave room for a value.
        guard 1...76 ~= name.utf8.count, name.utf8.allSatisfy({ (33...126).contains($0) && $0 != UInt8(ascii: ":") }) else {
            return "is no name of a header: 1 to 76 characters of ASCII without blanks and colons (RFC 5322 section 2.2)"
        }
        let lower = name.lowercased()
        let why = refused[lower] ?? refusedPrefixes.first { lower.hasPrefix($0.key) }?.value
        return why.map { "is written by Flotilla or by mail servers: \($0)" }
    }

    /// What is wrong with a field's value, as far as it is the same for all recipients; nil where nothing is.
    /// - Parameter all: all fields of the mailing.
    package static func fault(of header: Mailing.Header, among all: [Mailing.Header]) -> String? {
        let value = header.value.source
        if value.utf8.count > longest { return "is longer than \(longest) bytes" }
        if value.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            return "has a line break or another control character in it; a header is one line"
        }
        switch header.name.lowercased() {
        case "feedback-id": return faultOfFeedback(value)
        case "list-id": return faultOfList(value)
        case "list-unsubscribe": return faultOfUnsubscribe(value)
        case "list-unsubscribe-post": return faultOfOneClick(value, among: all)
        default: return nil
        }
    }

    /// Google, "Feedback loop" (support.google.com/mail/answer/6254652): `a:b:c:SenderId`, at most three identifiers and the sender's,
    /// which has 5 to 15 characters and stays the same; a field that differs from message to message is no identifier.
    private static func faultOfFeedback(_ value: String) -> String? {
        if value.contains("{{") { return "has merge fields in it; it names the mailing, never a recipient" }
        let fields = value.split(separator: ":", omittingEmptySubsequences: false).map { $0.filter { $0 != " " } }
        guard fields.count <= 4, !fields.contains("") else {
            return "must be one to four parts with colons between: campaign:segment:kind:sender"
        }
        guard Set(fields).count == fields.count else { return "has a part twice; mailbox providers ignore such a header" }
        guard 5...15 ~= fields[fields.count - 1].utf8.count else { return "must end in a sender's id of 5 to 15 characters" }
        return nil
    }

    /// RFC 2919 section 2: an id of labels with dots between in angle brackets, perhaps behind a phrase.
    private static func faultOfList(_ value: String) -> String? {
        if value.contains("{{") { return "has merge fields in it; it names the list, never a recipient" }
        guard value.hasSuffix(">"), let open = value.lastIndex(of: "<") else {
            return "must be an id in angle brackets: <news.example.com>"
        }
        let id = value[value.index(after: open)..<value.index(before: value.endIndex)]
        guard id.contains("."), DomainName.isValid(id.replacing("_", with: "-")) else {
            return "'\(id)' is no id of a list: labels with dots between, as in <news.example.com>"
        }
        return nil
    }

    /// RFC 2369 sections 2 and 3.2: addresses in angle brackets, with commas between.
    private static func faultOfUnsubscribe(_ value: String) -> String? {
        let lower = value.lowercased()
        let isUsable = ["<https://", "<http://", "<mailto:", "<{{"].contains(where: lower.contains)
        return isUsable && !lower.contains("<javascript:")
            ? nil : "must be addresses in angle brackets: <https://shop.example/leave?id={{id}}>, <mailto:leave@example.com>"
    }

    /// RFC 8058 section 3.1.
    private static func faultOfOneClick(_ value: String, among all: [Mailing.Header]) -> String? {
        guard value == "List-Unsubscribe=One-Click" else { return "must be List-Unsubscribe=One-Click (RFC 8058 section 3.1)" }
        let target = all.first { $0.name.lowercased() == "list-unsubscribe" }?.value.source
        guard target?.lowercased().contains("<https://") == true || target?.contains("<{{") == true else {
            return "needs a List-Unsubscribe with an address of https beside it (RFC 8058 section 3.1)"
        }
        return nil
    }
}
