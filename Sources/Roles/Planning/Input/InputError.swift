/// A fault of a file of recipients with which planning cannot continue: where it is, what it is, and what to do.
package struct InputError: Error, Equatable, Sendable, CustomStringConvertible {
    package let file: String
    /// The line of the file, from 1.
    package let line: Int?
    /// The recipient's row, from 1; the header does not count.
    package let row: Int?
    /// The column's name, or its number where it has none.
    package let column: String?
    package let problem: String
    /// The file cannot be opened or read here: another machine may have it.
    package let isUnavailable: Bool
    /// Nothing is wrong with the file: whoever read it was asked to stop.
    package let isInterrupted: Bool

    package init(
        file: String, line: Int? = nil, row: Int? = nil, column: String? = nil, problem: String, isUnavailable: Bool = false,
        isInterrupted: Bool = false
    ) {
        self.file = file
        self.line = line
        self.row = row
        self.column = column
        self.problem = problem
        self.isUnavailable = isUnavailable
        self.isInterrupted = isInterrupted
    }

    /// The same fault of a file that people know by another name.
    func naming(_ file: String) -> Self {
        Self(file: file, line: line, row: row, column: column, problem: problem, isInterrupted: isInterrupted)
    }

    package var description: String {
        var places: [String] = []
        if let row { places.append("row \(row)") }
        if let column { places.append("column '\(column)'") }
        let place = places.isEmpty ? "" : places.joined(separator: ", ") + ": "
        return file + (line.map { ":\($0)" } ?? "") + ": " + place + problem
    }
}

/// How large the parts of an input may be; what is larger is a mistake, and would take memory without bound.
package enum InputLimit {
    /// Bytes of one value.
    package static let field = 1 << 20
    /// Bytes of one row.
    package static let row = 8 << 20
    /// Bytes in which the end of a row that cannot be read is looked for; a line that has none there fails the whole file.
    static let lookAhead = 64 << 20
    /// Columns.
    package static let columns = 1000
}
