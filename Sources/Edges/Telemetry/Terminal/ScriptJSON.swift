import Foundation

/// The output of a command with `--output json`: keys in snake case, sorted. A command that answers with one thing prints one object, a
/// value a line; a list is one object a line, and an empty list prints nothing.
package enum ScriptJSON {
    /// - Throws: `EncodingError` for a number that is not finite.
    package static func text(_ value: some Encodable) throws -> String { try encoded(value, [.prettyPrinted]) }

    /// One object of a list, on one line.
    /// - Throws: `EncodingError` for a number that is not finite.
    package static func line(_ value: some Encodable) throws -> String { try encoded(value, []) }

    private static func encoded(_ value: some Encodable, _ form: JSONEncoder.OutputFormatting) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = form.union([.sortedKeys, .withoutEscapingSlashes])
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}
