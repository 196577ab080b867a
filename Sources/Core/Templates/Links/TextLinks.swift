import Text

/// Finds the links of a plain text: `http://` or `https://` and what follows up to white space.
struct TextLinks {
    private var begin: LinkSpan.Place?
    /// Behind the last character that surely belongs to the link.
    private var end = LinkSpan.Place(token: 0, byte: 0)
    /// Sections that have begun inside of the link.
    private var depth = 0
    /// Opening brackets of the link that are not closed.
    private var brackets = 0
    private var isExempt = false
    private var spans: [LinkSpan] = []

    /// The tokens with their links marked.
    static func mark(_ tokens: [TemplateToken], of source: TemplateSource, in table: inout LinkTable) -> [TemplateToken] {
        var finder = TextLinks()
        for (index, token) in tokens.enumerated() {
            switch token.kind {
            case .text(let bytes): finder.take(bytes, at: index)
            case .variable: finder.end = LinkSpan.Place(token: index + 1, byte: 0)
            case .open:
                if finder.begin != nil { finder.depth += 1 }
            case .close:
                if finder.depth == 0 { finder.finish() } else { finder.close(at: index) }
            case .link(let mark): finder.take(mark)
            }
        }
        finder.finish()
        return tokens.marked(finder.spans, of: source, in: &table) { $0 }
    }

    private mutating func take(_ mark: LinkMark) {
        switch mark {
        case .exempt:
            finish()
            isExempt = true
        case .exemptEnd: isExempt = false
        case .target, .shortTarget, .origin, .end, .pixel: break
        }
    }

    private mutating func close(at index: Int) {
        depth -= 1
        end = LinkSpan.Place(token: index + 1, byte: 0)
    }

    private mutating func finish() {
        if let begin, (begin.token, begin.byte) < (end.token, end.byte) { spans.append(LinkSpan(begin: begin, end: end)) }
        (begin, depth, brackets) = (nil, 0, 0)
    }

    private mutating func take(_ bytes: [UInt8], at token: Int) {
        var index = 0
        while index < bytes.count {
            guard begin != nil else {
                guard !isExempt, let start = Self.start(in: bytes, from: index) else { return }
                begin = LinkSpan.Place(token: token, byte: start)
                end = LinkSpan.Place(token: token, byte: start)
                index = start
                continue
            }
            let byte = bytes[index]
            if byte <= 0x20 || "<>\"".utf8.contains(byte) || Self.isForeignSign(bytes[index...]) {
                finish()
            } else if byte == UInt8(ascii: "(") {
                brackets += 1
                end = LinkSpan.Place(token: token, byte: index + 1)
            } else if byte == UInt8(ascii: ")") {
                // One that the text opened before the link ends it.
                if brackets == 0 { finish() } else { (brackets, end) = (brackets - 1, LinkSpan.Place(token: token, byte: index + 1)) }
            } else if !".,;:!?'".utf8.contains(byte) {
                // A sign of the sentence belongs to the link only when more of the link follows.
                end = LinkSpan.Place(token: token, byte: index + 1)
            }
            index += 1
        }
    }

    /// Blanks, quotation marks and signs of sentences of other scripts, in UTF-8: « », U+2000 to U+206F, U+3000 to U+303F, U+FF00 to
    /// U+FF7F.
    private static func isForeignSign(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let first = bytes.first, first >= 0xc2, let second = bytes.dropFirst().first else { return false }
        switch first {
        case 0xc2: return [0xa0, 0xab, 0xbb].contains(second)
        case 0xe2: return second <= 0x81
        case 0xe3: return second == 0x80
        case 0xef: return second == 0xbc || second == 0xbd
        default: return false
        }
    }

    /// Where a link begins that is no part of a word.
    private static func start(in bytes: [UInt8], from index: Int) -> Int? {
        for start in index..<bytes.count where bytes[start] | 0x20 == UInt8(ascii: "h") {
            guard start == 0 || !bytes[start - 1].isLetterOrDigit else { continue }
            for scheme in ["http://", "https://"]
            where bytes.count - start > scheme.utf8.count && zip(bytes[start...], scheme.utf8).allSatisfy({ $0.lowercased == $1 }) {
                return start
            }
        }
        return nil
    }
}
