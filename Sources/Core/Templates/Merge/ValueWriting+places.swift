import Text

extension [UInt8] {
    /// Appends a value by the rule of its place.
    mutating func append(_ value: Bytes, by rule: PlaceRule, in body: BodyForm) {
        switch (body, rule) {
        case (.plain, _): append(value, by: rule)
        case (.wire, .queryOfURL), (.wire, .pathOfURL):
            // They make no line end, so only their first byte may have to be doubled.
            if value[0] == UInt8(ascii: "."), last == UInt8(ascii: "\n") { append(UInt8(ascii: ".")) }
            append(value, by: rule)
        case (.wire, _), (.quoted, _):
            var written: [UInt8] = []
            written.append(value, by: rule)
            written.withUnsafeBufferPointer { append($0, as: body == .wire ? .wire : .quoted) }
        }
    }

    /// What parts values of JSON: outside of a string a value is one number or word.
    private static var jsonSigns: StaticString { ",:{}[]" }

    private mutating func append(_ value: Bytes, by rule: PlaceRule) {
        switch rule {
        case .unquotedAttribute: appendUnquotedAttribute(value)
        case .htmlURL, .url: appendWholeURL(value, html: rule == .htmlURL)
        case .htmlRestOfURL, .restOfURL: appendURL(value, html: rule == .htmlRestOfURL)
        case .pathOfURL: appendPercentEncoded(value, keeping: "/@!$()*,;+")
        case .queryOfURL: appendPercentEncoded(value, keeping: "")
        case .script: appendJSONEscaped(value, alsoEscaping: "\"'<>&`")
        case .css: appendCSS(value)
        case .unquotedCSS:
            var escaped: [UInt8] = []
            escaped.appendCSS(value)
            escaped.withUnsafeBufferPointer { appendUnquotedAttribute($0) }
        case .jsonScalar: appendJSONEscaped(value, alsoEscaping: Self.jsonSigns)
        case .jsonInForm, .jsonScalarInForm:
            var escaped: [UInt8] = []
            escaped.appendJSONEscaped(value, alsoEscaping: rule == .jsonInForm ? "" : Self.jsonSigns)
            escaped.withUnsafeBufferPointer { appendPercentEncoded($0, keeping: "") }
        case .xml: appendXMLEscaped(value)
        case .cdata: appendCDATA(value)
        case .htmlToText: append(contentsOf: HTMLText.text(of: value))
        }
    }

    /// Appends a value as a part of a URL: all but unreserved characters (RFC 3986 section 2.3) is percent-encoded.
    private mutating func appendPercentEncoded(_ value: Bytes, keeping kept: StaticString) {
        for byte in value {
            if byte.isUnreserved || kept.contains(byte) { append(byte) } else { appendPercent(byte) }
        }
    }

    private mutating func appendPercent(_ byte: UInt8) {
        append(UInt8(ascii: "%"))
        append(.hexadecimalDigit(byte >> 4))
        append(.hexadecimalDigit(byte & 15))
    }

    /// Appends a value that may be a whole URL. `#` stands for one whose scheme could run a script.
    private mutating func appendWholeURL(_ value: Bytes, html: Bool) {
        let first = value.firstIndex { $0 > 0x20 } ?? value.count
        let end = value.lastIndex { $0 > 0x20 }.map { $0 + 1 } ?? value.count
        guard first < end else { return }
        let url = Bytes(rebasing: value[first..<end])
        guard URLScheme.isHarmless(url) else { return append(UInt8(ascii: "#")) }
        appendURL(url, html: html)
    }

