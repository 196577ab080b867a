import Text

/// Finds the reason that a provider gives in the body of a refusal, for people: one line without control characters.
enum HTTPErrorText {
    /// Bytes that a response keeps.
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
                if let text = member.text(in: body), !text.isEmpty { return SingleLine.clean(text.utf8, longest: longest) }
            }
            return SingleLine.clean(body, longest: longest)
        case UInt8(ascii: "<"): return SingleLine.clean(title(in: body), longest: longest)
        default: return SingleLine.clean(body, longest: longest)
        }
    }

    /// A body as one line without control characters, in which rules look for what they know.
    static func all(of body: [UInt8]) -> String { SingleLine.clean(body, longest: HTTPTransfer.bodyLimit) }

    /// A body without the byte order mark that some servers put before their JSON (RFC 8259 section 8.1 lets readers skip it).
    static func withoutMark(_ body: [UInt8]) -> [UInt8] { body.starts(with: [0xef, 0xbb, 0xbf]) ? Array(body.dropFirst(3)) : body }

    private static func title(in page: [UInt8]) -> [UInt8] {
        let head = page.prefix(4 * longest)
        guard let start = position(of: "<title>", in: head), let end = position(of: "</title>", in: head[start...])
        else { return [] }
        return Array(head[start + 7..<end])
    }

    private static func position(of tag: String, in text: ArraySlice<UInt8>) -> Int? {
        let tag = Array(tag.utf8)
        return text.indices.first { start in
            text[start...].prefix(tag.count).elementsEqual(tag) { $0.lowercased == $1.lowercased }
        }
    }
}
