import Model
import Text

/// The text that mail programs show beside the subject: it stands, hidden, at the begin of the HTML body.
enum Preheader {
    /// The HTML's tokens with it in them; else they are as they were.
    /// - Throws: `TemplateError` with what is wrong in it, at its own place.
    static func insert(
        _ template: Mailing.Template, into html: [TemplateToken], fields: FieldNames
    ) throws(TemplateError) -> [TemplateToken] {
        let source = TemplateSource(template)
        var (tokens, problems) = TemplateParser.parse(source)
        tokens = tokens.map(\.asText).placed(in: .html, of: source, fields: fields, &problems)
        _ = try CompiledTemplate(tokens, of: source, fields: fields, form: .plain(.html), problems: problems)
        let place = begin(of: html)
        let end = LinkSpan.Place(token: html.count, byte: 0)
        return html.cut(LinkSpan.Place(token: 0, byte: 0), place)
            + [text(opening)] + tokens + [text(padding)] + html.cut(place, end)
    }

    private static func text(_ text: String) -> TemplateToken { TemplateToken(.text(Array(text.utf8)), at: 0) }

    /// Hidden by all ways that some mail program heeds; its lines stay short.
    private static let opening = """
        <div style="display:none;max-height:0;max-width:0;overflow:hidden;opacity:0;\
        font-size:1px;line-height:1px;color:transparent;mso-hide:all">

        """

    /// What keeps mail programs from showing the text behind it: spaces that have no width, or do not break.
    private static let padding = "\n" + String(repeating: String(repeating: "&#847;&zwnj;&nbsp;", count: 4) + "\n", count: 25) + "</div>"

    /// Behind the tag of the body (the last, for one in a conditional comment is Outlook's alone); without one behind the head, or else
    /// what stands before it.
    private static func begin(of html: [TemplateToken]) -> LinkSpan.Place {
        var found = LinkSpan.Place(token: 0, byte: 0)
        var hasBody = false
        var machine = HTMLPlace()
        for (index, token) in html.enumerated() {
            guard case .text(let bytes) = token.kind else {
                if case .variable = token.kind { machine.advanceValue() }
                continue
            }
            for (offset, byte) in bytes.enumerated() {
                let (before, element, isClosing) = (machine.state, machine.element, machine.isClosing)
                machine.advance(byte)
                guard machine.state == .text, before != .text else { continue }
                let behind = LinkSpan.Place(token: index, byte: offset + 1)
                switch String(decoding: element, as: UTF8.self) {
                case "body" where !isClosing: (found, hasBody) = (behind, true)
                case "html" where !isClosing && !hasBody, "head" where isClosing && !hasBody: found = behind
                // A text before the document's type would change how browsers show all of it.
                case "" where before == .untilGreater && index == 0 && isType(bytes[...offset]): found = behind
                default: break
                }
            }
        }
        return found
    }

    private static func isType(_ text: ArraySlice<UInt8>) -> Bool {
        text.drop { $0 <= 0x20 }.prefix(9).map(\.lowercased) == Array("<!doctype".utf8) && !text.dropLast().contains(UInt8(ascii: ">"))
    }
}

extension TemplateToken {
    /// A preheader is text: what is no tag of the template is not read as HTML.
    fileprivate var asText: TemplateToken {
        switch kind {
        case .text(let bytes):
            var escaped: [UInt8] = []
            bytes.withUnsafeBufferPointer { escaped.append($0, as: .html) }
            return TemplateToken(.text(escaped), at: offset)
        case .variable(let name, _): return TemplateToken(.variable(name, escaped: true), at: offset)
        case .open, .close, .link: return self
        }
    }
}
