import Text

/// What a mail that came to us has that we look at: its header, the fields of its delivery report, those of the message that came back, and
/// its text. It goes once through the lines; parts are found by the type that their header names, however they are nested, so that neither
/// the depth of a mail nor a boundary that is missing matters.
package struct MailParts: Sendable {
    package private(set) var header = MailFields()
    /// The groups of fields of `message/delivery-status`: of the message, then of each recipient (RFC 3464 section 2.1).
    package private(set) var status: [MailFields] = []
    /// The fields of `message/feedback-report` (RFC 5965 section 3.1).
    package private(set) var feedback = MailFields()
    /// The header of the message that came back.
    package private(set) var returned = MailFields()
    /// The lines of the text up to the message that came back; a blank line is empty.
    package private(set) var lines: [String] = []

    private enum Place {
        case header, partHeader, text, status, feedback, returned, other
    }

    private static let mostGroups = 100
    private static let mostLines = 400
    private static let longestLine = 998

    /// - Parameter head: the first bytes of a mail, as many as are looked at.
    package init(_ head: [UInt8]) {
        var reader = PartReader()
        var start = 0
        while start < head.count {
            let end = head[start...].firstIndex(of: UInt8(ascii: "\n")) ?? head.count
            var line = head[start..<end]
            if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
            take(line, &reader)
            start = end + 1
        }
        finish(&reader)
    }

    /// The part that is being read.
    private struct PartReader {
        var place = Place.header
        var group = MailFields()
        var fields = MailFields()
        var encoding = TransferEncoding.none
        var body: [UInt8] = []
        var isHTML = false
        /// A text without markup was read: the same as HTML says nothing more.
        var hasPlainText = false
        var boundaries: [[UInt8]] = []
    }

    private mutating func take(_ line: MailFields.Line, _ reader: inout PartReader) {
        if reader.place == .header || reader.place == .partHeader {
            let isField = !line.isEmpty && reader.fields.take(line)
            if !isField { endHeader(&reader, line) }
            return
        }
        let edge = line.first == 0x20 ? line.drop { $0 == 0x20 } : line
        if edge.starts(with: "--".utf8), Self.isBoundary(edge, reader.boundaries) {
            finish(&reader)
            (reader.place, reader.fields) = (.partHeader, MailFields())
            return
        }
        switch reader.place {
        case .text where reader.body.count < Self.mostLines * Self.longestLine:
            reader.body.append(contentsOf: line)
            reader.body.append(UInt8(ascii: "\n"))
        case .status:
            // White space may stand before the first group.
            if line.allSatisfy({ $0 == 0x20 || $0 == 9 }) { add(&reader.group) } else { _ = reader.group.take(line) }
        case .feedback: if line.isEmpty, !feedback.isEmpty { reader.place = .other } else { _ = feedback.take(line) }
        case .returned: if line.isEmpty, !returned.isEmpty { reader.place = .other } else { _ = returned.take(line) }
        default: break
        }
    }

    /// A boundary that a header named (RFC 2046 section 5.1.1); where none did, a line that looks like one.
    private static func isBoundary(_ line: MailFields.Line, _ boundaries: [[UInt8]]) -> Bool {
        boundaries.contains { line.dropFirst(2).starts(with: $0) }
    }

    private mutating func endHeader(_ reader: inout PartReader, _ line: MailFields.Line) {
        let fields = reader.fields
        if reader.place == .header { header = fields }
        let type = fields["content-type"].lowercased()
        if let boundary = Self.boundary(fields["content-type"]), reader.boundaries.count < 100 { reader.boundaries.append(boundary) }
        reader.encoding = TransferEncoding(fields["content-transfer-encoding"])
        reader.isHTML = type.hasPrefix("text/html")
        reader.place = Self.place(type)
        if reader.place == .text, !line.isEmpty { take(line, &reader) }
    }

    private static func place(_ type: String) -> Place {
        let types: [(String, Place)] = [
            ("message/delivery-status", .status), ("message/global-delivery-status", .status), ("message/feedback-report", .feedback),
            ("message/rfc822", .returned), ("text/rfc822", .returned), ("message/global", .returned), ("message/partial", .returned),
            ("text/", .text), ("message/xdelivery-status", .status), ("multipart/", .text),
        ]
        return type.isEmpty ? .text : types.first { type.hasPrefix($0.0) }?.1 ?? (type.contains("/") ? .other : .text)
    }

    private static func boundary(_ type: String) -> [UInt8]? {
        guard type.lowercased().hasPrefix("multipart/"), let mark = type.lowercased().firstRange(of: "boundary=") else { return nil }
        var text = type[mark.upperBound...]
        if text.first == "\"" {
            text = text.dropFirst()
            text = text[..<(text.firstIndex(of: "\"") ?? text.endIndex)]
        } else {
            text = text.prefix { $0 != ";" && $0 != " " }
        }
        return text.isEmpty ? nil : Array(text.utf8.prefix(70))
    }

    /// Ends a part, and keeps what it says.
    private mutating func finish(_ reader: inout PartReader) {
        if reader.place == .header { header = reader.fields }
        add(&reader.group)
        guard reader.place == .text, !reader.body.isEmpty else { return }
        var text = reader.encoding.decode(reader.body)
        reader.body = []
        if reader.isHTML {
            if reader.hasPlainText { return }
            text = MarkupText.plain(text)
        }
        reader.hasPlainText = reader.hasPlainText || text.contains { $0 > 0x20 }
        if lines.last.map({ !$0.isEmpty }) == true { lines.append("") }
        for line in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).prefix(Self.mostLines) {
            guard lines.count < Self.mostLines else { return }
            lines.append(SingleLine.clean(line, longest: Self.longestLine))
        }
    }

    private mutating func add(_ group: inout MailFields) {
        if !group.isEmpty, status.count < Self.mostGroups { status.append(group) }
        group = MailFields()
    }
}
