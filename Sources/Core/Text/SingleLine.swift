/// Makes one line of a text from outside.
package enum SingleLine {
    /// Makes each run of white space and of control, format and separator characters one space, leaves out those at the ends, and cuts
    /// the rest before the first character that does not fit.
    /// - Parameters:
    ///   - text: UTF-8; other bytes become U+FFFD. Only the first `4 * longest` bytes are read.
    ///   - longest: bytes at most.
    package static func clean(_ text: some Collection<UInt8>, longest: Int) -> String {
        var line = ""
        var pendingSpace = false
        for scalar in String(decoding: text.prefix(4 * longest), as: UTF8.self).unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator: pendingSpace = true
            default:
                let space = pendingSpace && !line.isEmpty
                guard line.utf8.count + (space ? 1 : 0) + scalar.utf8.count <= longest else { return line }
                if space { line.unicodeScalars.append(" ") }
                line.unicodeScalars.append(scalar)
                pendingSpace = false
            }
        }
        return line
    }
}
