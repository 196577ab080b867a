/// An enhanced status code (RFC 3463): class, subject, detail, as in `5.7.1`.
package struct EnhancedCode: Sendable, Equatable, CustomStringConvertible {
    /// 2, 4 or 5.
    package let category: Int
    /// 0 to 999.
    package let subject: Int
    /// 0 to 999.
    package let detail: Int

    package init(_ category: Int, _ subject: Int, _ detail: Int) {
        self.category = category
        self.subject = subject
        self.detail = detail
    }

    /// Reads the code that a reply's text begins with (RFC 2034 section 4); nil where it begins with something else.
    package init?(startOf text: UnsafeBufferPointer<UInt8>) {
        guard text.count >= 5, text[1] == UInt8(ascii: "."), [2, 4, 5].contains(Int(text[0]) - 48) else { return nil }
        var index = 2
        guard let subject = Self.number(text, at: &index), index < text.count, text[index] == UInt8(ascii: ".") else {
            return nil
        }
        index += 1
        guard let detail = Self.number(text, at: &index), index == text.count || text[index] <= UInt8(ascii: " ") else {
            return nil
        }
        self.init(Int(text[0]) - 48, subject, detail)
    }

    package var description: String { "\(category).\(subject).\(detail)" }

    private static func number(_ text: UnsafeBufferPointer<UInt8>, at index: inout Int) -> Int? {
        let start = index
        var value = 0
        while index < text.count, index - start < 3, 48...57 ~= text[index] {
            value = value * 10 + Int(text[index]) - 48
            index += 1
        }
        return index == start ? nil : value
    }
}
