/// Makes a plain-text template of an HTML one: merge fields and sections stay where they were; tags go, blocks become lines,
/// a link becomes `text (url)`, an image its `alt`, an entity its character.
struct HTMLText {
    /// A byte of the template's text, or a merge tag, which stands for one unknown character.
    enum Piece: Equatable {
        case byte(UInt8)
        case tag(TemplateToken)

        var byte: UInt8? { if case .byte(let byte) = self { byte } else { nil } }
        var section: TemplateToken? {
            guard case .tag(let token) = self, token.isSectionEdge else { return nil }
            return token
        }

        /// This piece as text: a value loses the place that it had in its tag.
        var inText: Piece { if case .tag(let token) = self { .tag(token.inText) } else { self } }

        /// This piece in the target of a link, where a value stays encoded as a part of a URL.
        var inLink: Piece {
            guard case .tag(let token) = self else { return self }
            switch (token.kind, token.place) {
            case (.variable(_, escaped: true), .wholeURL), (.variable(_, escaped: true), .restOfURL),
                (.variable(_, escaped: true), .pathOfURL), (.variable(_, escaped: true), .queryOfURL):
                return self
            default: return inText
            }
        }

        /// Both write the same, wherever they stand.
        static func isSame(_ left: Piece, _ right: Piece) -> Bool {
            switch (left, right) {
            case (.tag(let left), .tag(let right)): left.kind == right.kind
            default: left == right
            }
        }
    }

    /// A link whose text is being read.
    private struct Link {
        var target: [Piece]
        /// How many sections were open at its start.
        var depth: Int
        /// Where its text begins in `output`.
        var start: Int
        /// It has `data-no-track`.
        var isExempt: Bool
    }

    private let pieces: [Piece]
    private var position = 0
    private var output: [Piece] = []
    /// White space that is owed before the next visible character.
    private var pendingLines = 0
    private var owesSpace = false
    private var isPreformatted = false
    private var depth = 0
    private var link: Link?
    /// The links of `output` that are not counted, in their order.
    private var exempt: [Range<Int>] = []
    /// Tags that have no end. Looking for it costs the rest of the text each time, and values come from outside.
    private var unfinished = 0
    private static let mostUnfinished = 100

    /// - Parameter tokens: with the places of their values, which the values of links keep.
    static func convert(_ tokens: [TemplateToken]) -> [TemplateToken] {
        var converter = HTMLText(pieces: tokens.flatMap(\.pieces))
        converter.run()
        return converter.result()
    }

    /// The text of a value that is HTML itself, for `{{{x}}}`.
    static func text(of html: Bytes) -> [UInt8] {
        guard html.contains(where: { $0 == UInt8(ascii: "<") || $0 == UInt8(ascii: "&") }) else { return Array(html) }
        var converter = HTMLText(pieces: html.map(Piece.byte))
        converter.run()
        return converter.output.compactMap(\.byte)
    }

    private init(pieces: [Piece]) { self.pieces = pieces }

    private mutating func run() {
        while position < pieces.count {
            switch pieces[position] {
            case .tag(let token):
                position += 1
                if token.isSectionEdge { edge(token) } else { write(.tag(token.inText)) }
            case .byte(UInt8(ascii: "<")):
                if unfinished < Self.mostUnfinished, let tag = HTMLTag(pieces, at: position) {
                    position = tag.end
                    take(tag)
                } else {
                    unfinished += 1
                    position += 1
                    write(.byte(UInt8(ascii: "<")))
                }
            case .byte(UInt8(ascii: "&")):
                let (text, end) = HTMLEntity.decode(pieces, at: position, inAttribute: false)
                position = end
                for byte in text { write(.byte(byte)) }
            case .byte(let byte):
                position += 1
                space(or: byte)
            }
        }
        closeLink()
    }

    private mutating func space(or byte: UInt8) {
        switch byte {
        case 0x20, 0x09, 0x0a, 0x0d, 0x0c:
            if !isPreformatted {
                owesSpace = true
            } else if byte == 0x0a {
                pendingLines += 1
            } else {
                write(.byte(0x20))
            }
        default: write(.byte(byte))
        }
    }

    /// Writes something visible, after the white space that is owed.
    private mutating func write(_ piece: Piece) {
        if !output.contains(where: { $0.section == nil }) {
            pendingLines = 0
            owesSpace = false
        }
        if pendingLines > 0 {
            output += Array(repeating: .byte(0x0a), count: pendingLines)
        } else if owesSpace {
            output.append(.byte(0x20))
        }
        pendingLines = 0
        owesSpace = false
        output.append(piece)
    }

    private mutating func write(_ text: String) { for byte in text.utf8 { write(.byte(byte)) } }

    /// A section's begin or end stays in the order of the template; a link that began in the section ends with it.
    private mutating func edge(_ token: TemplateToken) {
        if case .close = token.kind {
            if let link, link.depth == depth { closeLink() }
            depth -= 1
        } else {
            depth += 1
        }
        output.append(.tag(token))
    }

