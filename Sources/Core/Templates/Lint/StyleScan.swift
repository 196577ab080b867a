import Text

/// Finds the declarations and at-rules of CSS (CSS Syntax Level 3), well enough to know their names.
struct StyleScan {
    enum Found: Equatable {
        /// Both in small letters.
        case declaration(String, value: String)
        case atRule(String)
    }

    /// - Parameter isSheet: rules with selectors; else the value of a `style` attribute.
    /// - Returns: each with the byte at which it begins.
    static func run(_ css: [UInt8], isSheet: Bool) -> [(offset: Int, found: Found)] {
        var result: [(offset: Int, found: Found)] = []
        var (start, index, parentheses) = (0, 0, 0)
        func end(_ end: Int, closedBy mark: UInt8?) {
            guard let first = css[start..<end].firstIndex(where: { $0 > 0x20 }) else { return }
            let text = css[first..<end]
            if text.first == UInt8(ascii: "@") {
                let name = text.dropFirst().prefix { $0.isLetterOrDigit || $0 == UInt8(ascii: "-") }
                return result.append((first, .atRule(String(decoding: name, as: UTF8.self).lowercased())))
            }
            // What stands before a brace is a selector.
            guard mark != UInt8(ascii: "{"), let colon = text.firstIndex(of: UInt8(ascii: ":")) else { return }
            let name = text[..<colon].filter { $0 > 0x20 }
            let value = String(decoding: text[(colon + 1)...].prefix(1000), as: UTF8.self).lowercased()
            result.append((first, .declaration(String(decoding: name, as: UTF8.self).lowercased(), value: trimmed(value))))
        }
        while index < css.count {
            let byte = css[index]
            switch byte {
            case UInt8(ascii: "/") where index + 1 < css.count && css[index + 1] == UInt8(ascii: "*"):
                if css[start..<index].allSatisfy({ $0 <= 0x20 }) { start = endOfComment(css, index) }
                index = endOfComment(css, index)
                continue
            case UInt8(ascii: "\""), UInt8(ascii: "'"): index = endOfString(css, index)
            case UInt8(ascii: "("): parentheses += 1
            case UInt8(ascii: ")"): parentheses = max(0, parentheses - 1)
            case UInt8(ascii: ";"), UInt8(ascii: "{"), UInt8(ascii: "}"):
                if byte == UInt8(ascii: ";"), parentheses > 0 { break }
                if isSheet || byte == UInt8(ascii: ";") {
                    end(index, closedBy: byte)
                    (start, parentheses) = (index + 1, 0)
                }
            default: break
            }
            index += 1
        }
        if start < css.count, !isSheet { end(css.count, closedBy: nil) }
        return result
    }

    private static func endOfComment(_ css: [UInt8], _ start: Int) -> Int {
        var index = start + 2
        while index + 1 < css.count {
            if css[index] == UInt8(ascii: "*"), css[index + 1] == UInt8(ascii: "/") { return index + 2 }
            index += 1
        }
        return css.count
    }

    /// The last byte of a string; one that has no end ends with its line.
    private static func endOfString(_ css: [UInt8], _ start: Int) -> Int {
        var index = start + 1
        while index < css.count, css[index] != css[start], css[index] != 0x0a { index += css[index] == UInt8(ascii: "\\") ? 2 : 1 }
        return min(index, css.count)
    }

    private static func trimmed(_ text: String) -> String {
        var text = text[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
