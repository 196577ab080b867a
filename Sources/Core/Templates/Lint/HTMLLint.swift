import Model
import Text

/// Looks through an HTML template for what mail programs and their readers stumble over. Merge tags stay what they are; both showings of a
/// section are looked at.
struct HTMLLint {
    private let pieces: [HTMLText.Piece]
    /// Of each piece the byte of the source at which it begins.
    private let offsets: [Int]
    private var position = 0
    private var found: LintFindings
    private var stack = ElementStack()
    private var ids: Set<String> = []
    private var anchors: [(id: String, offset: Int)] = []
    /// Where the link that is being read begins; nil outside of links.
    private var link: Int?
    private var linkText: [UInt8] = []
    private var linkTarget = LinkTarget()
    /// Tags that have no end: looking for it costs the rest of the template each time.
    private var unfinished = 0

    private static let mostUnfinished = 20
    /// Bytes of a template that are looked at.
    static let mostBytes = 1 << 20

    /// What links say of unsubscribing.
    struct Unsubscribing: Equatable {
        /// By the tracker's page.
        var byTracker = false
        /// By a link of the mailing's own: the first one's place.
        var own: Int?

        var isThere: Bool { byTracker || own != nil }
    }

    private(set) var unsubscribing = Unsubscribing()

    static func run(_ template: Mailing.Template) -> (findings: [MailingFinding], unsubscribing: Unsubscribing) {
        let source = TemplateSource(template, unifyingLineEnds: true)
        var lint = HTMLLint(TemplateParser.parse(source).tokens, of: source)
        lint.run()
        return (lint.found.findings, lint.unsubscribing)
    }

    private init(_ tokens: [TemplateToken], of source: TemplateSource) {
        var (pieces, offsets): ([HTMLText.Piece], [Int]) = ([], [])
        for token in tokens where pieces.count < Self.mostBytes {
            let more = token.pieces.prefix(Self.mostBytes - pieces.count)
            offsets += more.indices.map { token.offset + $0 }
            pieces += more
        }
        (self.pieces, self.offsets) = (pieces, offsets)
        found = LintFindings(source)
    }

    private mutating func run() {
        while position < pieces.count {
            switch pieces[position] {
            case .byte(UInt8(ascii: "<")): tag()
            case .tag(let token):
                if case .open = token.kind { stack.beginSection() } else if case .close = token.kind { stack.endSection() }
                position += 1
            case .byte(let byte):
                if link != nil, linkText.count < 200 { linkText.append(byte) }
                position += 1
            }
        }
        closeLink()
        note(stack.finish())
        for anchor in anchors where !ids.contains(anchor.id) {
            found.note(.deadAnchor, at: anchor.offset, "the link to '#\(anchor.id)' has no target")
        }
    }

    private mutating func tag() {
        let begin = offsets[position]
        guard unfinished < Self.mostUnfinished, let tag = HTMLTag(pieces, at: position) else {
            unfinished += 1
            position += 1
            return
        }
        position = tag.end
        if tag.name.isEmpty { return }
        if tag.isClosing {
            if tag.name == "a" { closeLink() }
            return note(stack.end(tag.name, at: begin))
        }
        if tag.name == "a" { closeLink() }
        if let fault = stack.begin(tag.name, at: begin) { note([fault]) }
        look(at: tag, begin)
        content(of: tag, begin)
    }

    /// Passes what is no markup: a style sheet is looked at.
    private mutating func content(of tag: HTMLTag, _ begin: Int) {
        guard HTMLTag.unseen.contains(tag.name) || HTMLTag.literal.contains(tag.name) || tag.name == "svg" else { return }
        let start = position
        while position < pieces.count, !HTMLTag.ends(tag.name, pieces, at: position) { position += 1 }
        guard tag.name == "style" else { return }
        look(at: start..<position, isSheet: true)
    }

    private mutating func note(_ faults: [ElementStack.Fault]) {
        for fault in faults {
            switch fault {
            case .unclosed(let element): found.note(.unclosedElement, at: element.offset, "<\(element.name)> is not closed")
            case .stray(let name, let offset): found.note(.strayEndTag, at: offset, "</\(name)> ends nothing")
            case .tooDeep(let offset):
                found.note(.tooDeep, at: offset, "more than \(ElementStack.deepest) elements are open here")
            }
        }
    }
}

extension HTMLLint {
    /// Where a link leads, as far as the template says.
    struct LinkTarget {
        var text = ""
        /// The address of one of the tracker's pages where people unsubscribe.
        var isPage = false

        init() {}

