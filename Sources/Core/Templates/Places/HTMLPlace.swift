import Text

/// A place in HTML, as browsers read it (HTML Standard section 13.2.5, without the states that change nothing for a value).
///
/// What stands between `<!--[if …]>` and `<![endif]-->` is read as HTML, as the one reader of it does.
struct HTMLPlace: PlaceMachine {
    enum State: Hashable {
        case text
        /// The content of `script`, `style`, `title`, `textarea` and the like, which only its end tag ends.
        case rawText
        /// Behind `<plaintext>`, which nothing ends.
        case plaintext
        /// Behind `<`.
        case open
        /// Behind `<!`, with the bytes of `--[if` that were read.
        case declaration(Int)
        case comment(dashes: Int)
        /// A declaration, a conditional comment's begin, or what browsers take for a comment.
        case untilGreater
        case tagName
        case inTag
        case attributeName
        case afterAttributeName
        case beforeValue
        /// With its quotation mark; 0 for none.
        case value(UInt8)

        fileprivate var isValue: Bool {
            switch self {
            case .beforeValue, .value: true
            default: false
            }
        }
    }

    private(set) var state = State.text
    private(set) var isClosing = false
    /// The name of the tag, in lower case.
    private(set) var element: [UInt8] = []
    /// The name of the attribute, in lower case, with a byte 0 in the place of a value.
    private(set) var attribute: [UInt8] = []
    private var url: URLPlace?
    /// The delay at the begin of a `<meta http-equiv=refresh content="5; url=…">`, behind which a URL begins.
    private var isInDelay = false
    /// How much of `</name` was read in raw text.
    private var matched = 0

    /// Longer names are cut, so that the machine stays finite. No name that matters is longer.
    private static let longestName = 24

    mutating func advance(_ byte: UInt8) {
        switch state {
        case .text: if byte == UInt8(ascii: "<") { state = .open }
        case .rawText: advanceRawText(byte)
        case .plaintext: break
        case .open: open(byte)
        case .declaration(let count): advanceDeclaration(byte, count)
        case .comment(let dashes): advanceComment(byte, dashes)
        case .untilGreater: if byte == UInt8(ascii: ">") { leave() }
        case .tagName, .inTag, .attributeName, .afterAttributeName: advanceTag(byte)
        case .beforeValue:
            switch byte {
            case ...0x20: break
            case UInt8(ascii: "\""), UInt8(ascii: "'"): beginValue(quote: byte)
            case UInt8(ascii: ">"): endTag()
            default:
                beginValue(quote: 0)
                if isMetaContent { advanceMetaContent(byte) } else { url?.advance(byte) }
            }
        case .value(let quote):
            if quote == 0 ? byte <= 0x20 : byte == quote {
                state = .inTag
            } else if quote == 0, byte == UInt8(ascii: ">") {
                endTag()
            } else if isMetaContent {
                advanceMetaContent(byte)
            } else if Self.listAttributes.contains(attribute), byte <= 0x20 || byte == UInt8(ascii: ",") {
                url = URLPlace()
            } else {
                url?.advance(byte)
            }
        }
    }

    private mutating func open(_ byte: UInt8) {
        isClosing = false
        element = []
        switch byte {
        case UInt8(ascii: "!"): state = .declaration(0)
        case UInt8(ascii: "?"): state = .untilGreater
        case UInt8(ascii: "/"):
            isClosing = true
            state = .tagName
        case _ where byte.isLetter:
            state = .tagName
            advanceTag(byte)
        case UInt8(ascii: "<"): break
        default: state = .text
        }
    }

    private mutating func advanceDeclaration(_ byte: UInt8, _ count: Int) {
        switch (byte.lowercased, count) {
        case (UInt8(ascii: "-"), 0...1), (UInt8(ascii: "["), 2), (UInt8(ascii: "i"), 3): state = .declaration(count + 1)
        case (UInt8(ascii: "f"), 4): state = .untilGreater
        // `<!-->` is a whole comment, and so is `<!--->`.
        case (_, 2...):
            state = .comment(dashes: 0)
            if byte != UInt8(ascii: "!") { advanceComment(byte, count == 2 ? 2 : 0) }
        case (UInt8(ascii: ">"), _): leave()
        default: state = .untilGreater
        }
    }

    private mutating func advanceComment(_ byte: UInt8, _ dashes: Int) {
        switch byte {
        case UInt8(ascii: ">") where dashes >= 2: leave()
        case UInt8(ascii: "-"): state = .comment(dashes: min(dashes + 1, 2))
        // `--!>` ends a comment, too.
        case UInt8(ascii: "!") where dashes == 2: break
        default: state = .comment(dashes: 0)
        }
    }

