package import Model

/// What is known of a response: what a rule compares itself with.
package struct ResponseFacts {
    /// The reply code or the final status.
    package var code: Int
    /// SMTP: the command that was answered; `.response` for the final dot.
    package var stage: DeliveryStage
    /// One line, with the enhanced code in front where one was given.
    package var text: String
    /// It names a wait (Retry-After).
    package var hasRetryAfter: Bool
    /// HTTP: the value of a member of a JSON body, by its path with dots.
    package var member: (String) -> String?
    /// Who sent the message and to whom, as far as that is known.
    package var parties: MessageParties
    /// The enhanced code; nil where it contradicts the reply code.
    let enhanced: EnhancedCode?
    let trigrams: TextTrigrams
    let clauses: ResponseClauses
    /// What built-in rules look at.
    private(set) var words: String
    private(set) var wordTrigrams: TextTrigrams

    package init(
        code: Int, stage: DeliveryStage = .response, text: String, hasRetryAfter: Bool = false, parties: MessageParties = .unknown,
        member: @escaping (String) -> String? = { _ in nil }
    ) {
        self.code = code
        self.stage = stage
        self.text = text
        self.hasRetryAfter = hasRetryAfter
        self.member = member
        self.parties = parties
        trigrams = TextTrigrams(text)
        var said = text
        let enhanced = said.withUTF8 { EnhancedCode(startOf: $0) }
        self.enhanced = enhanced?.category == code / 100 ? enhanced : nil
        // Of an acceptance an operator's rules look at the text as it is, which may be long.
        clauses = ResponseClauses(code < 300 ? "" : text, enhanced: self.enhanced, parties: parties)
        words = clauses.words
        wordTrigrams = TextTrigrams(words)
    }

    /// The text says something of our side: the sender, our account, address or host.
    package var speaksOfUs: Bool { clauses.speakOfUs }

    /// The same for built-in rules that do not look at links; nil where there are none.
    var withoutLinks: ResponseFacts? {
        clauses.wordsWithoutLinks.map { words in
            var facts = self
            facts.words = words
            facts.wordTrigrams = TextTrigrams(words)
            return facts
        }
    }
}
