/// Everything that is wrong with a mailing's templates, found in one go and in the order of the files.
package struct TemplateError: Error, CustomStringConvertible, Equatable {
    /// One thing that is wrong, where it stands, and what to do about it.
    package struct Problem: Sendable, Equatable, CustomStringConvertible {
        /// The template's file, or the key of the mailing file; empty where neither is known.
        package var file: String
        /// The line of the file, from 1; 0 where the problem has no line.
        package var line: Int
        /// The character of the line, from 1; 0 where the problem has no column.
        package var column: Int
        package var what: String
        package var remedy: String

        package init(file: String, line: Int = 0, column: Int = 0, what: String, remedy: String) {
            self.file = file
            self.line = line
            self.column = column
            self.what = what
            self.remedy = remedy
        }

        /// `message.html:12:5: what is wrong; what to do`.
        package var description: String {
            var place = file
            if line > 0 { place += (place.isEmpty ? "line " : ":") + "\(line)" }
            if column > 0 { place += ":\(column)" }
            return (place.isEmpty ? "" : place + ": ") + what + "; " + remedy
        }
    }

    /// Problems that are collected at most in each of parsing and compiling a template.
    static let most = 100

    package let problems: [Problem]

    package init(_ problems: [Problem]) { self.problems = problems }

    /// A line a problem.
    package var description: String { problems.map(\.description).joined(separator: "\n") }
}