    private mutating func advanceTag(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: ">"): endTag()
        case ...0x20:
            switch state {
            // `</ ` and `</>` begin no tag.
            case .tagName where element.isEmpty: state = .untilGreater
            case .attributeName: state = .afterAttributeName
            case .tagName: state = .inTag
            default: break
            }
        case UInt8(ascii: "/"): state = .inTag
        case UInt8(ascii: "=") where state == .attributeName || state == .afterAttributeName: state = .beforeValue
        case _ where state == .tagName:
            if element.isEmpty, !byte.isLetter { return state = .untilGreater }
            if element.count < Self.longestName { element.append(byte.lowercased) }
        default:
            if state != .attributeName { attribute = [] }
            state = .attributeName
            if attribute.count < Self.longestName { attribute.append(byte.lowercased) }
        }
    }

    private var isMetaContent: Bool { attribute == Self.content && element == Self.meta }

    /// Descriptions stand in the same attribute; only behind a delay does it hold a URL (HTML Standard section 4.2.5.3).
    private mutating func advanceMetaContent(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: ";"), UInt8(ascii: ","):
            guard isInDelay else { fallthrough }
            isInDelay = false
            url = URLPlace()
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), ...0x20: url?.advance(byte)
        // `url=` and a quotation mark before the URL.
        case UInt8(ascii: "=") where url?.mayBeName == true: url = URLPlace()
        case UInt8(ascii: "'"), UInt8(ascii: "\""):
            if url?.place != .wholeURL { fallthrough }
        default:
            isInDelay = false
            url?.advance(byte)
        }
    }

    private mutating func beginValue(quote: UInt8) {
        state = .value(quote)
        isInDelay = isMetaContent
        url = Self.urlAttributes.contains(attribute) || Self.listAttributes.contains(attribute) ? URLPlace() : nil
    }

    private mutating func endTag() {
        if !isClosing, Self.rawElements.contains(element) {
            state = .rawText
            matched = 0
        } else if !isClosing, element == Self.plaintext {
            state = .plaintext
        } else {
            leave()
        }
    }

    private mutating func leave() {
        state = .text
        isClosing = false
        (element, attribute, url, isInDelay) = ([], [], nil, false)
    }

    private mutating func advanceRawText(_ byte: UInt8) {
        let end = [UInt8(ascii: "<"), UInt8(ascii: "/")] + element
        if matched == end.count {
            matched = 0
            switch byte {
            case UInt8(ascii: ">"): return leave()
            case ...0x20, UInt8(ascii: "/"):
                isClosing = true
                return state = .inTag
            default: break
            }
        }
        matched = byte.lowercased == end[matched] ? matched + 1 : byte == UInt8(ascii: "<") ? 1 : 0
    }

    /// No tag, comment or declaration has begun.
    var isBetweenTags: Bool { state == .text || state == .rawText || state == .plaintext }

    var place: ValuePlace {
        switch state {
        case .rawText: element == Array("script".utf8) ? .script : element == Array("style".utf8) ? .css : .text
        case .text, .plaintext, .declaration, .comment, .untilGreater: .text
        case .open, .tagName, .inTag, .attributeName, .afterAttributeName: .unquoted
        case .beforeValue: valuePlace(quote: 0, Self.isURL(attribute) ? URLPlace() : nil)
        case .value(let quote): valuePlace(quote: quote, url)
        }
    }

    /// `<a href={{x}} id=z>`: without a value `id=z` would be the link.
    var needsQuotes: Bool { state == .beforeValue }

    /// `<!{{x}}>`: a value `--` would begin a comment. `<!--{{x}}>`: an empty one would end it.
    var separator: StaticString? {
        switch state {
        case .declaration, .comment(dashes: 1...): " "
        default: nil
        }
    }

    var refusal: PlaceRefusal? {
        switch state {
        case .open: .element
        case .tagName where element.isEmpty: .element
        case .plaintext: .unread(String(decoding: element, as: UTF8.self))
        case .rawText where Self.unreadElements.contains(element): .unread(String(decoding: element, as: UTF8.self))
        case _ where !state.isValue: nil
        case _ where attribute == Self.document: .document
        case _ where attribute.contains(0) && !Self.harmlessPrefixes.contains(where: attribute.starts): .attribute
        default: nil
        }
    }

    private func valuePlace(quote: UInt8, _ url: URLPlace?) -> ValuePlace {
        if let url { return url.place }
        if attribute.starts(with: "on".utf8) { return .script }
        if attribute == Array("style".utf8) { return quote == 0 ? .unquotedCSS : .css }
        return quote == 0 ? .unquoted : .text
    }

    mutating func advanceValue() {
        switch state {
        case .open, .inTag, .afterAttributeName:
            if state == .open { (isClosing, element) = (false, []) }
            attribute = [0]
            state = state == .open ? .tagName : .attributeName
            if state == .tagName { element = [UInt8(ascii: "_")] }
        case .beforeValue:
            beginValue(quote: 0)
            url?.advanceValue()
        case .value:
            isInDelay = false
            url?.advanceValue()
        case .comment: state = .comment(dashes: 0)
        case .declaration(let count): state = count < 2 ? .untilGreater : .comment(dashes: 0)
        case .rawText: matched = 0
        case .attributeName: if attribute.count < Self.longestName { attribute.append(0) }
        case .text, .plaintext, .untilGreater, .tagName: break
        }
    }
}

extension PlaceRefusal {
    fileprivate static let document = PlaceRefusal(
        what: "'{{}}' stands in a srcdoc, a document of its own for which no value can be escaped",
        remedy: "put the text into the message itself, since hardly any mail program shows an iframe; \(unescaped)")
    fileprivate static let element = PlaceRefusal(
        what: "'{{}}' stands where the name of an element begins, for which no value can be escaped",
        remedy: "write the name out, and a < that is text as &lt;; \(unescaped)")
    fileprivate static let attribute = PlaceRefusal(
        what: "'{{}}' is the value of an attribute whose name is a value itself, and the name says how to escape",
        remedy: "write the name out; \(unescaped)")

    fileprivate static func unread(_ element: String) -> PlaceRefusal {
        PlaceRefusal(
            what: "'{{}}' stands in <\(element)>, for whose text no value can be escaped",
            remedy: "use another element, such as <pre>; \(unescaped)")
    }
}
