import Policy

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Cuts a CSV file into rows and values; the header is a row like any other to it.
struct CSVScanner {
    let delimiter: UInt8
    /// Names for errors; empty while the header itself is read.
    var columns: [String] = []
    private let input: InputFile

    var path: String { input.path }

    private static let quote = UInt8(ascii: "\"")
    private static let lineFeed = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")

    init(input: InputFile, delimiter: UInt8) {
        self.input = input
        self.delimiter = delimiter
    }

    private enum Outcome {
        case row, blank, end
        /// The row goes on behind the buffer's end.
        case more
    }

    /// Reads the next row that is not blank; false at the end of the file. `row.number` is the caller's, and named in errors.
    mutating func next(_ row: inout InputRow) throws(InputError) -> Bool {
        while true {
            switch try scan(&row) {
            case .row: return true
            case .blank: continue
            case .end: return false
            case .more:
                guard input.end - input.position <= InputLimit.row else {
                    throw error(row, nil, "is longer than \(InputLimit.row >> 20) MB; is a quotation mark missing?")
                }
                try input.more()
            }
        }
    }

    /// Reads one row from the buffer; consumes it only if the whole of it is there.
    private func scan(_ row: inout InputRow) throws(InputError) -> Outcome {
        row.removeAll()
        row.line = input.line
        let bytes = input.bytes
        let end = input.end
        let isFinal = input.isAtEnd
        var index = input.position
        var lines = 0
        if index == end { return isFinal ? .end : .more }
        while true {
            let fieldStart = index
            let outStart = row.bytes.count
            if index < end, bytes[index] == Self.quote {
                guard let close = try quoted(bytes, from: index, to: end, isFinal, &row, &lines) else { return .more }
                row.ranges.append(outStart..<row.bytes.count)
                // Between the values stands a byte, so that halves of a character in two values do not make a whole one.
                row.bytes.append(delimiter)
                index = close
                guard index == end || isBoundary(bytes[index]) else {
                    throw error(
                        row, row.ranges.count - 1,
                        "has text behind the closing quotation mark; double a quotation mark inside a value (\"\")")
                }
            } else {
                while index < end {
                    let byte = bytes[index]
                    // Letters first: none of the three is above ';'.
                    if byte > UInt8(ascii: ";") || !isBoundary(byte) { index += 1 } else { break }
                }
                guard index - fieldStart <= InputLimit.field else { throw tooLong(row, row.ranges.count) }
                if index == end, !isFinal { return .more }
                row.bytes.append(contentsOf: UnsafeBufferPointer(start: bytes + fieldStart, count: index - fieldStart))
                row.ranges.append(outStart..<row.bytes.count)
                row.bytes.append(delimiter)
            }
            if index < end, bytes[index] == delimiter {
                index += 1
                continue
            }
            if index < end {
                let isReturn = bytes[index] == Self.carriageReturn
                if isReturn, index + 1 == end, !isFinal { return .more }
                index += isReturn && index + 1 < end && bytes[index + 1] == Self.lineFeed ? 2 : 1
                lines += 1
            }
            break
        }
        let isBlank = row.ranges.count == 1 && row.ranges[0].isEmpty && bytes[input.position] != Self.quote
        if !isBlank { try check(row) }
        input.position = index
        input.line += lines
        return isBlank ? .blank : .row
    }

    /// Copies a value in quotation marks; returns what follows its closing mark, or nil if the buffer ends before that is certain.
    private func quoted(
        _ bytes: UnsafeMutablePointer<UInt8>, from start: Int, to end: Int, _ isFinal: Bool, _ row: inout InputRow,
        _ lines: inout Int
    ) throws(InputError) -> Int? {
        let outStart = row.bytes.count
        var segment = start + 1
        while true {
            guard let found = memchr(bytes + segment, Int32(Self.quote), end - segment) else {
                if end - start > InputLimit.field { throw tooLong(row, row.ranges.count, isQuoted: true) }
                guard isFinal else { return nil }
                throw error(
                    row, row.ranges.count,
                    "has an opening quotation mark in line \(input.line + lines) and no closing one up to the end of the file"
                )
            }
            let mark = found.assumingMemoryBound(to: UInt8.self) - bytes
            let next = mark + 1
            if next == end, !isFinal { return nil }
            let isDoubled = next < end && bytes[next] == Self.quote
            let text = UnsafeBufferPointer(start: bytes + segment, count: (isDoubled ? next : mark) - segment)
            lines += Self.lineBreaks(text)
            row.bytes.append(contentsOf: text)
            guard row.bytes.count - outStart <= InputLimit.field else {
                throw tooLong(row, row.ranges.count, isQuoted: true)
            }
            if !isDoubled { return next }
            segment = next + 1
        }
    }

    @inline(__always) private func isBoundary(_ byte: UInt8) -> Bool {
        byte == delimiter || byte == Self.lineFeed || byte == Self.carriageReturn
    }

    /// Line breaks in a value: CRLF, LF and CR count as one each.
    private static func lineBreaks(_ text: UnsafeBufferPointer<UInt8>) -> Int {
        var count = 0
        var previous: UInt8 = 0
        for byte in text {
            if byte == carriageReturn || (byte == lineFeed && previous != carriageReturn) { count += 1 }
            previous = byte
        }
        return count
    }

    private func check(_ row: InputRow) throws(InputError) {
        let found = row.bytes.withUnsafeBufferPointer { UTF8Check.firstFault($0) }
        guard let found else { return }
        let column = row.ranges.firstIndex { $0.upperBound >= found.offset }
        throw error(
            row, column,
            found.fault == .nul
                ? "has a NUL byte in it; is it a text file in UTF-8?"
                : "is no valid UTF-8 (byte \(found.offset - (column.map { row.ranges[$0].lowerBound } ?? 0) + 1) of the value); "
                    + "save the file as UTF-8")
    }

    private func tooLong(_ row: InputRow, _ column: Int, isQuoted: Bool = false) -> InputError {
        let hint = isQuoted ? "; is its closing quotation mark missing?" : "; is it really CSV?"
        return error(row, column, "has a value of more than \(InputLimit.field >> 20) MB, which is the limit" + hint)
    }

    private func error(_ row: InputRow, _ column: Int?, _ problem: String) -> InputError {
        let name = column.map { columns.indices.contains($0) && !columns[$0].isEmpty ? columns[$0] : "\($0 + 1)" }
        return InputError(
            file: path, line: row.line, row: columns.isEmpty ? nil : row.number, column: name, problem: problem)
    }
}

extension CSVScanner {
    /// Counts the candidates in the first line that is not blank, outside quotation marks, and takes the commonest.
    static func detectDelimiter(_ input: InputFile) throws(InputError) -> UInt8 {
        let candidates: [UInt8] = [UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t")]
        while true {
            var counts = [0, 0, 0]
            var isQuoted = false
            var hasText = false
            for byte in UnsafeBufferPointer(start: input.bytes + input.position, count: input.end - input.position) {
                if byte == quote { isQuoted.toggle() }
                if !isQuoted, byte == lineFeed || byte == carriageReturn {
                    if hasText { return candidates[counts.firstIndex(of: counts.max() ?? 0) ?? 0] }
                    continue
                }
                hasText = true
                if !isQuoted, let index = candidates.firstIndex(of: byte) { counts[index] += 1 }
            }
            if input.isAtEnd || input.end - input.position > InputLimit.row {
                return candidates[counts.firstIndex(of: counts.max() ?? 0) ?? 0]
            }
            try input.more()
        }
    }
}
