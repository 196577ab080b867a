import Text

typealias Bytes = UnsafeBufferPointer<UInt8>

extension [UInt8] {
    /// Appends a value in the form that its place asks for.
    @inline(__always)
    mutating func append(_ value: Bytes, as form: ValueForm) {
        guard !value.isEmpty else { return }
        switch form {
        case .verbatim: append(contentsOf: value)
        case .html: appendHTMLEscaped(value)
        case .json: appendJSONEscaped(value)
        case .header: appendHeader(value)
        case .wire: appendWire(value, html: false)
        case .wireHTML: appendWire(value, html: true)
        case .quoted: appendQuoted(value)
        case .quotedHTML: appendQuotedHTML(value)
        case .placed(let rule, let body): append(value, by: rule, in: body)
        }
    }

    /// C0 and C1 controls, DEL, U+2028 and U+2029 end a line or a field for one reader or another.
    mutating func appendHeader(_ value: Bytes) {
        var index = 0
        var inControls = false
        while index < value.count {
            let byte = value[index]
            let next = index + 1 < value.count ? value[index + 1] : 0
            let afterNext = index + 2 < value.count ? value[index + 2] : 0
            let width: Int
            if byte < 0x20 || byte == 0x7f {
                width = 1
            } else if byte == 0xc2, (0x80..<0xa0).contains(next) {
                width = 2
            } else if byte == 0xe2, next == 0x80, afterNext == 0xa8 || afterNext == 0xa9 {
                width = 3
            } else {
                width = 0
            }
            if width == 0 {
                append(byte)
            } else if !inControls {
                append(UInt8(ascii: " "))
            }
            inControls = width > 0
            index += Swift.max(width, 1)
        }
    }

    mutating func appendWire(_ value: Bytes, html: Bool) {
        if value[0] == UInt8(ascii: "."), last == UInt8(ascii: "\n") { append(UInt8(ascii: ".")) }
        var start = 0
        for index in 0..<value.count {
            let byte = value[index]
            guard byte <= 0x3e, byte < 0x0e || html && byte.isHTMLSpecial else { continue }
            if byte != 0, byte < 0x0e, byte != 0x0d, byte != 0x0a { continue }
            append(contentsOf: Bytes(rebasing: value[start..<index]))
            start = index + 1
            switch byte {
            case 0: break
            case 0x0a where index > 0 && value[index - 1] == 0x0d: break
            case 0x0d, 0x0a:
                append(0x0d)
                append(0x0a)
            default: appendHTMLEntity(of: byte)
            }
            if start < value.count, value[start] == UInt8(ascii: "."), last == UInt8(ascii: "\n") {
                append(UInt8(ascii: "."))
            }
        }
        append(contentsOf: Bytes(rebasing: value[start..<value.count]))
    }

    private mutating func appendQuotedHTML(_ value: Bytes) {
        guard value.contains(where: \.isHTMLSpecial) else { return appendQuoted(value) }
        var escaped: [UInt8] = []
        escaped.appendHTMLEscaped(value)
        escaped.withUnsafeBufferPointer { appendQuoted($0) }
    }
}
