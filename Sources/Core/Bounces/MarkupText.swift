/// The words of an HTML text, for mails that have no other.
enum MarkupText {
    private static let entities: [(String, UInt8)] = [
        ("&lt;", UInt8(ascii: "<")), ("&gt;", UInt8(ascii: ">")), ("&amp;", UInt8(ascii: "&")), ("&quot;", UInt8(ascii: "\"")),
        ("&nbsp;", UInt8(ascii: " ")), ("&#39;", UInt8(ascii: "'")), ("&#64;", UInt8(ascii: "@")),
    ]
    private static let breaks = ["br", "p", "/p", "div", "/div", "tr", "/tr", "li", "/li", "h1", "/h1", "h2", "/h2", "pre", "/pre"]

    /// - Returns: the text without tags, a line for each paragraph or break.
    static func plain(_ html: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(html.count)
        var index = 0
        while index < html.count {
            let byte = html[index]
            if byte == UInt8(ascii: "<"), let end = tagEnd(html, index) {
                let name = html[(index + 1)..<end].prefix { $0 != 0x20 && $0 != 0x0a && $0 != UInt8(ascii: ">") }.prefix(20)
                if breaks.contains(String(decoding: name, as: UTF8.self).lowercased()) { text.append(UInt8(ascii: "\n")) }
                index = end + 1
            } else if byte == UInt8(ascii: "&"), let (name, plain) = entities.first(where: { html[index...].starts(with: $0.0.utf8) }) {
                text.append(plain)
                index += name.utf8.count
            } else {
                text.append(byte)
                index += 1
            }
        }
        return text
    }

    /// Where a tag ends that begins here; nil for a lone `<`, such as that of an address.
    private static func tagEnd(_ html: [UInt8], _ start: Int) -> Int? {
        guard start + 1 < html.count else { return nil }
        let first = html[start + 1]
        let isTag =
            first == UInt8(ascii: "/") || first == UInt8(ascii: "!")
            || (first | 0x20) >= UInt8(ascii: "a") && (first | 0x20) <= UInt8(ascii: "z")
        guard isTag, let end = html[start...].prefix(2000).firstIndex(of: UInt8(ascii: ">")) else { return nil }
        return html[start..<end].contains(UInt8(ascii: "@")) && !html[start..<end].contains(UInt8(ascii: "=")) ? nil : end
    }
}
