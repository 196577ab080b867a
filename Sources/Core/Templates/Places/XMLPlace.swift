import Text

/// A place in XML 1.0: text, a value of an attribute, a CDATA section, or markup in which no value can be escaped.
struct XMLPlace: PlaceMachine {
    private enum State: Hashable {
        case text
        /// Behind `<`.
        case open
        /// A name, and what stands between the values of attributes.
        case tag
        /// Of an attribute, with its quotation mark.
        case value(UInt8)
        /// Behind `<!`, with the bytes that may begin a comment or a CDATA section.
        case declaration([UInt8])
        case comment(dashes: Int)
        case cdata(brackets: Int)
        case instruction(isEnding: Bool)
        /// With the quotation mark of a literal; 0 for none.
        case doctype(UInt8)
    }

    private static let cdata = Array("[CDATA[".utf8)
    private static let comment = Array("--".utf8)

    private var state = State.text
    /// Between `[` and `]` of a DOCTYPE, which holds comments and instructions too.
    private var isInSubset = false
    /// Between `&` and `;`.
    private var isInReference = false

    mutating func advance(_ byte: UInt8) {
        if isInReference, !byte.isName { isInReference = false }
        switch (state, byte) {
        case (.text, UInt8(ascii: "<")): state = .open
        case (.text, UInt8(ascii: "&")), (.value, UInt8(ascii: "&")): isInReference = true
        case (.text, _): break
        case (.open, UInt8(ascii: "!")): state = .declaration([])
        case (.open, UInt8(ascii: "?")): state = .instruction(isEnding: false)
        case (.open, _): state = isInSubset ? .doctype(0) : byte.isName || byte == UInt8(ascii: "/") ? .tag : .text
        case (.tag, UInt8(ascii: ">")): state = .text
        case (.tag, UInt8(ascii: "\"")), (.tag, UInt8(ascii: "'")): state = .value(byte)
        case (.tag, _): break
        case (.value(let quote), _): if byte == quote { state = .tag }
        case (.declaration(let before), _): advanceDeclaration(before + [byte])
        case (.comment(let dashes), UInt8(ascii: "-")): state = .comment(dashes: min(dashes + 1, 2))
        case (.comment(let dashes), _): if dashes == 2, byte == UInt8(ascii: ">") { leave() } else { state = .comment(dashes: 0) }
        // `]]]>` ends a section as well: the last two brackets count.
        case (.cdata(let brackets), UInt8(ascii: "]")): state = .cdata(brackets: min(brackets + 1, 2))
        case (.cdata(let brackets), _): if brackets == 2, byte == UInt8(ascii: ">") { leave() } else { state = .cdata(brackets: 0) }
        case (.instruction(isEnding: true), UInt8(ascii: ">")): leave()
        case (.instruction, _): state = .instruction(isEnding: byte == UInt8(ascii: "?"))
        case (.doctype(let quote), _): advanceDoctype(byte, quote)
        }
    }

    private mutating func advanceDeclaration(_ bytes: [UInt8]) {
        if bytes == Self.comment {
            state = .comment(dashes: 0)
        } else if bytes == Self.cdata {
            state = .cdata(brackets: 0)
        } else if Self.comment.starts(with: bytes) || Self.cdata.starts(with: bytes) {
            state = .declaration(bytes)
        } else {
            state = .doctype(0)
            for byte in bytes { advance(byte) }
        }
    }

    private mutating func advanceDoctype(_ byte: UInt8, _ quote: UInt8) {
        switch byte {
        case _ where quote != 0: if byte == quote { state = .doctype(0) }
        case UInt8(ascii: "\""), UInt8(ascii: "'"): state = .doctype(byte)
        case UInt8(ascii: "["): isInSubset = true
        case UInt8(ascii: "]"): isInSubset = false
        case UInt8(ascii: "<") where isInSubset: state = .open
        case UInt8(ascii: ">") where !isInSubset: state = .text
        default: break
        }
    }

    /// Ends what may stand in a DOCTYPE too.
    private mutating func leave() { state = isInSubset ? .doctype(0) : .text }

    var place: ValuePlace { if case .cdata = state { .cdata } else { .text } }

    /// `]]` before a value that begins with `>`, or before `>` and a value that is empty, would end the section.
    var separator: StaticString? {
        if case .cdata(brackets: 1...) = state { "]]><![CDATA[" } else { nil }
    }

    var refusal: PlaceRefusal? {
        switch state {
        case .text, .value: isInReference ? .reference : nil
        case .cdata: nil
        case .open, .tag: .name
        case .comment: .comment
        case .declaration, .doctype, .instruction: .declaration
        }
    }

    mutating func advanceValue() {
        isInReference = false
        switch state {
        case .open: state = .tag
        case .comment: state = .comment(dashes: 0)
        case .cdata: state = .cdata(brackets: 0)
        case .declaration: state = .doctype(0)
        case .instruction: state = .instruction(isEnding: false)
        case .text, .tag, .value, .doctype: break
        }
    }
}

extension PlaceRefusal {
    fileprivate static let name = PlaceRefusal(
        what: "'{{}}' stands inside of a tag, and no value can be escaped for the name of an element or attribute",
        remedy: "write names out, and put the value of an attribute into quotes; \(unescaped)")
    fileprivate static let comment = PlaceRefusal(
        what: "'{{}}' stands in a comment of XML, for which no value can be escaped",
        remedy: "take it out of the comment, or make the comment one of the template: {{! … }}; \(unescaped)")
    fileprivate static let declaration = PlaceRefusal(
        what: "'{{}}' stands in a processing instruction or DOCTYPE, for which no value can be escaped",
        remedy: "put it into an element or an attribute; \(unescaped)")
    fileprivate static let reference = PlaceRefusal(
        what: "'{{}}' stands in a reference (between & and ;), for which no value can be escaped",
        remedy: "write a & that is text as &amp;, and the name of a reference out; \(unescaped)")
}

extension UInt8 {
    /// A byte of a name or of the number of a character reference (XML 1.0 sections 2.3 and 4.1).
    fileprivate var isName: Bool { self >= 0x80 || isLetterOrDigit || "_:.-#".utf8.contains(self) }
}
