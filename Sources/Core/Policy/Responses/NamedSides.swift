import Text

/// Which sides of a delivery the text of a response names: ours (sender, account, host, template), or the recipient's.
///
/// A refusal of us often holds a recipient's word ("sender mailbox not found", "host not found (helo=shop)"). The words are those of mail
/// servers and gateways; addresses and links are no words, since a name in them says nothing.
struct NamedSides: Sendable, Equatable {
    /// The text speaks of who sends: by a word, by our own address or its domain, or by our host's name.
    let ours: Bool
    /// It speaks of who gets it: by a word, by their address or its domain, or by an enhanced code about a recipient.
    let recipients: Bool

    init(_ text: String, enhanced: EnhancedCode?, parties: MessageParties) {
        // A space at each end, so that a pattern can ask for the edge of a word.
        var words = " "
        var namesUs = false
        var namesRecipient = enhanced.map { code in Self.codes.contains { $0.fits(code) } } ?? false
        for piece in text.utf8.split(whereSeparator: Self.isDelimiter) {
            let word = Substring(piece)
            switch Self.party(of: word, parties) {
            case .us: namesUs = true
            case .recipient: namesRecipient = true
            case .nobody: continue
            case nil: words += word + " "
            }
        }
        let trigrams = TextTrigrams(words)
        ours = namesUs || Self.ourWords.contains { $0.matches(words, trigrams) }
        recipients = namesRecipient || Self.recipientWords.contains { $0.matches(words, trigrams) }
    }

    private enum Party { case us, recipient, nobody }

    /// Whom an address, a domain or a link names; nil for a plain word.
    private static func party(of word: Substring, _ parties: MessageParties) -> Party? {
        if word.contains("://") { return .nobody }
        let name = String(word.trimming(where: { ".:!?".utf8.contains($0) }))
        guard !name.isEmpty else { return nil }
        if name.isSame(as: parties.recipient) { return .recipient }
        if name.isSame(as: parties.sender) || name.isSame(as: parties.hostname) { return .us }
        guard name.contains(".") || name.contains("@") else { return nil }
        let domain = MessageParties.domain(of: name) ?? name
        // Of a mailing to one's own house both sides have one domain: it is the recipient's, then.
        if domain.isSame(as: MessageParties.domain(of: parties.recipient) ?? "") { return .recipient }
        if domain.isSame(as: MessageParties.domain(of: parties.sender) ?? "") { return .us }
        guard name.contains("@") else { return nil }
        // Where the recipient is not known, an address is taken for theirs.
        return parties.recipient.isEmpty ? .recipient : .nobody
    }

    static func isDelimiter(_ byte: UInt8) -> Bool { byte <= UInt8(ascii: " ") || #"<>()[]{}"'=,;"#.utf8.contains(byte) }

    /// No such mailbox or host, moved, or disabled (RFC 3463 sections 3.2 and 3.3).
    private static let codes = [
        EnhancedCodePattern(4, 1, 1...3), EnhancedCodePattern(5, 1, 1...3), EnhancedCodePattern(5, 1, 6...6),
        EnhancedCodePattern(5, 1, 10...10), EnhancedCodePattern(4, 2, 1...2), EnhancedCodePattern(5, 2, 1...2),
    ]

    /// In small letters; a space is the edge of a word.
    private static let ourWords: [TextPattern] = [
        "sender", "sending", "send as", "mail from", "mailfrom", "from address", "from number", "from domain", "from header", "header from",
        " from: ",
        "envelope from", "return path", "return-path", "reverse path", "reverse-path", "originat", " helo", " ehlo", "outbound", "outgoing",
        "submission", "client", "credential", "password", "username", "authenticat", "login", "logon", " log in", "api key", "template",
        "parameter", " tenant", "subscription", " plan ", "licen", "billing", "your account", "your domain", "your host", "your ip",
        "your server", "your address", "your email address", "your e-mail address", "your mailbox", "your quota", "your limit",
        "your organi", "your user", " you are ", "you have exceeded", "you have reached", " you must", " you need", " you may not",
        " you cannot", " you can't", "not allowed to", "absender",
        "expediteur", "expéditeur", "emetteur", "émetteur", "remitente", "remetente",
        "mittente", "nadawc", "отправител",
    ].map { TextPattern(known: $0) }

    private static let recipientWords: [TextPattern] = [
        "recipient", "mailbox", "inbox", " rcpt", "addressee", "destination", "tried to reach", "email account", "e-mail account",
        "local part", "local-part", "delivery error: dd", "empfänger", "empfaenger", "destinataire", "destinatario",
        "destinatário", "получател",
        "phone", "msisdn", "subscriber", "mobile", " chat", "device", "registration token",
    ].map { TextPattern(known: $0) }
}

extension Substring {
    /// Without the bytes at both ends that are to go; they must be ASCII.
    fileprivate func trimming(where goes: (UInt8) -> Bool) -> Substring {
        var rest = self
        while let first = rest.utf8.first, goes(first) { rest.removeFirst() }
        while let last = rest.utf8.last, goes(last) { rest.removeLast() }
        return rest
    }
}

extension String {
    /// Equal but for the case of ASCII letters, as domains are compared.
    fileprivate func isSame(as other: String) -> Bool {
        utf8.count == other.utf8.count && zip(utf8, other.utf8).allSatisfy { $0.lowercased == $1.lowercased }
    }
}
