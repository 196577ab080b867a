import Model

/// One text of a message, ready in both forms in which it may go out. A class, because it is large and every message asks for it.
final class BodyPart: Sendable {
    /// Content-Transfer-Encoding of RFC 2045.
    enum Encoding: Sendable, Equatable {
        case sevenBit, eightBit, quotedPrintable

        var name: String {
            switch self {
            case .sevenBit: "7bit"
            case .eightBit: "8bit"
            case .quotedPrintable: "quoted-printable"
            }
        }
    }

    let form: MessageForm
    /// The part's headers, up to the name of its encoding.
    private let header: [UInt8]
    private let plain: CompiledTemplate
    /// The columns that the part uses.
    var columns: [Int] { plain.columns }

    var isNested: Bool { plain.isNested }

    func names(_ page: TrackerPage) -> Bool { plain.names(page) }
    private let quoted: CompiledTemplate
    /// The template's own text is ASCII.
    private let isASCII: Bool
    /// The most bytes of template text that one line can have.
    private let longestText: Int
    /// The most fields that one line can have.
    private let mostFields: Int
    /// The most bytes that escaping makes of one.
    private let expansion: Int
    /// What is written is not known from the values: JSON escapes and entities hide it.
    private let isMeasured: Bool

    /// The longest line of 7bit and 8bit (RFC 5322 section 2.1.1), without its CRLF.
    private static let lineLimit = 998

    init(
        _ tokens: [TemplateToken], of source: TemplateSource, fields: FieldNames, escaping: Escaping, tracking: MessageTracking? = nil
    ) throws(TemplateError) {
        form = escaping == .html ? .html : .text
        let subtype = escaping == .html ? "html" : "plain"
        header = Array("Content-Type: text/\(subtype); charset=utf-8\r\nContent-Transfer-Encoding: ".utf8)
        plain = try CompiledTemplate(tokens, of: source, fields: fields, form: .wire(escaping))
        quoted = try CompiledTemplate(tokens, of: source, fields: fields, form: .quoted(escaping))
        isASCII = plain.literals.allSatisfy { $0 < 0x80 }
        (longestText, mostFields) = plain.longestLine(linkOverhead: tracking?.overhead ?? 0)
        let rules = plain.valueForms
        let longest = rules.contains(.placed(.unquotedCSS, .wire)) ? "\\3b&#32;" : rules.contains { $0 != .wire } ? "&quot;" : " "
        expansion = longest.utf8.count
        isMeasured = plain.isNested || rules.contains(.placed(.htmlToText, .wire))
    }

    /// The template's text contains this.
    func contains(_ text: [UInt8]) -> Bool {
        plain.literals.indices.contains { plain.literals[$0...].starts(with: text) }
    }

    /// The plainest encoding in which the part can go out to a server that takes 8 bit or does not.
    /// - Parameter scratch: room to try it in; left as it was.
    func encoding(_ row: RowValues, width: Int, _ message: TrackedMessage?, eightBit: Bool, scratch: inout [UInt8]) -> Encoding {
        if longestText > Self.lineLimit { return .quotedPrintable }
        var isASCII = isASCII
        var longest = 0
        for column in plain.columns {
            let value = row[column]
            longest = max(longest, value.count)
            if isASCII, value.contains(where: { $0 >= 0x80 }) { isASCII = false }
        }
        if isMeasured || longestText + mostFields * longest * expansion > Self.lineLimit {
            let start = scratch.count
            plain.render(row, width: width, message, into: &scratch)
            let (isShort, sawOnlyASCII) = Self.measure(scratch, from: start)
            isASCII = sawOnlyASCII
            scratch.removeLast(scratch.count - start)
            if !isShort { return .quotedPrintable }
        }
        return isASCII ? .sevenBit : eightBit ? .eightBit : .quotedPrintable
    }

