/// Which of a recipient's values are JSON lists and objects in the recipients' file, and not texts that look like them: a text with a `j`
/// in the place of each, and empty where there is none. It travels with the recipient, as the value of a last field that has no name.
package enum ValueKinds {
    package static let field = ""
    private static let nested = UInt8(ascii: "j")
    private static let other = UInt8(ascii: "-")

    /// - Parameters:
    ///   - columns: those of the lists and objects.
    ///   - width: values of the recipient, less this one.
    package static func text(_ columns: some Sequence<Int>, width: Int) -> [UInt8] {
        var text: [UInt8] = []
        for column in columns where (0..<width).contains(column) {
            if text.isEmpty { text = [UInt8](repeating: other, count: width) }
            text[column] = nested
        }
        return text
    }

    package static func isNested(_ column: Int, by text: UnsafeBufferPointer<UInt8>) -> Bool {
        column < text.count && text[column] == nested
    }
}
