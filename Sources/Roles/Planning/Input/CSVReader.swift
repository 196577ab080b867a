import Policy
import Text

/// Reads a CSV file (RFC 4180) row by row in bounded memory: values in quotation marks with doubled marks and line breaks,
/// lines that end in CRLF, LF or CR, with or without a byte order mark, in UTF-8 or UTF-16. Blank lines are skipped, white space around
/// a value is kept, and around a column's name dropped. A row that is none is given out with its fault, and reading continues.
package struct CSVReader {
    /// The columns' names as the header has them, of which two may be equal; empty for a column without a name.
    package let columns: [String]
    private var scanner: CSVScanner
    private var rows = 0

    /// What a line `sep=` in front of the header names, else `,`, `;`, `|` or a tab: the one that the header has most often outside
    /// quotation marks; a comma where it has none.
    package var delimiter: UInt8 { scanner.delimiter }

    /// Opens the file and reads its header.
    /// - Parameter isStopping: asked again and again; reading ends by an error that is `isInterrupted` where it says so.
    package init(path: String, isStopping: @escaping () -> Bool = { false }) throws(InputError) {
        let input = try InputFile(path: path, isStopping: isStopping)
        try input.start()
        try input.requireLineEnd()
        scanner = CSVScanner(input: input, delimiter: try CSVDelimiter.find(input))
        var row = InputRow()
        var names: [String]
        repeat {
            guard try scanner.next(&row) else {
                throw InputError(file: path, problem: "has only blank lines; it needs a header with the columns' names")
            }
            if let fault = row.fault ?? scanner.nulFault(row) { throw fault.inputError(path) }
            names = try Self.header(row, path: path)
        } while names.allSatisfy(\.isEmpty)
        columns = names
        scanner.columns = columns
    }

    /// Reads the next row, which may have a fault; false at the end of the file.
    package mutating func next(_ row: inout InputRow) throws(InputError) -> Bool {
        guard try scanner.next(&row) else { return false }
        rows += 1
        row.number = rows
        return true
    }

    /// A name that is no valid UTF-8 has a replacement character: it fails only what uses it.
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
            names.append(name)
        }
        return names
    }
}
