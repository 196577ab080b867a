import Model
import Policy

/// The part of a bounce that is written for people: which recipients it names, and what it says of each. Without a delivery report it is
/// all that there is (RFC 3464 wants one; many servers write none).
struct BounceText {
    private let lines: [String]
    private let sections: [Section]
    private(set) var kind = ReturnedMail.Kind.bounced
    let transcript: Transcript

    /// What a transcript of the session says of the stage at which a message was refused.
    struct Transcript {
        /// The text of the message was refused.
        let isAfterData: Bool
        /// The recipient was refused.
        let isToRecipient: Bool

        init(_ lines: [String]) {
            let lines = lines.map { $0.lowercased() }
            let needsRecipient = [
                "need rcpt", "no valid recipients", "rcpt first", "valid rcpt", "no recipients", "need recipient", "<<< 503",
            ]
            isToRecipient =
                lines.contains {
                    $0.hasPrefix(">>> rcpt") || $0.contains("reply to rcpt") || $0.contains("after rcpt") || $0.contains("smtp:rcpt")
                }
                || lines.contains { line in line.hasPrefix("<<< ") && needsRecipient.contains { line.contains($0) } }
            let isData = lines.contains { line in
                line.hasPrefix(">>> data")
                    || ["reply to end of data", "reply to data", "(data)", "after end of data", "transmission failure has occurred"]
                        .contains { line.contains($0) }
            }
            isAfterData = isData && !isToRecipient
        }
    }

    private(set) var recipients: [ReturnedRecipient] = []

    /// Lines about one recipient.
    private struct Section {
        var address: String
        var words: [String]
    }

    /// What stands before the message that came back.
    private static let ends = [
        "original message follows", "original message headers", "message header follows", "copy of the message", "copy of your message",
        "headers of the message", "returned message",
        "original message", "unsent message", "message headers follow", "the header of the original", "message text follows",
        "content of the message", "begin message", "received message", "undelivered message follows", "first lines of the message",
        "message contents follow", "original mail", "returned mail follows", "rest of header", "original text follows", "message returned",
        "message is returned below",
    ]

    /// Whether the text has a message behind it that came back.
    static func hasReturned(_ mail: MailParts) -> Bool {
        !mail.returned.isEmpty || mail.lines.contains { line in isEnd(line) }
    }

    private static func isEnd(_ line: String) -> Bool {
        let line = line.lowercased()
        let isRuled = line.hasPrefix("--") || line.hasPrefix("==") || line.hasPrefix("**") || line.hasPrefix("__") || line.hasPrefix("#")
        return (isRuled || line.hasPrefix("below this line") || line.hasSuffix(":")) && ends.contains { line.contains($0) }
    }

    init(_ mail: MailParts, _ responses: ResponseTable, isSupplement: Bool = false) {
        lines = Array(mail.lines.prefix { !Self.isEnd($0) && !Self.isReturnedHeader($0) })
        sections = Self.sections(lines)
        transcript = Transcript(lines)
        guard !isSupplement else { return }
        var addresses: [String] = []
        for address in sections.map(\.address)
            + mail.header.all("x-failed-recipients").flatMap({ $0.split(separator: ",") }).compactMap({ MailAddress.bare($0) })
        where !addresses.contains(where: { $0.lowercased() == address.lowercased() }) && addresses.count < 100 {
            addresses.append(address)
        }
        if addresses.isEmpty { addresses = [lines.lazy.compactMap { MailAddress.bracketed($0) }.first ?? ""] }
        kind = Self.isDelay(mail, lines) ? .delayed : .bounced
        recipients = addresses.map { address in
            var verdict = BounceVerdict(responses, address: address, text: transcript)
            for piece in pieces(of: [address]) { verdict.consider(piece, status: "") }
            if let status = lines.lazy.compactMap({ Self.status($0) }).first { verdict.consider(status: status) }
            var recipient = verdict.recipient(isFinal: kind == .bounced)
            recipient.address = address
            return recipient
        }
    }

    private static func isReturnedHeader(_ line: String) -> Bool { line.hasPrefix("Received: from ") || line.hasPrefix("Return-Path: <") }

    /// What is said of one of the addresses, then what is said of all, from the most certain on.
    func pieces(of addresses: [String]) -> [String] {
        let wanted = addresses.filter { !$0.isEmpty }.map { $0.lowercased() }
        var pieces: [String] = []
        for section in sections where wanted.contains(section.address.lowercased()) { pieces += Self.statements(section.words) }
        let others = sections.map { $0.address.lowercased() }.filter { !wanted.contains($0) }
        let general = others.isEmpty ? lines : lines.filter { line in !others.contains { line.lowercased().contains($0) } }
        // With several recipients, what is said of another one says nothing of this.
        if others.isEmpty || pieces.isEmpty { pieces += Self.statements(general) }
        // Strangers write it: nobody says more of a recipient.
        return Array(pieces.prefix(40))
    }

    /// The replies within lines first, then the lines together, then each.
    private static func statements(_ words: [String]) -> [String] {
        // A line of a transcript that names its recipient stands for itself.
        let own = words.filter { MailAddress.inTranscript($0[...]) != nil }
        let paragraphs = own + words.split { $0.isEmpty }.map { $0.joined(separator: " ") }
        let replies = paragraphs.filter { ReplyText($0).code != 0 }
        return replies + paragraphs.filter { ReplyText($0).code == 0 }
    }

    /// The lines that name a recipient, with those behind each.
    private static func sections(_ lines: [String]) -> [Section] {
        var sections: [Section] = []
        for line in lines {
            if let address = MailAddress.aloneIn(line) {
                let words = line.lowercased().contains(address.lowercased()) ? String(line) : ""
                if let last = sections.indices.last, sections[last].address.lowercased() == address.lowercased() {
                    sections[last].words.append(words)
                } else {
                    sections.append(Section(address: address, words: [words]))
                }
            } else if let last = sections.indices.last {
                sections[last].words.append(line)
            }
        }
        return sections
    }

    private static func isDelay(_ mail: MailParts, _ lines: [String]) -> Bool {
        let subject = mail.header["subject"].lowercased()
        guard ["delayed", "warning: ", "still being", "not yet delivered", "deferred"].contains(where: { subject.contains($0) }) else {
            return false
        }
        return lines.contains { line in
            let line = line.lowercased()
            return [
                "will be retried", "will continue", "will keep trying", "no action is required", "will try", "not yet been delivered",
                "will be made",
            ].contains { line.contains($0) }
        }
    }

    private static func status(_ line: String) -> String? {
        let status = ReplyText(line).status
        return status.isEmpty ? nil : status
    }
}
