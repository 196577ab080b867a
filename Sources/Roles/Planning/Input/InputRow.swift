/// One row of an input. Its values lie one after another in memory that the next row reuses.
package struct InputRow: Sendable {
    /// What `range` points into; valid UTF-8 within each value.
    package internal(set) var bytes: [UInt8] = []
    var ranges: [Range<Int>] = []
    /// No value has anything that stands escaped in a JSON string, as far as that is known without a look at each byte.
    var isUnescaped = false
    /// The columns whose values are JSON lists or objects, and not texts.
    var nested: [Int] = []
    /// Its number, from 1; the header does not count.
    package internal(set) var number = 0
    /// The line of the file on which it starts, from 1.
    package internal(set) var line = 1
    /// Why it cannot be read as a row of its file; nil for a good row. One with a fault has no values, or not all of them.
    package internal(set) var fault: RowFault?

    package init() {}

    package var count: Int { ranges.count }

    /// Where the value of a column lies in `bytes`.
    package func range(_ column: Int) -> Range<Int> { ranges[column] }

    package subscript(column: Int) -> String { String(decoding: bytes[ranges[column]], as: UTF8.self) }

    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        ranges.removeAll(keepingCapacity: true)
        if !nested.isEmpty { nested.removeAll(keepingCapacity: true) }
        isUnescaped = false
        fault = nil
    }
}

/// What is wrong with one row, while the rest of its file can be read.
package struct RowFault: Error, Equatable, Sendable {
    /// The line of the file, from 1.
    package let line: Int
    /// The column's name, or its number where it has none.
    package let column: String?
    package let problem: String

    package init(line: Int, column: String? = nil, problem: String) {
        self.line = line
        self.column = column
        self.problem = problem
    }

    /// What an exclusion says of it.
    package var description: String { "line \(line): " + (column.map { "column '\($0)' " } ?? "") + problem }

    /// The error where the file cannot be read without this row.
    func inputError(_ file: String) -> InputError { InputError(file: file, line: line, column: column, problem: problem) }
}
