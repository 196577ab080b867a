package import Model

/// Reads the rows of a mailing's recipients, whatever the format of their file.
package struct RecipientReader {
    private var csv: CSVReader?
    private var ndjson: NDJSONReader?

    /// - Parameter isStopping: as that of the readers.
    package init(_ source: RecipientSource, isStopping: @escaping () -> Bool = { false }) throws(InputError) {
        switch source.format {
        case .csv: csv = try CSVReader(path: source.file, isStopping: isStopping)
        case .ndjson: ndjson = try NDJSONReader(path: source.file, isStopping: isStopping)
        }
    }

    package var columns: [String] { csv?.columns ?? ndjson?.columns ?? [] }

    /// NDJSON: keys that were ignored because none of the first objects has them.
    package var ignored: [NDJSONReader.IgnoredKey] { ndjson?.ignored ?? [] }

    /// Reads the next row; false at the end of the file.
    package mutating func next(_ row: inout InputRow) throws(InputError) -> Bool {
        if let isRow = try csv?.next(&row) { return isRow }
        return try ndjson?.next(&row) ?? false
    }
}
