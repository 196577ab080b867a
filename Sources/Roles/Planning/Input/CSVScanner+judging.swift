import Text

/// What a row is when it is cut: blank, good, or at fault.
extension CSVScanner {
    /// A line of nothing, of white space, or of the NULs and Ctrl-Z with which some programs fill a file. In a file with several columns
    /// also one of nothing but delimiters, as spreadsheets write an empty row.
    func isBlank(_ row: InputRow) -> Bool {
        guard row.count == 1 || columns.count > 1 else { return false }
        if let first = row.bytes.first, first > UInt8(ascii: " "), first < 0x80, first != delimiter { return false }
        return row.bytes.withUnsafeBufferPointer { bytes in
            row.ranges.allSatisfy { UnsafeBufferPointer(rebasing: bytes[$0]).trimmed.allSatisfy { $0 == 0 || $0 == 0x1a } }
        }
    }

    /// Gives a row as many values as the header has names: drops empty ones behind the last, and adds those of columns without a name.
    /// - Returns: what is wrong with the row where that does not do.
    func padOrTrim(_ row: inout InputRow) -> RowFault? {
        while row.count > columns.count, let last = row.ranges.last, row.bytes[last].allSatisfy(\.isSpace) { row.ranges.removeLast() }
        while row.count < columns.count, columns[row.count].isEmpty { row.ranges.append(row.bytes.count..<row.bytes.count) }
        guard row.count != columns.count else { return nil }
        var problem = "expected \(columns.count) fields, found \(row.count)"
        if row.count > columns.count {
            problem +=
                "; put a value with the delimiter '\(Character(Unicode.Scalar(delimiter)))' in it between quotation marks"
        } else {
            problem +=
                "; the first missing one is '\(columns[row.count])'. Is a quotation mark missing, or a delimiter?"
        }
        return fault(row, nil, problem)
    }

    /// What is wrong with a row's text. It notes whether a value has anything that is escaped in JSON.
    func textFault(_ row: inout InputRow) -> RowFault? {
        let kinds = row.bytes.withUnsafeBufferPointer { ByteKinds($0) }
        row.isUnescaped = !kinds.hasEscaped
        // Without control characters there is no NUL.
        if !kinds.hasEscaped, !kinds.hasHigh { return nil }
        return badText(row)
    }

    private func badText(_ row: InputRow) -> RowFault? {
        guard let found = row.bytes.withUnsafeBufferPointer({ UTF8Check.firstFault($0) }) else { return nil }
        let column = row.ranges.firstIndex { $0.upperBound >= found.offset }
        return fault(
            row, column,
            found.fault == .nul
                ? Self.nulProblem
                : "is no valid UTF-8 (byte \(found.offset - (column.map { row.ranges[$0].lowerBound } ?? 0) + 1) of the value); "
                    + "save the file as UTF-8")
    }

    /// A NUL byte in a header: the file is in another encoding.
    func nulFault(_ row: InputRow) -> RowFault? {
        guard let offset = row.bytes.firstIndex(of: 0) else { return nil }
        return fault(row, row.ranges.firstIndex { $0.upperBound >= offset }, Self.nulProblem)
    }

    private static let nulProblem = "has a NUL byte in it; is it a text file in UTF-8?"

    func tooLongRow(_ row: InputRow) -> RowFault {
        fault(row, nil, "is longer than \(InputLimit.row >> 20) MB; is a quotation mark missing?")
    }

    func tooLong(_ row: InputRow, _ column: Int, isQuoted: Bool = false) -> RowFault {
        let hint = isQuoted ? "; is its closing quotation mark missing?" : "; is it really CSV?"
        return fault(row, column, "has a value of more than \(InputLimit.field >> 20) MB, which is the limit" + hint)
    }

    func fault(_ row: InputRow, _ column: Int?, _ problem: String) -> RowFault {
        let name = column.map { columns.indices.contains($0) && !columns[$0].isEmpty ? columns[$0] : "\($0 + 1)" }
        return RowFault(line: row.line, column: name, problem: problem)
    }
}
