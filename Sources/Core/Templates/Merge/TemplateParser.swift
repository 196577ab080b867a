/// Cuts a template into text and tags, as the Mustache spec says: delimiters, comments, and lines that hold nothing but a
/// tag. Faults are collected, and the parser continues after them.
struct TemplateParser {
    private let source: TemplateSource
    private var open = Array("{{".utf8)
    private var close = Array("}}".utf8)
    private var position = 0
    private var tokens: [TemplateToken] = []
    private var problems: [TemplateError.Problem] = []

    private init(_ source: TemplateSource) { self.source = source }

    static func parse(_ source: TemplateSource) -> (tokens: [TemplateToken], problems: [TemplateError.Problem]) {
        var parser = TemplateParser(source)
        while parser.step() {}
        return (parser.tokens, parser.problems)
    }

    private var bytes: [UInt8] { source.bytes }

    private func find(_ pattern: [UInt8], from start: Int) -> Int? {
        guard let first = pattern.first else { return nil }
        var index = start
        while let found = bytes[min(index, bytes.count)...].firstIndex(of: first) {
            if bytes[found...].starts(with: pattern) { return found }
            index = found + 1
        }
        return nil
    }

    /// The first byte behind the white space of a tag, to which the no-break spaces of editors belong.
    private func endOfSpace(from start: Int) -> Int {
        var index = start
        while index < bytes.count {
            if bytes[index].isMustacheSpace {
                index += 1
            } else if bytes[index...].starts(with: [0xc2, 0xa0]) {
                index += 2
            } else if bytes[index...].starts(with: [0xe2, 0x80, 0x8b]) || bytes[index...].starts(with: [0xef, 0xbb, 0xbf]) {
                index += 3
            } else {
                break
            }
        }
        return index
    }

    /// Takes the text up to the next tag, and the tag; false at the end.
    private mutating func step() -> Bool {
        guard let start = find(open, from: position) else {
            addText(position..<bytes.count)
            return false
        }
        let first = endOfSpace(from: start + open.count)
        let sigil = first < bytes.count ? bytes[first] : 0
        let hasSigil = Self.sigils.contains(sigil)
        var closer = close
        if sigil == UInt8(ascii: "{") { closer.insert(UInt8(ascii: "}"), at: 0) }
        if sigil == UInt8(ascii: "=") { closer.insert(UInt8(ascii: "="), at: 0) }
        let contentStart = hasSigil ? first + 1 : start + open.count
        guard let contentEnd = find(closer, from: contentStart) else {
            addText(position..<start)
            let opener = String(decoding: open, as: UTF8.self)
            fail(
                at: start, "the tag that begins here with '\(opener)' has no end",
                "close it with '\(String(decoding: closer, as: UTF8.self))', or for a literal '\(opener)' change the "
                    + "delimiters: {{=<% %>=}}")
            return false
        }
        let content = String(decoding: bytes[contentStart..<contentEnd], as: UTF8.self)
        let name = String(content.drop(while: \.isTagSpace).reversed().drop(while: \.isTagSpace).reversed())
        var end = contentEnd + closer.count
        var textEnd = start
        if Self.standaloneSigils.contains(sigil), let line = standaloneLine(start, end) {
            textEnd = line.lowerBound
            end = line.upperBound
        }
        addText(position..<textEnd)
        position = end
        take(hasSigil ? sigil : 0, name, at: start)
        return true
    }

    private mutating func fail(at offset: Int, _ what: String, _ remedy: String) {
        guard problems.count < TemplateError.most else { return }
        problems.append(source.problem(at: offset, what, remedy))
    }

    private static let sigils = Array("#^/!&{=><$".utf8)
    private static let standaloneSigils = Array("#^/!=>".utf8)

    private mutating func take(_ sigil: UInt8, _ name: String, at start: Int) {
        func fail(_ what: String, _ remedy: String) { self.fail(at: start, what, remedy) }
        switch sigil {
        case UInt8(ascii: "!"): return
        case UInt8(ascii: "="): setDelimiters(name, at: start)
        case UInt8(ascii: ">"):
            fail("'{{>\(name)}}' is a partial, which is not supported", "put the partial's text in its place")
        case UInt8(ascii: "<"), UInt8(ascii: "$"):
            fail(
                "'{{\(Character(Unicode.Scalar(sigil)))\(name)}}' is template inheritance, which is not supported",
                "put the text in its place")
        case _ where name.isEmpty: fail("a tag without a name", "name a field, or remove the tag")
        case UInt8(ascii: "#"): tokens.append(TemplateToken(.open(name, inverted: false), at: start))
        case UInt8(ascii: "^"): tokens.append(TemplateToken(.open(name, inverted: true), at: start))
        case UInt8(ascii: "/"): tokens.append(TemplateToken(.close(name), at: start))
        case UInt8(ascii: "&"), UInt8(ascii: "{"):
            tokens.append(TemplateToken(.variable(name, escaped: false), at: start))
        default: tokens.append(TemplateToken(.variable(name, escaped: true), at: start))
        }
    }

    private mutating func setDelimiters(_ content: String, at start: Int) {
        let parts = content.split(whereSeparator: \.isWhitespace)
        guard parts.count == 2, !content.contains("=") else {
            return fail(
                at: start, "'\(content)' does not name two delimiters",
                "write two texts without '=' and with a space between them: {{=<% %>=}}")
        }
        open = Array(parts[0].utf8)
        close = Array(parts[1].utf8)
    }

    /// The whole line, with its end, of a tag that is alone on it; nil where anything else but white space is there.
    private func standaloneLine(_ start: Int, _ end: Int) -> Range<Int>? {
        var lower = start
        while lower > 0, bytes[lower - 1].isBlank { lower -= 1 }
        guard lower == 0 || bytes[lower - 1] == UInt8(ascii: "\n"), lower >= position else { return nil }
        var upper = end
        while upper < bytes.count, bytes[upper].isBlank { upper += 1 }
        if upper < bytes.count, bytes[upper] == UInt8(ascii: "\r") { upper += 1 }
        guard upper < bytes.count else { return upper == bytes.count ? lower..<upper : nil }
        return bytes[upper] == UInt8(ascii: "\n") ? lower..<(upper + 1) : nil
    }

    private mutating func addText(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        tokens.append(TemplateToken(.text(Array(bytes[range])), at: range.lowerBound))
    }
}

extension Character {
    /// White space, or a character without width that editors leave.
    fileprivate var isTagSpace: Bool { isWhitespace || self == "\u{200b}" || self == "\u{feff}" }
}

extension UInt8 {
    /// A space or a tab.
    var isBlank: Bool { self == 0x20 || self == 0x09 }
    fileprivate var isMustacheSpace: Bool { isBlank || self == 0x0a || self == 0x0d }
}
