/// The configuration is refused, with all its errors.
package struct SettingsError: Error, CustomStringConvertible, Equatable {
    package struct Problem: Sendable, Equatable, CustomStringConvertible {
        /// `file:line`, the name of an environment variable, or the file if the error concerns all of it.
        package let place: String
        /// The key; empty if the error concerns the file.
        package let key: String
        /// The error and what is allowed; never a secret.
        package let text: String

        package init(place: String, key: String, text: String) {
            self.place = place
            self.key = key
            self.text = text
        }

        package var description: String { key.isEmpty ? "\(place): \(text)" : "\(place): \(key): \(text)" }
    }

    /// At least one, in the order of the file, then of the names of variables.
    package let problems: [Problem]

    package init(problems: [Problem]) { self.problems = problems }

    /// One line a problem.
    package var description: String { problems.map(\.description).joined(separator: "\n") }
}