    /// Appends a URL or the rest of one; what no URL holds is percent-encoded.
    private mutating func appendURL(_ url: Bytes, html: Bool) {
        for byte in url {
            switch byte {
            case ...0x20, 0x7f, UInt8(ascii: "`"): appendPercent(byte)
            case _ where html && byte.isHTMLSpecial: appendHTMLEntity(of: byte)
            case UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\""): appendPercent(byte)
            default: append(byte)
            }
        }
    }

    /// Appends a value as an attribute without quotes, of which it ends none.
    private mutating func appendUnquotedAttribute(_ value: Bytes) {
        for byte in value {
            switch byte {
            case ...0x20, UInt8(ascii: "="), UInt8(ascii: "`"): append(contentsOf: "&#\(byte);".utf8)
            case _ where byte.isHTMLSpecial: appendHTMLEntity(of: byte)
            default: append(byte)
            }
        }
    }

    /// Appends a value as a part of CSS: of a string, or of a declaration that it does not end and in which it calls no function (CSS
    /// Syntax Level 3 section 4.3.7). Colours, lengths and names stay what they are; whatever else is ASCII is escaped, with a blank that
    /// ends the escape. Nothing of it is special in HTML.
    private mutating func appendCSS(_ value: Bytes) {
        for byte in value {
            if byte >= 0x80 || byte.isLetterOrDigit || ("#.,%+-_ " as StaticString).contains(byte) {
                append(byte)
            } else {
                append(UInt8(ascii: "\\"))
                append(.hexadecimalDigit(byte >> 4))
                append(.hexadecimalDigit(byte & 15))
                append(UInt8(ascii: " "))
            }
        }
    }

    /// Appends a value as in a JSON string, with further characters and line separators as `\u` escapes.
    private mutating func appendJSONEscaped(_ value: Bytes, alsoEscaping escaped: StaticString) {
        var start = 0
        func pass(_ end: Int, _ out: inout [UInt8]) {
            guard start < end else { return }
            out.appendJSONEscaped(Bytes(rebasing: value[start..<end]))
        }
        for (index, byte) in value.enumerated() {
            if escaped.contains(byte) {
                pass(index, &self)
                append(contentsOf: "\\u00".utf8)
                append(.hexadecimalDigit(byte >> 4))
                append(.hexadecimalDigit(byte & 15))
                start = index + 1
            } else if byte & 0xfe == 0xa8, index >= 2, value[index - 1] == 0x80, value[index - 2] == 0xe2 {
                pass(index - 2, &self)
                append(contentsOf: (byte == 0xa8 ? "\\u2028" : "\\u2029").utf8)
                start = index + 1
            }
        }
        pass(value.count, &self)
    }

    /// Appends a value as text or attribute of XML. White space is written so that no reader changes it (XML 1.0 sections 2.11 and
    /// 3.3.3); characters that XML cannot hold (section 2.2) are dropped.
    private mutating func appendXMLEscaped(_ value: Bytes) {
        for index in value.indices where !value.isOutsideXML(index) {
            let byte = value[index]
            switch byte {
            case ..<0x20: append(contentsOf: "&#\(byte);".utf8)
            case _ where byte.isHTMLSpecial: appendHTMLEntity(of: byte)
            default: append(byte)
            }
        }
    }

    /// Appends a value as a part of a CDATA section, which continues in another after each `]`.
    private mutating func appendCDATA(_ value: Bytes) {
        for index in value.indices where !value.isOutsideXML(index) {
            append(value[index])
            if value[index] == UInt8(ascii: "]") { append(contentsOf: "]]><![CDATA[".utf8) }
        }
    }
}

extension Bytes {
    /// The byte is of a character that XML 1.0 cannot hold: a control, U+FFFE or U+FFFF.
    fileprivate func isOutsideXML(_ index: Int) -> Bool {
        let byte = self[index]
        if byte < 0x20 { return byte != 0x09 && byte != 0x0a && byte != 0x0d }
        guard byte >= 0xbe else { return false }
        for start in Swift.max(0, index - 2)...index
        where self[start] == 0xef && start + 2 < count && self[start + 1] == 0xbf && self[start + 2] >= 0xbe { return true }
        return false
    }
}

extension UInt8 {
    /// An unreserved character of URLs (RFC 3986 section 2.3).
    fileprivate var isUnreserved: Bool {
        switch self {
        case _ where isLetterOrDigit, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): true
        default: false
        }
    }
}

extension StaticString {
    /// Contains an ASCII character.
    fileprivate func contains(_ byte: UInt8) -> Bool {
        for index in 0..<utf8CodeUnitCount where utf8Start[index] == byte { return true }
        return false
    }
}
