import Text

/// Where a link's target stands in a template's tokens: from a byte of one to a byte of another.
struct LinkSpan {
    /// A place before a byte of a text token, or before a token that is no text.
    struct Place: Equatable {
        var token: Int
        var byte: Int
    }

    var begin: Place
    var end: Place
}

extension [TemplateToken] {
    /// The tokens with marks around those spans that are links to the web, in the order of the spans.
    /// - Parameters:
    ///   - source: where the tokens come from, for problems.
    ///   - pixel: where its mark is put, behind all spans; nil for none.
    ///   - decoding: reads the text of a target as it stands in the template.
    func marked(
        _ spans: [LinkSpan], of source: TemplateSource, in table: inout LinkTable, pixel: LinkSpan.Place? = nil,
        decoding: ([UInt8]) -> [UInt8]
    ) -> [TemplateToken] {
        var result: [TemplateToken] = []
        var place = LinkSpan.Place(token: 0, byte: 0)
        for span in spans {
            result += cut(place, span.begin)
            place = span.end
            let origin = cut(span.begin, span.end)
            let target = origin.map { $0.decoded(decoding) }.trimmed
            if target.isBalanced, target.mayLeadToTheWeb, let mark = table.add(target) {
                let offset = origin.first?.offset ?? 0
                result.append(TemplateToken(.link(mark), at: offset))
                result += target
                result.append(TemplateToken(.link(.origin), at: offset))
                result += origin
                result.append(TemplateToken(.link(.end), at: offset))
            } else {
                if let problem = target.first?.deadLink(in: source) { table.note(dead: problem) }
                result += origin
            }
        }
        if let pixel {
            result += cut(place, pixel) + [TemplateToken(.link(.pixel), at: 0)]
            place = pixel
        }
        return result + cut(place, LinkSpan.Place(token: count, byte: 0))
    }

    /// The tokens from one place to another, the outer ones in part.
    func cut(_ begin: LinkSpan.Place, _ end: LinkSpan.Place) -> [TemplateToken] {
        var result: [TemplateToken] = []
        for index in begin.token..<Swift.min(end.token + 1, count) {
            let (from, to) = (index == begin.token ? begin.byte : 0, index == end.token ? end.byte : Int.max)
            guard case .text(let bytes) = self[index].kind else {
                if from < to { result.append(self[index]) }
                continue
            }
            let part = bytes[from..<Swift.min(to, bytes.count)]
            if !part.isEmpty { result.append(TemplateToken(.text(Array<UInt8>(part)), at: self[index].offset + from)) }
        }
        return result
    }

    /// Without the blanks around a target, which a browser skips (URL Standard section 4.4).
    private var trimmed: Self {
        var result = self
        if let first = result.first, case .text(let bytes) = first.kind {
            let rest = Array<UInt8>(bytes.drop { $0 <= 0x20 })
            if rest.isEmpty { result.removeFirst() } else { result[0] = TemplateToken(.text(rest), at: first.offset) }
        }
        if let last = result.last, case .text(let bytes) = last.kind {
            let rest = Array<UInt8>(bytes.prefix((bytes.lastIndex { $0 > 0x20 } ?? -1) + 1))
            if rest.isEmpty { result.removeLast() } else { result[result.count - 1] = TemplateToken(.text(rest), at: last.offset) }
        }
        return result
    }

    /// Each section that begins here ends here.
    private var isBalanced: Bool {
        var open: [String] = []
        for token in self {
            switch token.kind {
            case .open(let name, _): open.append(name)
            case .close(let name): guard open.popLast() == name else { return false }
            case .text, .variable, .link: break
            }
        }
        return open.isEmpty
    }

    /// The target begins with `http:` or `https:` and a host that the template names, or with a value that may be such a target. A value
    /// that is a part of the host is not counted: whoever gave it would own an address of ours that leads to a host of his.
    private var mayLeadToTheWeb: Bool {
        for token in self {
            switch token.kind {
            case .open, .close, .link: continue
            // The pages of the tracker are no links to count.
            case .variable(let name, _): return TrackerPage(rawValue: name) == nil
            case .text(let bytes):
                return ["http://", "https://"].contains { scheme in
                    bytes.count >= scheme.utf8.count && zip(bytes, scheme.utf8).allSatisfy { $0.lowercased == $1 }
                        && (hasTextAlone || bytes.dropFirst(scheme.utf8.count).contains { "/?#".utf8.contains($0) })
                }
            }
        }
        return false
    }
}

extension [TemplateToken] {
    /// No value is in it.
    fileprivate var hasTextAlone: Bool {
        allSatisfy { token in
            if case .text = token.kind { true } else { false }
        }
    }
}

extension TemplateToken {
    /// What is wrong with a target that begins with this token, and that leads to no server; nil where nothing is.
    fileprivate func deadLink(in source: TemplateSource) -> TemplateError.Problem? {
        guard case .text(let bytes) = kind else { return nil }
        // A browser skips white space before a scheme, and takes a backslash for a slash (URL Standard section 4.4).
        let target = bytes.drop { $0 <= 0x20 }.prefix(200).map { $0 == UInt8(ascii: "\\") ? UInt8(ascii: "/") : $0.lowercased }
        if target.starts(with: "//".utf8) {
            return source.problem(
                at: offset, "a link to '//…' names no scheme: it is not counted, and mail programs cannot open it", "write https://")
        }
        guard let scheme = ["javascript", "vbscript", "data"].first(where: { target.starts(with: "\($0):".utf8) }) else { return nil }
        return source.problem(
            at: offset, "a link to '\(scheme):…' is not counted, and mail programs do not open it", "write a page's https:// address")
    }

    fileprivate func decoded(_ decoding: ([UInt8]) -> [UInt8]) -> TemplateToken {
        guard case .text(let bytes) = kind else { return self }
        return TemplateToken(.text(decoding(bytes)), at: offset)
    }
}
