/// The configuration is refused, with everything that is wrong in it.
package struct SettingsError: Error, CustomStringConvertible, Equatable {
    package struct Problem: Sendable, Equatable, CustomStringConvertible {
        /// `file:line`, or the name of an environment variable, or the file where the whole of it is wrong.
        package let place: String
        /// The key, or empty where it is about a file.
        package let key: String
        /// What is wrong and what is allowed; never a secret.
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
