package import Model
import Text

/// Header fields that tell mailbox providers whose mail a message is, for mailings whose file names none of its own.
package struct SenderHeaders: Sendable, Equatable {
    /// The domain of our lists (RFC 2919), as `news.example.com`; nil for no List-Id.
    package var list: String?
    /// What a mailbox provider knows us by in a Feedback-ID, 5 to 15 characters; nil for none.
    package var sender: String?

    package init() {}

    /// Whether a text is an id of a sender: Google, "Feedback loop" (support.google.com/mail/answer/6254652).
    package static func isSender(_ text: String) -> Bool {
        5...15 ~= text.utf8.count && text.utf8.allSatisfy(isInPart)
    }

    /// The mailing with the fields that it lacks. They name the mailing and its category, and never a recipient.
    package func added(to mailing: Mailing, id: MailingID) -> Mailing {
        guard mailing.channel == .email else { return mailing }
        var mailing = mailing
        var headers = mailing.headers ?? []
        func add(_ name: String, _ value: String?) {
            guard let value, !headers.contains(where: { $0.name.lowercased() == name.lowercased() }) else { return }
            headers.append(Mailing.Header(name: name, value: Mailing.Template(source: value, file: "flotilla.yaml", line: 1)))
        }
        add("List-Id", list.map { "<\(Self.list($0, mailing.category))>" })
        add("Feedback-ID", sender.map { Self.feedback(id, mailing.category, $0) })
        mailing.headers = headers.isEmpty ? nil : headers
        return mailing
    }

    /// A list of its own for each category, which stands before the domain as it is written, where all is a domain but for a `_`: RFC 2919
    /// section 2 has a dot-atom there.
    private static func list(_ domain: String, _ category: String?) -> String {
        guard let category, Category.fault(category) == nil, DomainName.isValid("\(category.replacing("_", with: "-")).\(domain)") else {
            return domain
        }
        return "\(category).\(domain)"
    }

    /// At most four parts, none twice, the sender's at the end.
    private static func feedback(_ id: MailingID, _ category: String?, _ sender: String) -> String {
        var parts = ["\(id)"]
        if let category, category != sender, SenderHeaders.isPart(category) { parts.append(category) }
        return (parts + [sender]).joined(separator: ":")
    }

    private static func isPart(_ text: String) -> Bool {
        1...40 ~= text.utf8.count && text.utf8.allSatisfy(isInPart)
    }

    /// Braces would make a merge field of it: the field names a mailing, and never a recipient.
    private static func isInPart(_ byte: UInt8) -> Bool { (0x21...0x7e).contains(byte) && !":{}<>".utf8.contains(byte) }
}
