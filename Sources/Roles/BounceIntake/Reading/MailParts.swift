import Text

/// What a mail that came to us has that we look at: its header, the fields of its delivery report, and those of the message that came back.
/// It goes once through the lines; parts are found by the type that their header names, however they are nested.
struct MailParts {
    private(set) var header = MailFields()
    /// The groups of fields of `message/delivery-status`: of the message, then of each recipient (RFC 3464 section 2.1).
    private(set) var status: [MailFields] = []
    /// The fields of `message/feedback-report` (RFC 5965 section 3.1).
    private(set) var feedback = MailFields()
    /// The header of the message that came back.
    private(set) var returned = MailFields()
    /// The first lines of the text, for bounces without a report.
    private(set) var lines: [String] = []

    private enum Place {
        case header, text, status, feedback, returned
    }

    private static let mostGroups = 100
    private static let mostLines = 200

    init(_ head: [UInt8]) {
        let text = String(decoding: head, as: UTF8.self)
        var place = Place.header
        var group = MailFields()
        var next: Place?
        // The blank line behind a part's header has not come yet.
        var isPartHeader = false
        for line in text[...].utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            let isBlank = line.isEmpty
            if place == .header {
                if isBlank || !header.take(line) { place = .text }
                continue
            }
            if line.starts(with: "--".utf8), place != .text || line.count > 4 {
                add(&group)
                (place, next, isPartHeader) = (.text, nil, false)
                continue
            }
            if place == .text {
                if let found = Self.place(ofPart: line) { (next, isPartHeader) = (found, true) }
                if isBlank, isPartHeader, let place_ = next { (place, next, isPartHeader) = (place_, nil, false) } else { keep(line) }
                continue
            }
            if isBlank {
                // White space may stand before the first group, and ends a header.
                if place == .status { add(&group) } else if place == .returned ? !returned.isEmpty : !feedback.isEmpty { place = .text }
                continue
            }
            switch place {
            case .status: _ = group.take(line)
            case .feedback: _ = feedback.take(line)
            case .returned: _ = returned.take(line)
            case .header, .text: break
            }
        }
        add(&group)
    }

    private mutating func add(_ group: inout MailFields) {
        if !group.isEmpty, status.count < Self.mostGroups { status.append(group) }
        group = MailFields()
    }

    private mutating func keep(_ line: Substring.UTF8View.SubSequence) {
        guard lines.count < Self.mostLines, !line.isEmpty else { return }
        let text = SingleLine.clean(line, longest: 998)
        if !text.isEmpty { lines.append(text) }
    }

    /// What follows behind the header of a part, by its Content-Type.
    private static func place(ofPart line: Substring.UTF8View.SubSequence) -> Place? {
        guard line.count < 200, line.first == UInt8(ascii: "C") || line.first == UInt8(ascii: "c") else { return nil }
        let text = String(decoding: line, as: UTF8.self).lowercased()
        guard text.hasPrefix("content-type:") else { return nil }
        let types: [(String, Place)] = [
            ("message/delivery-status", .status), ("message/global-delivery-status", .status), ("message/feedback-report", .feedback),
            ("message/rfc822", .returned), ("text/rfc822-headers", .returned), ("message/global", .returned),
        ]
        return types.first { text.contains($0.0) }?.1
    }
}
