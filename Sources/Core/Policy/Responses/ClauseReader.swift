import Text

/// Parts a text into clauses, and says whom their words name.
struct ClauseReader {
    enum Party: Sendable { case us, recipient, nobody }

    struct Token: Sendable {
        /// In small letters.
        var text: String
        /// Whom an address, a domain or a host's name names; nil for a plain word.
        var party: Party?
        /// It stands behind `=`.
        var isValue: Bool

        /// A number, a code or an IP address.
        var isNumber: Bool { text.utf8.allSatisfy { 48...57 ~= $0 || ".:#-/".utf8.contains($0) } }
        var isIPv4: Bool { isNumber && text.utf8.count { $0 == UInt8(ascii: ".") } == 3 }
    }

    struct Piece: Sendable {
        var range: Range<Int>
        var tokens: [Token] = []
        /// It stands in parentheses.
        var isAside = false

        var isOnlyNames: Bool { tokens.contains { $0.party != nil } && tokens.allSatisfy { $0.party != nil || $0.isNumber } }

        var isTrace: Bool {
            tokens.contains { $0.party != nil || $0.isValue || $0.isIPv4 }
                && tokens.allSatisfy { token in
                    token.party != nil || token.isValue || token.isNumber
                        || ResponseClause.labels.contains(token.text.trimming(where: ClauseReader.isPunctuation))
                }
        }

        mutating func append(_ other: Piece) {
            range = range.lowerBound..<other.range.upperBound
            tokens += other.tokens
        }
    }

    private let bytes: [UInt8]
    private let parties: MessageParties
    private var pieces: [Piece] = []
    private var piece = Piece(range: 0..<0)
    /// Where addresses and links stand, which are no words.
    private(set) var addresses: [Range<Int>] = []
    private(set) var links: [Range<Int>] = []

    init(_ text: String, _ parties: MessageParties) {
        bytes = Array(text.utf8)
        self.parties = parties
        read()
        finish(at: bytes.count)
    }

    /// The clauses in order; together they are the text. Names without a word belong to the clause behind them, in parentheses and at the
    /// end to the one before.
    var clauses: [Piece] {
        var clauses: [Piece] = []
        var names: Piece?
        for next in pieces where !next.tokens.isEmpty {
            var next = next
            if var before = names {
                before.append(next)
                (next, names) = (before, nil)
            }
            if !next.isOnlyNames {
                clauses.append(next)
            } else if next.isAside, !clauses.isEmpty {
                clauses[clauses.count - 1].append(next)
            } else {
                names = next
            }
        }
        guard let names else { return clauses }
        if clauses.isEmpty { return [names] }
        clauses[clauses.count - 1].append(names)
        return clauses
    }

    /// A part of the text without addresses and links.
    func words(_ range: Range<Int>, withLinks: Bool = false) -> String {
        var words: [UInt8] = []
        for index in range where !addresses.contains(where: { $0.contains(index) }) {
            if withLinks || !links.contains(where: { $0.contains(index) }) { words.append(bytes[index]) }
        }
        return String(decoding: words, as: UTF8.self)
    }

    /// The same without links, and as if the addresses had never stood there: `user <a@example.org> unknown` says "user unknown".
    func plainWords(_ range: Range<Int>) -> String {
        let words = words(range).replacing("<>", with: "").replacing("()", with: "")
        return words.split(separator: " ").joined(separator: " ")
    }

    private mutating func read() {
        var start: Int?
        var isLink = false
        var isValue = false
        for (index, byte) in bytes.enumerated() {
            let isEnd = isLink ? byte <= UInt8(ascii: " ") || #"<>()""#.utf8.contains(byte) : Self.isDelimiter(byte)
            guard isEnd else {
                if start == nil { start = index }
                if byte == UInt8(ascii: "/"), index >= 2, bytes[index - 1] == byte, bytes[index - 2] == UInt8(ascii: ":") { isLink = true }
                continue
            }
            if let begun = start {
                take(begun..<index, isLink: isLink, isValue: isValue, isBeforeSpace: byte <= UInt8(ascii: " "))
                (start, isLink, isValue) = (nil, false, false)
            }
            switch byte {
            case UInt8(ascii: "="): isValue = true
            case UInt8(ascii: "<"), UInt8(ascii: "["), UInt8(ascii: "\""), UInt8(ascii: "'"): break
            case UInt8(ascii: ","), UInt8(ascii: ";"): finish(at: index + 1)
            case UInt8(ascii: "("):
                finish(at: index)
                piece.isAside = true
            case UInt8(ascii: ")"): finish(at: index + 1)
            default: isValue = false
            }
        }
        if let start { take(start..<bytes.count, isLink: isLink, isValue: isValue, isBeforeSpace: true) }
    }

    private mutating func take(_ range: Range<Int>, isLink: Bool, isValue: Bool, isBeforeSpace: Bool) {
        guard !isLink else {
            links.append(range)
            return finish(at: range.upperBound)
        }
        let text = String(decoding: bytes[range], as: UTF8.self)
        if bytes[range].contains(UInt8(ascii: "@")) { addresses.append(range) }
        // A dash parts, and so do dots by themselves.
        guard bytes[range].contains(where: { !"-.>".utf8.contains($0) }) else { return finish(at: range.upperBound) }
        let party = party(of: text)
        let isFirst = piece.tokens.allSatisfy(\.isNumber)
        piece.tokens.append(Token(text: text.lowercased(), party: party, isValue: isValue))
        // `bob... User unknown`: the dots of sendmail stand behind a name.
        let isSentence = ".!?".utf8.contains(bytes[range.upperBound - 1]) && isBeforeSpace
        if isSentence, !(isFirst && text.hasSuffix("...")) { finish(at: range.upperBound) }
    }

    private mutating func finish(at end: Int) {
        piece.range = piece.range.lowerBound..<end
        pieces.append(piece)
        piece = Piece(range: end..<end)
    }

    /// Whom an address, a domain or a host's name names; nil for a plain word.
    private func party(of word: String) -> Party? {
        let name = word.trimming(where: Self.isPunctuation)
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

    private static func isDelimiter(_ byte: UInt8) -> Bool { byte <= UInt8(ascii: " ") || #"<>()[]{}"'=,;"#.utf8.contains(byte) }

    private static func isPunctuation(_ byte: UInt8) -> Bool { ".:!?".utf8.contains(byte) }
}

extension String {
    /// Without the bytes at both ends that are to go; they must be ASCII.
    fileprivate func trimming(where goes: (UInt8) -> Bool) -> String {
        var rest = self[...]
        while let first = rest.utf8.first, goes(first) { rest.removeFirst() }
        while let last = rest.utf8.last, goes(last) { rest.removeLast() }
        return String(rest)
    }

    /// Equal but for the case of ASCII letters, as domains are compared.
    fileprivate func isSame(as other: String) -> Bool {
        utf8.count == other.utf8.count && zip(utf8, other.utf8).allSatisfy { $0.lowercased == $1.lowercased }
    }
}