        init(_ pieces: [HTMLText.Piece]) {
            text = String(decoding: pieces.prefix(2000).map { $0.byte ?? UInt8(ascii: "*") }, as: UTF8.self)
            isPage = pieces.contains {
                guard case .tag(let token) = $0, case .variable(let name, _) = token.kind, let page = TrackerPage(rawValue: name) else {
                    return false
                }
                return page != .view
            }
        }
    }

    private mutating func look(at tag: HTMLTag, _ begin: Int) {
        if let id = tag.value(of: "id") { ids.insert(LinkTarget(id).text) }
        if let support = ClientSupport.element(tag.name), tag.name != "link" || Self.isSheet(tag) {
            note(support, "<\(tag.name)>", at: begin)
        }
        if let style = tag.value(of: "style") { look(at: style.map { $0.byte ?? UInt8(ascii: "x") }, isSheet: false) { _ in begin } }
        switch tag.name {
        case "a", "area": follow(tag, begin)
        case "img":
            if tag.value(of: "alt") == nil { found.note(.imageWithoutAlt, at: begin, "<img> has no alt") }
            let address = LinkTarget(tag.value(of: "src") ?? []).text
            if let support = ClientSupport.image(address) { note(support, "the image \(Self.short(address))", at: begin) }
            noteInsecure(address, at: begin)
        default: break
        }
    }

    private static func isSheet(_ tag: HTMLTag) -> Bool {
        LinkTarget(tag.value(of: "rel") ?? []).text.lowercased().contains("stylesheet")
    }

    private mutating func follow(_ tag: HTMLTag, _ begin: Int) {
        if tag.name == "a", let name = tag.value(of: "name") { ids.insert(LinkTarget(name).text) }
        guard let pieces = tag.value(of: "href") else { return }
        let target = LinkTarget(pieces)
        if target.text.hasPrefix("#"), !target.text.contains("*") { anchors.append((String(target.text.dropFirst()), begin)) }
        noteInsecure(target.text, at: begin)
        (link, linkTarget, linkText) = (begin, target, [])
        if tag.name == "area" { closeLink() }
    }

    private mutating func noteInsecure(_ address: String, at begin: Int) {
        if address.lowercased().hasPrefix("http://") { found.note(.insecureLink, at: begin, "\(Self.short(address)) is no https://") }
    }

    private mutating func closeLink() {
        guard let begin = link else { return }
        if linkTarget.isPage {
            unsubscribing.byTracker = true
        } else if UnsubscribeWords.areIn(linkTarget.text) || UnsubscribeWords.areIn(String(decoding: linkText, as: UTF8.self)) {
            unsubscribing.own = unsubscribing.own ?? begin
        }
        link = nil
    }

    private mutating func look(at range: Range<Int>, isSheet: Bool) {
        let begin = range.lowerBound
        look(at: pieces[range].map { $0.byte ?? UInt8(ascii: "x") }, isSheet: isSheet) { [offsets] in offsets[begin + $0] }
    }

    private mutating func look(at css: [UInt8], isSheet: Bool, _ place: (Int) -> Int) {
        for (offset, part) in StyleScan.run(css, isSheet: isSheet) {
            switch part {
            case .atRule(let name):
                if let support = ClientSupport.atRule(name) { note(support, "@\(name)", at: place(offset)) }
            case .declaration(let name, let value):
                for support in ClientSupport.declaration(name, value) {
                    var what = name
                    if case .function(let function) = support.feature { what = "\(function)()" }
                    if case .property(_, let values, _) = support.feature, !values.isEmpty { what = "\(name): \(value.prefix(20))" }
                    note(support, what, at: place(offset))
                }
            }
        }
    }

    private mutating func note(_ support: ClientSupport, _ what: String, at offset: Int) {
        found.note(
            .unsupported, at: offset, "\(what) does not work in \(support.clients)", kind: support.page, do: support.advice)
    }

    private static func short(_ address: String) -> String { address.count > 60 ? "\(address.prefix(60))…" : address }
}

/// Words by which a link says that it unsubscribes.
enum UnsubscribeWords {
    private static let words = [
        "unsubscribe", "unsub", "opt-out", "opt out", "optout", "abmeld", "abbestell", "désabonn", "desabonn", "désinscri", "desinscri",
        "disiscri", "darse de baja", "cancelar la suscrip", "afmeld", "uitschrijv", "wypisz", "cancelar inscri", "отписа", "відписа",
    ]

    static func areIn(_ text: String) -> Bool {
        let text = text.lowercased()
        return words.contains { text.contains($0) }
    }
}
