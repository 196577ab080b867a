import Model
import Signing

/// What a template's tokens say of the links that are counted.
enum LinkMark: Equatable {
    /// A link begins, with its number: the tokens of its target as text follow, then `origin`.
    case target(UInt16)
    /// The same of a link of a short message: its target is not in the message.
    case shortTarget(UInt16)
    /// The link's tokens as they were written follow, for a message in which it is not counted.
    case origin
    case end
    /// What follows has no links that are counted, up to `exemptEnd`.
    case exempt, exemptEnd
    /// The picture that tells that a message was opened.
    case pixel
}

/// The links of one message, in the order in which they were found.
struct LinkTable {
    private(set) var links: [MessageLink] = []
    /// Links that lead nowhere, each with its place.
    private(set) var dead: [TemplateError.Problem] = []
    /// They are of a short message, where a link is a token alone.
    private let isShort: Bool
    /// More are left as they are written.
    private var most: Int { isShort ? Int(TokenSubject.links) : 1000 }

    init(isShort: Bool = false) { self.isShort = isShort }

    /// The mark of one more link; nil where there are too many.
    mutating func add(_ target: [TemplateToken]) -> LinkMark? {
        let source = target.map(\.source).joined()
        guard links.count < most, !isShort || target.isWritten(as: source) else { return nil }
        let number = UInt16(links.count)
        links.append(MessageLink(number: number, target: source))
        return isShort ? .shortTarget(number) : .target(number)
    }

    mutating func note(dead problem: TemplateError.Problem) {
        if dead.count < TemplateError.most { dead.append(problem) }
    }
}

extension [TemplateToken] {
    /// Whether a text is read as these tokens again: it may not be where the template has other delimiters than braces.
    fileprivate func isWritten(as text: String) -> Bool {
        let (tokens, problems) = TemplateParser.parse(TemplateSource(Mailing.Template(source: text)))
        return problems.isEmpty && tokens.map(\.kind) == map(\.kind)
    }
}

extension TemplateToken {
    /// The token as a person would write it.
    fileprivate var source: String {
        switch kind {
        case .text(let bytes): String(decoding: bytes, as: UTF8.self)
        case .variable(let name, escaped: true): "{{\(name)}}"
        case .variable(let name, escaped: false): "{{{\(name)}}}"
        case .open(let name, inverted: false): "{{#\(name)}}"
        case .open(let name, inverted: true): "{{^\(name)}}"
        case .close(let name): "{{/\(name)}}"
        case .link: ""
        }
    }
}
