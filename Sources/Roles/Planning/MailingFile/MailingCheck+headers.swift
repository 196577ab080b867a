import Model
import Templates

extension MailingCheck {
    /// Bytes of `preheader` and `reply_to` at most: mail programs show some hundred characters.
    private static let longestLine = 1000

    /// `reply_to:`; with merge fields in it, it is judged for each recipient.
    mutating func replyTo() -> String {
        guard let text = text("reply_to") else { return "" }
        guard text.contains("{{") else { return mailbox("reply_to", text) }
        check(line: text, "reply_to")
        return text
    }

    /// `preheader:`, one line for the HTML.
    mutating func preheader() -> Mailing.Template? {
        guard let entry = entry("preheader"), let text = scalar(entry, key: "preheader") else { return nil }
        check(line: text, "preheader")
        if self.entry("html") == nil { report(entry, at: entry.keyPlace, "stands in the HTML, and the mailing has none; add html") }
        return Mailing.Template(source: text, file: document.path, line: entry.place.line)
    }

    private mutating func check(line text: String, _ key: String) {
        if text.utf8.count > Self.longestLine { report(entry(key), "is longer than \(Self.longestLine) bytes") }
        if text.unicodeScalars.contains(where: { [.control, .lineSeparator, .paragraphSeparator].contains($0.properties.generalCategory) })
        {
            report(entry(key), "has a line break or another control character in it; it is one line")
        }
    }

    /// `headers:`, a mapping of names to templates; nil where there are none.
    mutating func headers() -> [Mailing.Header]? {
        guard let entry = entry("headers") else { return nil }
        guard case .mapping(let entries) = entry.value else {
            report(entry, "must be a mapping: {List-Id: <news.example.com>, X-Campaign: spring}")
            return nil
        }
        if entries.count > OwnHeaders.most { report(entry, "has more than \(OwnHeaders.most) headers") }
        var headers: [Mailing.Header] = []
        for inner in entries.prefix(OwnHeaders.most) {
            let key = "headers.\(inner.key)"
            if let fault = OwnHeaders.fault(ofName: inner.key) {
                report(inner, key: key, at: inner.keyPlace, fault)
            } else if headers.contains(where: { $0.name.lowercased() == inner.key.lowercased() }) {
                report(inner, key: key, at: inner.keyPlace, "is there twice")
            } else if let value = scalar(inner, key: key) {
                let template = Mailing.Template(source: value, file: document.path, line: inner.place.line)
                headers.append(Mailing.Header(name: inner.key, value: template))
            }
        }
        for (header, inner) in headers.compactMap({ header in entries.first { $0.key == header.name }.map { (header, $0) } }) {
            if let fault = OwnHeaders.fault(of: header, among: headers) { report(inner, key: "headers.\(header.name)", fault) }
        }
        return headers.isEmpty ? nil : headers
    }
}
