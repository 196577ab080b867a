import Text

/// A part of a response's text that says one thing: between sentence ends, commas, semicolons, dashes, parentheses and links.
struct ResponseClause: Sendable {
    /// Where it stands in the text, in bytes.
    let range: Range<Int>
    /// As it was written, without addresses and links: what the texts of rules about a recipient are compared with.
    let text: String
    let trigrams: TextTrigrams
    /// It holds our address or its domain, or our host's name.
    let namesUs: Bool
    /// It holds the recipient's address or its domain.
    let holdsRecipient: Bool
    /// It names the recipient: by the address, or by a word such as "mailbox".
    let namesRecipient: Bool
    /// It names the recipient by the address, or by a word that can be nobody else's: a mailbox may be ours.
    let namesRecipientOnly: Bool
    /// It consists of labels and names only, such as `from=<a@example.com> helo=<b>`: it says nothing of them.
    let isTrace: Bool
    /// A word in it says something of our side, as "sender" and "credentials" do.
    let speaksOfUs: Bool
    /// A word in it is about our side, but may be said by the way, as in "see the help for your account".
    let mentionsUs: Bool

    init(_ piece: ClauseReader.Piece, _ text: String) {
        range = piece.range
        self.text = text
        trigrams = TextTrigrams(text)
        namesUs = piece.tokens.contains { $0.party == .us }
        isTrace = piece.isTrace
        holdsRecipient = piece.tokens.contains { $0.party == .recipient }
        // A space at each end, so that a pattern can ask for the edge of a word.
        var words = " " + piece.tokens.compactMap { $0.party == nil ? $0.text + " " : nil }.joined()
        for remark in Self.remarks { words = words.replacing(remark, with: " ") }
        let plain = words
        for remark in Self.remarksOnRecipient { words = words.replacing(remark, with: " ") }
        let known = TextTrigrams(words)
        namesRecipientOnly = holdsRecipient || plain != words || Self.wordsOfRecipient.contains { $0.matches(words, known) }
        namesRecipient = namesRecipientOnly || Self.wordsOfMailboxes.contains { $0.matches(words, known) }
        speaksOfUs = Self.statements.contains { $0.matches(words, known) }
        if namesRecipient { words = words.replacing(Self.remarkOnAccount, with: " ") }
        mentionsUs = Self.mentions.contains { $0.matches(words, known) }
    }

    /// It tells by labels who sent the message.
    var isTraceOfUs: Bool { isTrace && (namesUs || speaksOfUs || mentionsUs) }
}
