extension [UInt8] {
    /// Appends UTF-8 as the inside of a JSON string (RFC 8259 section 7): quotes, backslashes and C0 controls become escapes.
    @inlinable
    public mutating func appendJSONEscaped(_ value: UnsafeBufferPointer<UInt8>) {
        var start = 0
        for index in 0..<value.count {
            let byte = value[index]
            guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
            append(contentsOf: UnsafeBufferPointer(rebasing: value[start..<index]))
            start = index + 1
            if byte >= 0x20 {
                append(UInt8(ascii: "\\"))
                append(byte)
            } else {
                appendJSONControl(byte)
            }
        }
        append(contentsOf: UnsafeBufferPointer(rebasing: value[start..<value.count]))
    }

    @usableFromInline
    mutating func appendJSONControl(_ byte: UInt8) {
        append(UInt8(ascii: "\\"))
        switch byte {
        case 0x0a: append(UInt8(ascii: "n"))
        case 0x0d: append(UInt8(ascii: "r"))
        case 0x09: append(UInt8(ascii: "t"))
        default:
            append(contentsOf: "u00".utf8)
            append(.lowercaseHexadecimalDigit(byte >> 4))
            append(.lowercaseHexadecimalDigit(byte & 15))
        }
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// Bytes that it takes inside a JSON string, at most: a control character counts as six.
    @inlinable public var jsonEscapedCount: Int {
        var extra = 0
        for byte in self { extra &+= byte < 0x20 ? 5 : byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") ? 1 : 0 }
        return count + extra
    }
}

extension String {
    /// Appends a text as a JSON string with its quotation marks. What a terminal may obey needs no escape in JSON from U+007F on; it
    /// gets one, so that a terminal that shows the text stays harmless.
    package mutating func appendJSONString(_ text: String) {
        self += "\""
        if text.utf8.allSatisfy({ 0x20..<0x7f ~= $0 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
            self += text
        } else {
            for scalar in text.unicodeScalars { appendJSONEscaped(scalar) }
        }
        self += "\""
    }

    /// The text as a JSON string with its quotation marks.
    package var jsonString: String {
        var out = ""
        out.reserveCapacity(utf8.count + 2)
        out.appendJSONString(self)
        return out
    }

    private mutating func appendJSONEscaped(_ scalar: Unicode.Scalar) {
        switch scalar.value {
        case 0x22, 0x5c:
            self += "\\"
            unicodeScalars.append(scalar)
        case 0..<0x20:
            var bytes: [UInt8] = []
            bytes.appendJSONControl(UInt8(scalar.value))
            self += String(decoding: bytes, as: UTF8.self)
        case _ where scalar.isTerminalControl: self += scalar.jsonEscape
        default: unicodeScalars.append(scalar)
        }
    }
}

extension Unicode.Scalar {
    /// A scalar below U+10000 as an escape of JSON: `\u009b`.
    package var jsonEscape: String {
        let digits = String(value, radix: 16)
        return "\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
