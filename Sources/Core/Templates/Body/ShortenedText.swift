import Model

/// The text of a short message with its links marked.
struct ShortenedText {
    let tokens: [TemplateToken]
    let problems: [TemplateError.Problem]
    let links: [MessageLink]

    /// - Parameter isSigned: the text is for messages. Then its links are counted only where they are those that the mailing's definition
    ///   has, by which their targets are looked up: a later release may find others.
    init(_ mailing: Mailing, _ source: TemplateSource, isSigned: Bool) {
        let (parsed, problems) = TemplateParser.parse(source)
        self.problems = problems
        guard let tracking = mailing.tracking, tracking.isCounted else {
            (tokens, links) = (parsed, [])
            return
        }
        var table = LinkTable(isShort: true)
        let marked = TextLinks.mark(parsed, of: source, in: &table)
        let isKnown = !isSigned || table.links.map(\.target) == tracking.targets
        (tokens, links) = isKnown ? (marked, table.links) : (parsed, [])
    }
}

extension [TemplateToken] {
    /// The tokens without the marks of those short links that a list may bring several times, with other values each time: a token tells
    /// of a recipient and not of a member of a list.
    func withoutLinksOfLists(_ fields: FieldNames) -> [TemplateToken] {
        var result: [TemplateToken] = []
        // The enclosing sections, and whether each may be written several times.
        var open: [Bool] = []
        // What is skipped up to its end: a link's target, and then the mark behind the link.
        var dropped: LinkMark?
        for (index, token) in enumerated() {
            if dropped == .origin || dropped == .end && token.kind == .link(.end) {
                if token.kind == .link(.origin) { dropped = .end } else if token.kind == .link(.end) { dropped = nil }
                continue
            }
            switch token.kind {
            case .open(let name, let inverted): open.append(!inverted && fields.mayRepeat(name))
            case .close: _ = open.popLast()
            case .link(.shortTarget):
                let target = self[(index + 1)...].prefix { $0.kind != .link(.origin) }
                if open.contains(true), !target.allSatisfy(\.isText) {
                    dropped = .origin
                    continue
                }
            case .text, .variable, .link: break
            }
            result.append(token)
        }
        return result
    }
}

extension TemplateToken {
    fileprivate var isText: Bool { if case .text = kind { true } else { false } }
}
