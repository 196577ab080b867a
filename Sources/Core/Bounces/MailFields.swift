import Text

/// The fields of a mail's header, or of a group of such fields in its text (RFC 5322 section 2.2), in their order.
package struct MailFields: Sendable, Equatable {
    package typealias Line = ArraySlice<UInt8>

    private struct Field: Sendable, Equatable {
        var name: String
        var value: String
    }

    private var fields: [Field] = []

    /// More are not kept: nothing that is looked for stands behind so many.
    private static let most = 500
    private static let longestValue = 4096

    package init() {}

    /// Takes a line; one that begins with white space belongs to the field before it (section 2.2.3).
    /// - Returns: false for a line that is no part of a header.
    package mutating func take(_ line: Line) -> Bool {
        if let first = line.first, first == UInt8(ascii: " ") || first == UInt8(ascii: "\t") {
            guard let last = fields.indices.last else { return false }
            if fields[last].value.utf8.count < Self.longestValue { fields[last].value += " " + Self.text(line) }
            return true
        }
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
            line[..<colon].allSatisfy({ 0x21...0x7e ~= $0 || $0 == 0x20 })
        else { return false }
        if fields.count < Self.most {
            let name = Self.text(line[..<colon]).lowercased()
            fields.append(Field(name: name, value: Self.text(line[(colon + 1)...])))
        }
        return true
    }

    package var isEmpty: Bool { fields.isEmpty }

    /// The value of the first field of a name in small letters; empty where there is none.
    package subscript(name: String) -> String { fields.first { $0.name == name }?.value ?? "" }

    /// The values of all fields of a name in small letters.
    package func all(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }

    private static func text(_ bytes: Line) -> String { SingleLine.clean(bytes, longest: longestValue) }
}
