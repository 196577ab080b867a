extension [UInt8] {
    /// Appends UTF-8 as text between HTML tags or in a quoted attribute: `&`, `<`, `>`, `"` and `'` become entities. It goes by
    /// bytes, so that a combining mark behind a `<` does not hide it.
    package mutating func appendHTMLEscaped(_ value: UnsafeBufferPointer<UInt8>) {
        var start = 0
        for index in 0..<value.count where value[index].isHTMLSpecial {
            append(contentsOf: UnsafeBufferPointer(rebasing: value[start..<index]))
            appendHTMLEntity(of: value[index])
            start = index + 1
        }
        append(contentsOf: UnsafeBufferPointer(rebasing: value[start..<value.count]))
    }

    /// Appends the entity of a byte for which `isHTMLSpecial` is true.
    package mutating func appendHTMLEntity(of byte: UInt8) {
        switch byte {
        case UInt8(ascii: "&"): append(contentsOf: "&amp;".utf8)
        case UInt8(ascii: "<"): append(contentsOf: "&lt;".utf8)
        case UInt8(ascii: ">"): append(contentsOf: "&gt;".utf8)
        case UInt8(ascii: "\""): append(contentsOf: "&quot;".utf8)
        default: append(contentsOf: "&#39;".utf8)
        }
    }
}

extension UInt8 {
    /// `&`, `<`, `>`, `"` and `'`.
    @inlinable public var isHTMLSpecial: Bool {
        switch self {
        case UInt8(ascii: "&"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\""), UInt8(ascii: "'"): true
        default: false
        }
    }
}

extension String {
    /// The text with `&`, `<`, `>`, `"` and `'` as entities.
    package var htmlEscaped: String {
        var bytes: [UInt8] = []
        var text = self
        text.withUTF8 { bytes.appendHTMLEscaped($0) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
