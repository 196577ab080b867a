import Text

extension Mailbox {
    /// Appends it as the value of a header field that begins with `column` characters.
    func write(column: Int, into out: inout [UInt8]) {
        guard !displayName.isEmpty else { return out.append(contentsOf: address.description.utf8) }
        let start = out.count
        let isPlain = displayName.utf8.allSatisfy { $0.isAtomText || $0 == 0x20 } && !displayName.contains("=?")
        if displayName.utf8.allSatisfy({ (0x20..<0x7f).contains($0) }), !displayName.contains("=?"),
            displayName.utf8.count <= 60
        {
            let quoted = displayName.map { "\"\\".contains($0) ? "\\\($0)" : "\($0)" }.joined()
            out.append(contentsOf: (isPlain ? displayName : "\"\(quoted)\"").utf8)
        } else {
            out.appendEncodedWords(Array(displayName.utf8), column: column)
        }
        let lineStart = out.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? start - column
        let isLong = out.count - max(lineStart, start - column) + address.description.utf8.count + 3 > 76
        out.append(contentsOf: (isLong ? "\r\n <" : " <").utf8)
        out.append(contentsOf: address.description.utf8)
        out.append(UInt8(ascii: ">"))
    }
}
