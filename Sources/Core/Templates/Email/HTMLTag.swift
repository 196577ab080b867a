import Text

/// One tag, comment or declaration of an HTML template, with the merge tags inside of it.
struct HTMLTag {
    typealias Piece = HTMLText.Piece

    /// In lower case; empty for comments and declarations.
    private(set) var name = ""
    private(set) var isClosing = false
    /// The first piece behind it.
    private(set) var end: Int
    /// The begins and ends of sections in it.
    private(set) var sectionEdges: [TemplateToken] = []
    private var inside: ArraySlice<Piece> = []

    /// Nil unless a tag begins here.
    init?(_ pieces: [Piece], at start: Int) {
        guard start + 1 < pieces.count, let first = pieces[start + 1].byte else { return nil }
        var index = start + 1
        if pieces[start...].starts(with: "<!--".utf8.map(Piece.byte)) {
            end = Self.endOfComment(pieces, from: start + 4)
            sectionEdges = pieces[start..<end].compactMap(\.section)
            return
        }
        isClosing = first == UInt8(ascii: "/")
        if isClosing { index += 1 }
        guard isClosing || first == UInt8(ascii: "!") || first == UInt8(ascii: "?") || first.isLetter else {
            return nil
        }
        while index < pieces.count, let byte = pieces[index].byte, byte.isLetterOrDigit {
            name.unicodeScalars.append(Unicode.Scalar(byte | 0x20))
            index += 1
        }
        guard !name.isEmpty || first == UInt8(ascii: "!") || first == UInt8(ascii: "?") else { return nil }
        var quote: UInt8?
        let insideStart = index
        while index < pieces.count {
            switch (pieces[index].byte, quote) {
            case (UInt8(ascii: ">"), nil):
                inside = pieces[insideStart..<index]
                end = index + 1
                sectionEdges = inside.compactMap(\.section)
                return
            case (UInt8(ascii: "\""), nil), (UInt8(ascii: "'"), nil): quote = pieces[index].byte
            case (let byte?, let open?) where byte == open: quote = nil
            default: break
            }
            index += 1
        }
        return nil
    }

    private static func endOfComment(_ pieces: [Piece], from start: Int) -> Int {
        let close = "-->".utf8.map(Piece.byte)
        let found = pieces.indices[min(start, pieces.count)...].first { pieces[$0...].starts(with: close) }
        return found.map { $0 + close.count } ?? pieces.count
    }

    /// The value of an attribute, trimmed, with its entities decoded; nil where there is none.
    func value(of attribute: String) -> [Piece]? {
        var index = inside.startIndex
        while index < inside.endIndex {
            skipSpace(&index)
            let start = index
            var name: [UInt8] = []
            while index < inside.endIndex, let byte = inside[index].byte, byte > 0x20, byte != UInt8(ascii: "=") {
                name.append(byte)
                index += 1
            }
            skipSpace(&index)
            var value: [Piece] = []
            if index < inside.endIndex, inside[index] == .byte(UInt8(ascii: "=")) {
                index += 1
                skipSpace(&index)
                value = takeValue(&index)
            } else if index == start {
                // A merge tag between attributes.
                index += 1
                continue
            }
            if String(decoding: name, as: UTF8.self).lowercased() == attribute { return Self.decoded(value) }
        }
        return nil
    }

    private func skipSpace(_ index: inout Int) {
        while index < inside.endIndex, let byte = inside[index].byte, byte <= 0x20 { index += 1 }
    }

    private func takeValue(_ index: inout Int) -> [Piece] {
        var value: [Piece] = []
        var quote: UInt8?
        if index < inside.endIndex, let byte = inside[index].byte,
            byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'")
        {
            quote = byte
            index += 1
        }
        while index < inside.endIndex {
            let byte = inside[index].byte
            if let quote, byte == quote {
                index += 1
                return value
            }
            if quote == nil, let byte, byte <= 0x20 { return value }
            value.append(inside[index])
            index += 1
        }
        return value
    }

    private static func decoded(_ value: [Piece]) -> [Piece] {
        var result: [Piece] = []
        var index = 0
        while index < value.count {
            if value[index] == .byte(UInt8(ascii: "&")) {
                let (text, end) = HTMLEntity.decode(value, at: index)
                result += text.map(Piece.byte)
                index = end
            } else {
                // A line end in an attribute would break the line of the text.
                if let byte = value[index].byte, byte < 0x20 {
                    result.append(.byte(0x20))
                } else {
                    result.append(value[index])
                }
                index += 1
            }
        }
        while result.first == .byte(0x20) { result.removeFirst() }
        while result.last == .byte(0x20) { result.removeLast() }
        return result
    }

    /// Every section that begins in these pieces ends in them.
    static func isBalanced(_ pieces: [Piece]) -> Bool {
        var names: [String] = []
        for token in pieces.compactMap(\.section) {
            switch token.kind {
            case .open(let name, _): names.append(name)
            case .close(let name): if names.popLast() != name { return false }
            case .text, .variable: break
            }
        }
        return names.isEmpty
    }

    /// Elements whose content is not displayed.
    static let unseen: Set<String> = ["script", "style", "title", "template", "noscript", "svg", "object"]

    /// The line ends that an element has before and after it: 2 make an empty line.
    static func lines(around name: String) -> Int {
        switch name {
        case "p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "blockquote", "pre", "hr", "figure": 2
        case "div", "tr", "li", "dt", "dd", "section", "article", "header", "footer", "main", "nav", "aside", "form",
            "address", "center", "figcaption", "tbody", "thead", "tfoot", "caption", "body", "html":
            1
        default: 0
        }
    }
}
