/// The text of a response in clauses, and what a rule about a recipient is worth in it.
///
/// A refusal of us often holds a recipient's word ("sender mailbox not found", "host not found (helo=shop)"), and a refusal of a recipient
/// often names us by the way ("no such user, from address a@example.com"). So it counts in which clause either side is named.
struct ResponseClauses: Sendable {
    /// What a rule about a recipient that matches a text is worth.
    enum Claim: Sendable {
        /// The text refuses the recipient.
        case clear
        /// It seems to; but it names us in a way that leaves a doubt.
        case doubtful
        /// It speaks of us.
        case refuted
    }

    private let clauses: [ResponseClause]
    private let whole: ResponseClause
    /// The enhanced code is about a recipient.
    private let isOfRecipientByCode: Bool
    /// The text without addresses and notes of the envelope, in which a word says nothing: what built-in rules look at.
    let words: String
    /// The same without links; nil where there are none.
    let wordsWithoutLinks: String?

    init(_ text: String, enhanced: EnhancedCode?, parties: MessageParties) {
        let reader = ClauseReader(text, parties)
        let pieces = reader.clauses
        clauses = pieces.map { ResponseClause($0, reader.plainWords($0.range)) }
        var all = ClauseReader.Piece(range: 0..<text.utf8.count)
        all.tokens = pieces.flatMap(\.tokens)
        whole = ResponseClause(all, reader.plainWords(all.range))
        isOfRecipientByCode = enhanced.map { code in Self.codes.contains { $0.fits(code) } } ?? false
        words = Self.words(reader, clauses, text, withLinks: true)
        wordsWithoutLinks = reader.links.isEmpty ? nil : Self.words(reader, clauses, text, withLinks: false)
    }

    /// A text of notes alone is kept whole.
    private static func words(_ reader: ClauseReader, _ clauses: [ResponseClause], _ text: String, withLinks: Bool) -> String {
        let hasStatement = clauses.contains { !$0.isTrace }
        var words = ""
        var start = 0
        for trace in clauses where trace.isTrace && hasStatement {
            words += reader.words(start..<trace.range.lowerBound, withLinks: withLinks)
            start = trace.range.upperBound
        }
        return words + reader.words(start..<text.utf8.count, withLinks: withLinks)
    }

    /// The text names the recipient: by a word, by the address or its domain, or by an enhanced code.
    var nameRecipient: Bool { isOfRecipientByCode || wordsNameRecipient }

    /// The same without the code.
    var wordsNameRecipient: Bool { clauses.contains(where: \.namesRecipient) }

    /// The text says something of our side, and names no recipient for certain.
    var speakOfUsAlone: Bool { speakOfUs && !isOfRecipientByCode && !clauses.contains(where: \.namesRecipientOnly) }

    /// The text says something of our side.
    var speakOfUs: Bool { clauses.contains { $0.speaksOfUs && !$0.isTrace } }

    /// What a rule about a recipient is worth that matches the text.
    /// - Parameters:
    ///   - texts: of which the rule looks for one; empty where the enhanced code decides.
    ///   - isVague: the texts may be about our side as well.
    func claim(_ texts: [TextPattern], isVague: Bool) -> Claim {
        if speakOfUs { return .refuted }
        let isByCode = texts.isEmpty
        var isClaim = clauses.map { clause in
            isByCode ? clause.namesRecipient && !clause.isTrace : texts.contains { $0.matches(clause.text, clause.trigrams) }
        }
        var claims = zip(clauses, isClaim).filter(\.1).map(\.0)
        if claims.isEmpty {
            claims = [whole]
            isClaim = clauses.map { _ in true }
        }
        if claims.contains(where: { $0.namesUs || $0.mentionsUs || $0.speaksOfUs }) { return .refuted }
        let others = zip(clauses, isClaim).filter { !$0.1 }.map(\.0)
        let isNamed = others.contains { $0.namesUs && !$0.isTrace }
        let isTraced = others.contains(where: \.isTraceOfUs)
        let isMentioned = others.contains { $0.mentionsUs && !$0.isTrace }
        // A code alone is worth nothing against a text about us.
        if isByCode { return isNamed ? .refuted : isTraced || isMentioned ? .doubtful : .clear }
        if isVague, !claims.contains(where: \.namesRecipient) { return isNamed || isTraced || isMentioned ? .refuted : .clear }
        if isNamed { return !isVague && claims.contains(where: \.holdsRecipient) ? .clear : .doubtful }
        if isTraced { return !isVague && clauses.contains { $0.namesRecipientOnly && !$0.isTrace } ? .clear : .doubtful }
        return .clear
    }

    /// No such mailbox or host, moved, or disabled (RFC 3463 sections 3.2 and 3.3).
    private static let codes = [
        EnhancedCodePattern(4, 1, 1...3), EnhancedCodePattern(5, 1, 1...3), EnhancedCodePattern(5, 1, 6...6),
        EnhancedCodePattern(5, 1, 10...10), EnhancedCodePattern(4, 2, 1...2), EnhancedCodePattern(5, 2, 1...2),
    ]
}
