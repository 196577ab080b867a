/// A record of `tag=value` with semicolons between (RFC 6376 section 3.2), as DKIM, DMARC and BIMI have it.
package struct TagList: Sendable, Equatable {
    /// In their order, names in lower case.
    private let tags: [(name: String, value: String)]
    /// A part without `=`, or a tag that stands twice.
    package let isMalformed: Bool

    package static func == (left: Self, right: Self) -> Bool {
        left.isMalformed == right.isMalformed && left.tags.elementsEqual(right.tags) { $0 == $1 }
    }

    package init(_ text: String) {
        var tags: [(name: String, value: String)] = []
        var isMalformed = false
        for part in text.split(separator: ";", omittingEmptySubsequences: false).map({ Self.trimmed($0) }) where !part.isEmpty {
            guard let sign = part.firstIndex(of: "=") else {
                isMalformed = true
                continue
            }
            let name = Self.trimmed(part[..<sign]).lowercased()
            if tags.contains(where: { $0.name == name }) { isMalformed = true }
            tags.append((name, String(Self.trimmed(part[part.index(after: sign)...]))))
        }
        self.tags = tags
        self.isMalformed = isMalformed
    }

    package subscript(name: String) -> String? { tags.first { $0.name == name }?.value }

    /// The first tag's name: where versions stand first.
    package var first: String? { tags.first?.name }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
