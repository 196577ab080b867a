package import Model
import Text

/// Finds the pictures that HTML names by `cid:` (RFC 2392).
package enum ContentIDs {
    /// A name in a template.
    package struct Found: Sendable, Equatable {
        package let name: String
        /// The line in the template's file, from 1.
        package let line: Int
        /// The character of the line, from 1.
        package let column: Int
        /// A merge field is a part of it.
        package let hasField: Bool
    }

    /// Each name once, in their order. A `cid:` stands where a value or an address of CSS begins.
    package static func find(in html: Mailing.Template) -> [Found] {
        let bytes = Array(html.source.utf8)
        var found: [Found] = []
        var (line, lineStart) = (html.line, 0)
        for index in bytes.indices {
            if bytes[index] == UInt8(ascii: "\n") { (line, lineStart) = (line + 1, index + 1) }
            guard index > 0, bytes[index].lowercased == UInt8(ascii: "c"), Self.begins(behind: bytes[index - 1]),
                bytes[index...].prefix(4).map(\.lowercased) == Array("cid:".utf8)
            else { continue }
            let rest = bytes[(index + 4)...]
            let name = rest.prefix { $0 > 0x20 && !"\"'()<>\\,;".utf8.contains($0) }
            let text = String(decoding: name, as: UTF8.self)
            guard !text.isEmpty, !found.contains(where: { $0.name == text }) else { continue }
            let column = String(decoding: bytes[lineStart..<index], as: UTF8.self).count + 1
            found.append(Found(name: text, line: line, column: column, hasField: text.contains("{{")))
        }
        return found
    }

    private static func begins(behind byte: UInt8) -> Bool { "\"'=(".utf8.contains(byte) }
}
