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
    /// The text without addresses, in which a word says nothing, and its trigrams: what built-in rules look at.
    let words: String
    let wordTrigrams: TextTrigrams

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
        words = Self.withoutAddresses(text)
        wordTrigrams = text.contains("@") ? TextTrigrams(words) : trigrams
        var said = text
        let enhanced = said.withUTF8 { EnhancedCode(startOf: $0) }
        self.enhanced = enhanced?.category == code / 100 ? enhanced : nil
    }

    /// A text in which nothing stands in place of an address.
    private static func withoutAddresses(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "@")) else { return text }
        var words: [UInt8] = []
        var start = 0
        for byte in text.utf8 {
            if NamedSides.isDelimiter(byte) {
                if words[start...].contains(UInt8(ascii: "@")) { words.removeSubrange(start...) }
                words.append(byte)
                start = words.count
            } else {
                words.append(byte)
            }
        }
        if words[start...].contains(UInt8(ascii: "@")) { words.removeSubrange(start...) }
        return String(decoding: words, as: UTF8.self)
    }

    /// Which sides of the delivery the text names. It is looked at anew at each call.
    var sides: NamedSides { NamedSides(text, enhanced: enhanced, parties: parties) }
}
