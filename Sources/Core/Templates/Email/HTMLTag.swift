import Text

/// One tag, comment or declaration of an HTML template, with the merge tags inside of it.
struct HTMLTag {
    typealias Piece = HTMLText.Piece

    /// In lower case; empty for comments and declarations.
    private(set) var name = ""
    private(set) var isClosing = false
    /// The first piece behind it.
    private(set) var end = 0
    /// The begins and ends of sections in it.
    private(set) var sectionEdges: [TemplateToken] = []
    private var attributes: [(name: [UInt8], value: [Piece])] = []

    /// Nil unless a tag begins here and has an end.
    init?(_ pieces: [Piece], at start: Int) {
        guard start + 1 < pieces.count, let first = pieces[start + 1].byte else { return nil }
        guard first.isLetter || "/!?".utf8.contains(first) else { return nil }
        if first == UInt8(ascii: "/"), start + 2 < pieces.count, pieces[start + 2].byte?.isLetter != true { return nil }
        if let end = Self.endOfComment(pieces, from: start) {
            self.end = end
            sectionEdges = pieces[start..<end].compactMap(\.section)
            return
        }
        var place = HTMLPlace()
        var index = start
        repeat {
            guard index < pieces.count else { return nil }
            let before = place
            if let byte = pieces[index].byte { place.advance(byte) } else if pieces[index].section == nil { place.advanceValue() }
            note(pieces[index], before, place)
            index += 1
        } while !place.isBetweenTags
        end = index
    }

    /// Takes a piece of the tag between two places.
    private mutating func note(_ piece: Piece, _ before: HTMLPlace, _ after: HTMLPlace) {
        if let token = piece.section { sectionEdges.append(token) }
        switch after.state {
        case .tagName:
            isClosing = after.isClosing
            name = String(decoding: after.element, as: UTF8.self)
        case .attributeName where before.state != .attributeName: attributes.append((after.attribute, []))
        case .attributeName: if !attributes.isEmpty { attributes[attributes.count - 1].name = after.attribute }
        case .value(0) where before.state == .beforeValue: append(piece)
        case .beforeValue where piece.section != nil: append(piece)
        case .value where before.state == after.state: append(piece)
        default: break
        }
    }

    private mutating func append(_ piece: Piece) {
        guard !attributes.isEmpty else { return }
        attributes[attributes.count - 1].value.append(piece)
    }

    /// A comment goes up to its end as browsers see it, and conditional comments too: their reader gets the HTML part.
    private static func endOfComment(_ pieces: [Piece], from start: Int) -> Int? {
        guard pieces[start...].starts(with: "<!--".utf8.map(Piece.byte)) else { return nil }
        for short in ["<!-->", "<!--->"] where pieces[start...].starts(with: short.utf8.map(Piece.byte)) {
            return start + short.utf8.count
        }
        for index in start + 4..<pieces.count where pieces[index] == .byte(UInt8(ascii: "-")) {
            for close in ["-->", "--!>"] where pieces[index...].starts(with: close.utf8.map(Piece.byte)) {
                return index + close.utf8.count
            }
        }
        return pieces.count
    }

    /// The value of an attribute, trimmed, with its entities decoded; nil where there is none.
    func value(of attribute: String) -> [Piece]? {
        attributes.first { $0.name.elementsEqual(attribute.utf8) }.map { Self.decoded($0.value) }
    }

    private static func decoded(_ value: [Piece]) -> [Piece] {
        var result: [Piece] = []
        var index = 0
        while index < value.count {
            if value[index] == .byte(UInt8(ascii: "&")) {
                let (text, end) = HTMLEntity.decode(value, at: index, inAttribute: true)
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
            case .text, .variable, .link: break
            }
        }
        return names.isEmpty
    }

    /// Elements whose content is not displayed.
    static let unseen: Set<String> = ["script", "style", "title", "template"]

    /// Elements whose content is text that is displayed as it stands.
    static let literal: Set<String> = ["textarea", "xmp", "plaintext"]

    /// The end tag of an element begins here; `plaintext` has none.
    static func ends(_ name: String, _ pieces: [Piece], at start: Int) -> Bool {
        guard pieces[start] == .byte(UInt8(ascii: "<")), name != "plaintext" else { return false }
        let tag = pieces[start...].prefix(name.utf8.count + 3).map { $0.byte?.lowercased ?? 0 }
        guard tag.count == name.utf8.count + 3, tag.dropFirst(2).starts(with: name.utf8), let last = tag.last else { return false }
        return tag[1] == UInt8(ascii: "/") && (last == UInt8(ascii: ">") || last == UInt8(ascii: "/") || 1...0x20 ~= last)
    }

    /// Elements that stand as boxes of their own in a line: their text does not touch the words beside them.
    static let boxes: Set<String> = [
        "td", "th", "button", "textarea", "select", "input", "svg", "text", "math", "object", "embed", "applet", "iframe", "video", "audio",
        "canvas", "picture", "meter", "progress", "marquee", "rt",
    ]

    /// What the reader sees in the place of an element without content.
    var alternative: [Piece]? {
        guard !isClosing else { return nil }
        switch name {
        case "img": return value(of: "alt")
        case "input":
            let kind = String(decoding: (value(of: "type") ?? []).compactMap(\.byte), as: UTF8.self).lowercased()
            if kind == "image" { return value(of: "alt") }
            return Self.valuelessInputs.contains(kind) ? nil : value(of: "value")
        default: return nil
        }
    }

    /// Kinds of `input` that show no value.
    private static let valuelessInputs: Set<String> = ["hidden", "checkbox", "radio", "password", "file", "range", "color"]

    /// The line ends that an element has before and after it: 2 make an empty line.
    static func lines(around name: String) -> Int {
        switch name {
        case "p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "blockquote", "pre", "listing", "xmp", "plaintext", "hr",
            "figure":
            2
        case "div", "tr", "li", "dt", "dd", "section", "article", "header", "footer", "main", "nav", "aside", "form",
            "address", "center", "figcaption", "tbody", "thead", "tfoot", "caption", "body", "html", "option", "legend", "fieldset",
            "details",
            "summary", "dialog", "hgroup", "menu", "search":
            1
        default: 0
        }
    }
}