    /// Whether no line from here on is too long, and whether all is ASCII.
    private static func measure(_ bytes: [UInt8], from start: Int) -> (isShort: Bool, isASCII: Bool) {
        var isShort = true
        var bits: UInt8 = 0
        var lineStart = start
        for index in start..<bytes.count {
            let byte = bytes[index]
            bits |= byte
            guard byte == UInt8(ascii: "\n") else { continue }
            // Before it stands its CR.
            if index - 1 - lineStart > lineLimit { isShort = false }
            lineStart = index + 1
        }
        return (isShort && bytes.count - lineStart <= lineLimit, bits < 0x80)
    }

    /// The part's text with line feeds, without what SMTP adds.
    func reading(_ row: RowValues, width: Int, _ message: TrackedMessage?) -> [UInt8] {
        var written: [UInt8] = []
        plain.render(row, width: width, message, into: &written)
        return MessageForm.unstuffed(written).filter { $0 != UInt8(ascii: "\r") }
    }

    /// Appends the part: its headers, an empty line, and its text, whose last line it ends.
    func write(_ row: RowValues, width: Int, _ message: TrackedMessage?, as encoding: Encoding, into out: inout [UInt8]) {
        out.append(contentsOf: header)
        out.append(contentsOf: encoding.name.utf8)
        out.append(contentsOf: "\r\n\r\n".utf8)
        if encoding == .quotedPrintable {
            quoted.render(row, width: width, message, into: &out)
            if out.last != UInt8(ascii: "\n") { out.endQuotedLine() }
        } else {
            plain.render(row, width: width, message, into: &out)
            if out.last != UInt8(ascii: "\n") { out.append(contentsOf: "\r\n".utf8) }
        }
    }
}

extension CompiledTemplate {
    /// How the values are written.
    fileprivate var valueForms: [ValueForm] {
        var (forms, index): ([ValueForm], Int) = ([], 0)
        while index < segments.count {
            switch segments[index] {
            case .field(_, let form), .reference(_, let form): forms.append(form)
            case .link(let number): index = links[Int(number)].origin - 1
            default: break
            }
            index += 1
        }
        return forms
    }

    /// The bytes of literals and the fields of some segments.
    private func size(of range: Range<Int>) -> (bytes: Int, fields: Int) {
        segments[range].reduce(into: (bytes: 0, fields: 0)) { size, segment in
            switch segment {
            case .literal(let start, let end): size.bytes += Int(end - start)
            case .field, .reference: size.fields += 1
            default: break
            }
        }
    }

    /// The most bytes of literals, and the most fields, that one line can have, whichever sections are shown;
    /// of templates that repeat sections, only what one showing can bring.
    /// - Parameter linkOverhead: the bytes by which a link that is counted may be longer than four thirds of its target.
    fileprivate func longestLine(linkOverhead: Int) -> (bytes: Int, fields: Int) {
        var longest = (bytes: 0, fields: 0)
        var line = longest
        // The line as it stands where a section is skipped, by the section's end.
        var skipped: [Int: (bytes: Int, fields: Int)] = [:]
        func raise() { longest = (max(longest.bytes, line.bytes), max(longest.fields, line.fields)) }
        var behindTarget = 0
        for (index, segment) in segments.enumerated() where index >= behindTarget {
            if let other = skipped[index] { line = (max(line.bytes, other.bytes), max(line.fields, other.fields)) }
            switch segment {
            case .literal(let start, let end), .dotLiteral(let start, let end), .quotedLiteral(let start, let end):
                for byte in literals[Int(start)..<Int(end)] {
                    if byte == UInt8(ascii: "\n") { line = (0, 0) } else { line.bytes += 1 }
                    if line.bytes > longest.bytes { longest.bytes = line.bytes }
                }
            case .field, .reference: line.fields += 1
            case .link(let number):
                behindTarget = links[Int(number)].origin
                let target = size(of: index + 1..<behindTarget)
                line = (line.bytes + linkOverhead + target.bytes * 4 / 3, line.fields + target.fields * 2)
            case .pixel, .tracker: line.bytes += linkOverhead * 2
            case .section(_, let end), .inverted(_, let end), .nestedSection(_, let end), .nestedInverted(_, let end):
                let other = skipped[Int(end)] ?? (0, 0)
                skipped[Int(end)] = (max(line.bytes, other.bytes), max(line.fields, other.fields))
            }
            raise()
        }
        return longest
    }
}
