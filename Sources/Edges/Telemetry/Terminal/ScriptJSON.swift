import Foundation

/// The output of a command with `--output json`: keys in snake case, sorted, one value a line.
package enum ScriptJSON {
    /// - Throws: `EncodingError` for a number that is not finite.
    package static func text(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}
