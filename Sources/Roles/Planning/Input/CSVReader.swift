import Policy
import Text

/// Reads a CSV file (RFC 4180) row by row in bounded memory: values in quotation marks with doubled marks and line breaks,
/// lines that end in CRLF, LF or CR, with or without a byte order mark; UTF-8 only. Blank lines are skipped, white space around
/// a value is kept, and around a column's name dropped.
package struct CSVReader {
    /// The columns' names as the header has them; empty for a column without a name.
    package let columns: [String]
    private var scanner: CSVScanner
    private var rows = 0

    /// `,`, `;` or a tab: the one that the header has most often outside quotation marks; a comma where it has none.
    package var delimiter: UInt8 { scanner.delimiter }

    /// Opens the file and reads its header.
    package init(path: String) throws(InputError) {
        let input = try InputFile(path: path)
        try input.start()
        scanner = CSVScanner(input: input, delimiter: try CSVScanner.detectDelimiter(input))
        var row = InputRow()
        guard try scanner.next(&row) else {
            throw InputError(file: path, problem: "has only blank lines; it needs a header with the columns' names")
        }
        columns = try Self.header(row, path: path)
        scanner.columns = columns
    }

    /// Reads the next row; false at the end of the file.
    package mutating func next(_ row: inout InputRow) throws(InputError) -> Bool {
        row.number = rows + 1
        guard try scanner.next(&row) else { return false }
        rows += 1
        guard row.count == columns.count else { throw ragged(row) }
        return true
    }

    private func ragged(_ row: InputRow) -> InputError {
        var problem = "expected \(columns.count) fields, found \(row.count)"
        if row.count > columns.count {
            problem +=
                "; put a value with the delimiter '\(Character(Unicode.Scalar(delimiter)))' in it between quotation marks"
        } else {
            problem +=
                "; the first missing one is '\(columns[row.count])'. Is a quotation mark missing, or a delimiter?"
        }
        return InputError(file: scanner.path, line: row.line, row: row.number, problem: problem)
    }

    private static func header(_ row: InputRow, path: String) throws(InputError) -> [String] {
        guard row.count <= InputLimit.columns else {
            throw InputError(
                file: path, line: row.line,
                problem: "has \(row.count) columns; \(InputLimit.columns) are the most that are taken")
        }
        var names: [String] = []
        for column in 0..<row.count {
            let name = row.bytes[row.range(column)].withUnsafeBufferPointer {
                String(decoding: $0.trimmed, as: UTF8.self)
            }
            if !name.isEmpty, let first = names.firstIndex(of: name) {
                throw InputError(
                    file: path, line: row.line, column: name,
                    problem: "stands twice in the header, as columns \(first + 1) and \(column + 1); rename one")
            }
            names.append(name)
        }
        guard names.contains(where: { !$0.isEmpty }) else {
            throw InputError(
                file: path, line: row.line, problem: "has no names in its first line, which must be the header")
        }
        return names
    }
}
