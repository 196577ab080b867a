/// All that is wrong with a mailing's file, each with its place.
package struct MailingFileError: Error, Equatable, Sendable, CustomStringConvertible {
    /// One fault, with its place.
    package struct Problem: Equatable, Sendable, CustomStringConvertible {
        package let file: String
        /// From 1; nil where the file as a whole is meant.
        package let line: Int?
        package let column: Int?
        /// The key, with those above it: `recipients.file`; empty for the file as a whole.
        package let key: String
        /// What is wrong and what to do.
        package let text: String

        package var description: String {
            var place = file
            if let line, let column { place += ":\(line):\(column)" }
            return "\(place): \(key.isEmpty ? "" : key + ": ")\(text)"
        }
    }

    /// In the order of their places.
    package let problems: [Problem]

    /// A line a problem.
    package var description: String { problems.map(\.description).joined(separator: "\n") }
}
