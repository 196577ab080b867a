/// The reason in a response's body, for people: one line of at most 500 bytes without control characters.
enum ResponseText {
    static let longest = 500

    /// Where providers put their reasons; `detail` and `title` are those of RFC 9457.
    private static let members = [
        "error.message", "error", "message", "detail", "title", "error_description", "errors.0.message",
    ].map(JSONPath.init)

    /// Takes the first of the usual members of a JSON body, the title of an HTML page, or a plain text as it is.
    static func reason(in body: [UInt8]) -> String {
        switch body.first(where: { $0 > 0x20 }) {
        case nil: return ""
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            for member in members {
                if let text = member.text(in: body), !text.isEmpty { return line(text.utf8) }
            }
            return line(body)
        case UInt8(ascii: "<"): return line(title(in: body))
        default: return line(body)
        }
    }

    /// Cleans a text: runs of white space and control characters become one space, the rest is cut at 500 bytes.
    static func line(_ text: some Collection<UInt8>) -> String {
        var line = ""
        var pendingSpace = false
        for scalar in String(decoding: text.prefix(4 * longest), as: UTF8.self).unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator: pendingSpace = true
            default:
                let space = pendingSpace && !line.isEmpty
                guard line.utf8.count + (space ? 1 : 0) + scalar.utf8.count <= longest else { return line }
                if space { line.unicodeScalars.append(" ") }
                line.unicodeScalars.append(scalar)
                pendingSpace = false
            }
        }
        return line
    }

    private static func title(in page: [UInt8]) -> [UInt8] {
        let head = page.prefix(4 * longest)
        guard let start = position(of: "<title>", in: head), let end = position(of: "</title>", in: head[start...])
        else { return [] }
        return Array(head[start + 7..<end])
    }

    private static func position(of tag: String, in text: ArraySlice<UInt8>) -> Int? {
        let tag = Array(tag.utf8)
        return text.indices.first { start in
            text[start...].prefix(tag.count).elementsEqual(tag) { $0 | 0x20 == $1 | 0x20 }
        }
    }
}
