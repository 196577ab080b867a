typealias Bytes = UnsafeBufferPointer<UInt8>

extension [UInt8] {
    /// Appends a value in the form that its place asks for.
    @inline(__always)
    mutating func append(_ value: Bytes, as form: ValueForm) {
        guard !value.isEmpty else { return }
        switch form {
        case .verbatim: append(contentsOf: value)
        case .html: appendHTML(value)
        case .json: appendJSON(value)
        case .header: appendHeader(value)
        case .wire: appendWire(value, html: false)
        case .wireHTML: appendWire(value, html: true)
        case .quoted: appendQuoted(value)
        case .quotedHTML: appendQuotedHTML(value)
        }
    }

    mutating func appendHTML(_ value: Bytes) {
        var start = 0
        for index in 0..<value.count where value[index].isHTMLSpecial {
            append(contentsOf: Bytes(rebasing: value[start..<index]))
            appendEntity(of: value[index])
            start = index + 1
        }
        append(contentsOf: Bytes(rebasing: value[start..<value.count]))
    }

    fileprivate mutating func appendEntity(of byte: UInt8) {
        switch byte {
        case UInt8(ascii: "&"): append(contentsOf: "&amp;".utf8)
        case UInt8(ascii: "<"): append(contentsOf: "&lt;".utf8)
        case UInt8(ascii: ">"): append(contentsOf: "&gt;".utf8)
        case UInt8(ascii: "\""): append(contentsOf: "&quot;".utf8)
        default: append(contentsOf: "&#39;".utf8)
        }
    }

    mutating func appendJSON(_ value: Bytes) {
        var start = 0
        for index in 0..<value.count {
            let byte = value[index]
            guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
            append(contentsOf: Bytes(rebasing: value[start..<index]))
            start = index + 1
            append(UInt8(ascii: "\\"))
            switch byte {
            case 0x0a: append(UInt8(ascii: "n"))
            case 0x0d: append(UInt8(ascii: "r"))
            case 0x09: append(UInt8(ascii: "t"))
            case 0..<0x20:
                append(contentsOf: "u00".utf8)
                append(.hexDigit(byte >> 4))
                append(.hexDigit(byte & 15))
            default: append(byte)
            }
        }
        append(contentsOf: Bytes(rebasing: value[start..<value.count]))
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
            default: appendEntity(of: byte)
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
        escaped.appendHTML(value)
        escaped.withUnsafeBufferPointer { appendQuoted($0) }
    }
}

extension UInt8 {
    fileprivate var isHTMLSpecial: Bool {
        switch self {
        case UInt8(ascii: "&"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\""), UInt8(ascii: "'"): true
        default: false
        }
    }

    /// The digit of a number below 16, in upper case as RFC 2045 wants it.
    static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") - 10 + value
    }
}
