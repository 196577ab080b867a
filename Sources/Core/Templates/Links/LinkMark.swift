import Model

/// What a template's tokens say of the links that are counted.
enum LinkMark: Equatable {
    /// A link begins, with its number: the tokens of its target as text follow, then `origin`.
    case target(UInt16)
    /// The link's tokens as they were written follow, for a message in which it is not counted.
    case origin
    case end
    /// The picture that tells that a message was opened.
    case pixel
}

/// The links of one message, in the order in which they were found.
struct LinkTable {
    private(set) var links: [MessageLink] = []
    /// Links that lead nowhere, each with its place.
    private(set) var dead: [TemplateError.Problem] = []
    /// More are left as they are written.
    static let most = 1000

    /// The number of one more link; nil where there are too many.
    mutating func add(_ target: [TemplateToken]) -> UInt16? {
        guard links.count < Self.most else { return nil }
        let number = UInt16(links.count)
        links.append(MessageLink(number: number, target: target.map(\.source).joined()))
        return number
    }

    mutating func note(dead problem: TemplateError.Problem) {
        if dead.count < TemplateError.most { dead.append(problem) }
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
