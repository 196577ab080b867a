import Model
import Templates

extension MailingCheck {
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