    private mutating func take(_ tag: HTMLTag) {
        if tag.name == "a" {
            closeLink()
            var target = tag.isClosing ? nil : tag.value(of: "href")
            if let pieces = target, !HTMLTag.isBalanced(pieces) { target = nil }
            for token in tag.sectionEdges where target?.contains(.tag(token)) != true { edge(token) }
            if let target, !target.isEmpty, target.first != .byte(UInt8(ascii: "#")) {
                let isExempt = tag.value(of: "data-no-track") != nil
                link = Link(target: target, depth: depth, start: output.count, isExempt: isExempt)
            }
            return
        }
        var alternative = tag.alternative ?? []
        if !HTMLTag.isBalanced(alternative) { alternative = [] }
        let isBox = HTMLTag.boxes.contains(tag.name) || !alternative.isEmpty
        if isBox { owesSpace = true }
        for token in tag.sectionEdges where !alternative.contains(.tag(token)) { edge(token) }
        for piece in alternative { if let token = piece.section { edge(token) } else { write(piece.inText) } }
        if isBox { owesSpace = true }
        if !tag.isClosing, HTMLTag.unseen.contains(tag.name) { return skip(to: tag.name) }
        pendingLines = max(pendingLines, HTMLTag.lines(around: tag.name))
        switch tag.name {
        case "br": pendingLines = min(pendingLines + 1, 2)
        case "li" where !tag.isClosing: write("- ")
        case "pre", "listing", "xmp", "plaintext": isPreformatted = !tag.isClosing
        default: break
        }
        if !tag.isClosing, HTMLTag.literal.contains(tag.name) { copy(to: tag.name) }
    }

    /// Leaves out what stands up to the end of an element, but for the edges of sections.
    private mutating func skip(to name: String) {
        while position < pieces.count, !HTMLTag.ends(name, pieces, at: position) {
            if let token = pieces[position].section { edge(token) }
            position += 1
        }
    }

    /// Writes what stands up to the end of an element as the text that it is: there are no tags in it.
    private mutating func copy(to name: String) {
        while position < pieces.count, !HTMLTag.ends(name, pieces, at: position) {
            switch pieces[position] {
            case .byte(UInt8(ascii: "&")) where name == "textarea":
                let (text, end) = HTMLEntity.decode(pieces, at: position, inAttribute: false)
                position = end
                for byte in text { write(.byte(byte)) }
                continue
            case .byte(let byte): space(or: byte)
            case .tag(let token): if token.isSectionEdge { edge(token) } else { write(.tag(token.inText)) }
            }
            position += 1
        }
    }

    /// Adds the target of the link behind its text, unless the text says the same.
    private mutating func closeLink() {
        guard let link else { return }
        self.link = nil
        defer { if link.isExempt { exempt.append(link.start..<output.count) } }
        let text = output[link.start...].filter { $0 != .byte(0x20) && $0 != .byte(0x0a) }
        let isSame = ["", "mailto:", "tel:", "http://", "https://"].contains { scheme in
            (Array(scheme.utf8).map(Piece.byte) + text).elementsEqual(link.target, by: Piece.isSame)
        }
        guard !isSame else { return }
        let isEmpty = text.allSatisfy { $0.section != nil }
        if !isEmpty {
            owesSpace = false
            write(" (")
        }
        for piece in link.target {
            if let token = piece.section { output.append(.tag(token)) } else { write(piece.inLink) }
        }
        if !isEmpty { write(")") }
    }

    private func result() -> [TemplateToken] {
        var tokens: [TemplateToken] = []
        var text: [UInt8] = []
        var marks = exempt.flatMap { [($0.lowerBound, LinkMark.exempt), ($0.upperBound, .exemptEnd)] }[...]
        for (index, piece) in (output + [.byte(0x0a)]).enumerated() {
            while let (place, mark) = marks.first, place == index {
                if !text.isEmpty { tokens.append(TemplateToken(.text(text), at: 0)) }
                text = []
                tokens.append(TemplateToken(.link(mark), at: 0))
                marks.removeFirst()
            }
            switch piece {
            case .byte(let byte): text.append(byte)
            case .tag(let token):
                if !text.isEmpty { tokens.append(TemplateToken(.text(text), at: token.offset)) }
                text = []
                tokens.append(token)
            }
        }
        tokens.append(TemplateToken(.text(text), at: 0))
        return tokens
    }

    /// The output holds anything that a reader sees.
    static func isVisible(_ tokens: [TemplateToken]) -> Bool {
        tokens.contains { token in
            switch token.kind {
            case .text(let text): text.contains { $0 > 0x20 }
            case .variable: true
            case .open, .close, .link: false
            }
        }
    }
}

extension TemplateToken {
    fileprivate var isSectionEdge: Bool {
        switch kind {
        case .open, .close: true
        case .text, .variable, .link: false
        }
    }

    /// The token where the reader sees plain text: what was raw HTML becomes text, too.
    fileprivate var inText: TemplateToken {
        guard case .variable(_, let escaped) = kind else { return self }
        return TemplateToken(kind, at: offset, place: escaped ? .text : .htmlToText)
    }

    var pieces: [HTMLText.Piece] {
        if case .text(let bytes) = kind { bytes.map(HTMLText.Piece.byte) } else { [.tag(self)] }
    }
}
