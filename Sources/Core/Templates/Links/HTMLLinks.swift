import Text

/// Finds the links of an HTML template: the targets of `a` and `area`, but of those with `data-no-track`.
struct HTMLLinks {
    private var machine = HTMLPlace()
    private var begin: LinkSpan.Place?
    /// The target of the tag that is being read.
    private var candidate: LinkSpan?
    private var isExempt = false
    private var spans: [LinkSpan] = []
    /// The last `</body` that is a tag.
    private var bodyEnd: LinkSpan.Place?
    private var tagBegin: LinkSpan.Place?

    private static let elements = ["a", "area"].map { Array($0.utf8) }
    private static let target = Array("href".utf8)
    private static let exempt = Array("data-no-track".utf8)
    private static let body = Array("body".utf8)

    /// The tokens with their links marked, and with a mark for the pixel at the end of the body.
    /// - Parameter tokens: with the places of their values.
    static func mark(_ tokens: [TemplateToken], of source: TemplateSource, in table: inout LinkTable) -> [TemplateToken] {
        var finder = HTMLLinks()
        for (index, token) in tokens.enumerated() {
            switch token.kind {
            case .text(let bytes):
                for (offset, byte) in bytes.enumerated() { finder.take(byte, LinkSpan.Place(token: index, byte: offset)) }
            case .variable: finder.machine.advanceValue()
            case .open, .close, .link: break
            }
        }
        let end = finder.bodyEnd ?? LinkSpan.Place(token: tokens.count, byte: 0)
        let spans = finder.spans.filter { ($0.begin.token, $0.begin.byte) < (end.token, end.byte) }
        return tokens.marked(spans, of: source, in: &table, pixel: end, decoding: decode)
    }

    /// The text that a part of an attribute stands for, without the line ends and tabs that a URL loses (URL Standard section 4.4).
    private static func decode(_ bytes: [UInt8]) -> [UInt8] {
        let pieces = bytes.map(HTMLText.Piece.byte)
        var (text, index): ([UInt8], Int) = ([], 0)
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "&") {
                let (decoded, end) = HTMLEntity.decode(pieces, at: index, inAttribute: true)
                text += decoded
                index = end
            } else {
                if bytes[index] > 0x1f { text.append(bytes[index]) }
                index += 1
            }
        }
        return text
    }

    private mutating func take(_ byte: UInt8, _ place: LinkSpan.Place) {
        let before = machine.state
        if before == .text, byte == UInt8(ascii: "<") { tagBegin = place }
        let (element, attribute, isClosing) = (machine.element, machine.attribute, machine.isClosing)
        machine.advance(byte)
        let after = machine.state
        switch (before, after) {
        case (.beforeValue, .value(let quote)) where isTarget(element, attribute) && !isClosing && candidate == nil:
            begin = LinkSpan.Place(token: place.token, byte: place.byte + (quote == 0 ? 0 : 1))
        case (.value, .value): break
        case (.value, _):
            if let begin { candidate = LinkSpan(begin: begin, end: place) }
            begin = nil
        default: break
        }
        if machine.attribute == Self.exempt { isExempt = isExempt || after != .attributeName }
        guard after == .text || after == .rawText, before != .text, before != .rawText else { return }
        if attribute == Self.exempt { isExempt = true }
        if let candidate, !isExempt { spans.append(candidate) }
        if isClosing, element == Self.body { bodyEnd = tagBegin }
        (begin, candidate, isExempt) = (nil, nil, false)
    }

    private func isTarget(_ element: [UInt8], _ attribute: [UInt8]) -> Bool {
        attribute == Self.target && Self.elements.contains(element)
    }
}
