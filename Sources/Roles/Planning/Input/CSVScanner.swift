import Text

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Cuts a CSV file into rows and values; the header is a row like any other to it.
///
/// A row with a fault costs no other row. Where its end is certain it is passed as a whole, so that lines inside of its values become no
/// rows. Else, as behind a quotation mark without its partner, the next row begins on the line after the one on which this row began.
struct CSVScanner {
    let delimiter: UInt8
    /// The header's names, as many as a row has values; empty while the header itself is read.
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
        /// The row continues behind the buffer's end.
        case more
    }

    /// Reads the next row that is not blank, which may have a fault; false at the end of the file.
    mutating func next(_ row: inout InputRow) throws(InputError) -> Bool {
        while true {
            let outcome: Outcome
            do throws(RowFault) {
                outcome = try scan(&row)
                if outcome == .more, input.end - input.position > InputLimit.row {
                    throw tooLongRow(row)
                }
            } catch {
                row.fault = error
                try passRow()
                return true
            }
            switch outcome {
            case .row: return true
            case .blank: continue
            case .end: return false
            case .more: try input.more()
            }
        }
    }

    /// Passes a row that could not be read, or its first line where nobody can tell where the row ends.
    private func passRow() throws(InputError) {
        try input.requireLineEnd()
        var end = CSVRowEnd(delimiter: delimiter)
        let isWhole = try input.lookAhead(InputLimit.lookAhead) { end.take($0) }
        guard let extent = end.found(isWhole: isWhole) else { return try input.skipLine() }
        try input.pass(extent.bytes)
        input.line += extent.lines
    }

    /// Reads one row from the buffer; consumes it only if the whole of it is there.
    /// - Throws: for a row that cannot be read on; it is not consumed.
    private func scan(_ row: inout InputRow) throws(RowFault) -> Outcome {
        row.removeAll()
        row.line = input.line
        let (start, end) = (input.position, input.end)
        if start == end { return input.isAtEnd ? .end : .more }
        let index: Int
        var lines = 1
        var hasQuotes = false
        if let line = PlainCSVLine(UnsafeBufferPointer(start: input.bytes + start, count: end - start)) {
            line.cut(into: &row, at: delimiter)
            index = start + line.length
        } else {
            lines = 0
            guard let next = try values(from: start, to: end, &row, &lines, &hasQuotes) else { return .more }
            index = next
        }
        guard index - input.position <= InputLimit.row else { throw tooLongRow(row) }
        if !hasQuotes, isBlank(row) {
            input.position = index
            input.line += lines
            return .blank
        }
        if !columns.isEmpty, let fault = padOrTrim(&row) ?? textFault(&row) { row.fault = fault }
        input.position = index
        input.line += lines
        return .row
    }

    /// Copies the values of a row, whatever is in them.
    /// - Returns: the place behind the row, or nil if the buffer ends before the row's end is certain.
    private func values(
        from start: Int, to end: Int, _ row: inout InputRow, _ lines: inout Int, _ hasQuotes: inout Bool
    ) throws(RowFault) -> Int? {
        let (bytes, isFinal) = (input.bytes, input.isAtEnd)
        var index = start
        while true {
            guard let next = try value(bytes, from: index, to: end, isFinal, &row, &lines, &hasQuotes) else { return nil }
            index = next
            guard index < end else { return index }
            if bytes[index] == delimiter {
                index += 1
                continue
            }
            let isReturn = bytes[index] == Self.carriageReturn
            if isReturn, index + 1 == end, !isFinal { return nil }
            lines += 1
            return index + (isReturn && index + 1 < end && bytes[index + 1] == Self.lineFeed ? 2 : 1)
        }
    }

    /// Copies the next value of a row.
    /// - Returns: the place behind the value, or nil if the buffer ends before the value's end is certain.
    @inline(__always)
    private func value(
        _ bytes: UnsafeMutablePointer<UInt8>, from start: Int, to end: Int, _ isFinal: Bool, _ row: inout InputRow,
        _ lines: inout Int, _ hasQuotes: inout Bool
    ) throws(RowFault) -> Int? {
        var index = start
        let outStart = row.bytes.count
        // Blanks before a quotation mark are no part of a value.
        if index < end, bytes[index] == UInt8(ascii: " ") || bytes[index] == UInt8(ascii: "\t") || bytes[index] > 0x7f {
            index = skipBlanks(bytes, from: index, to: end)
        }
        if index < end, bytes[index] == Self.quote {
            hasQuotes = true
            guard let close = try quoted(bytes, from: index, to: end, isFinal, &row, &lines) else { return nil }
            row.ranges.append(outStart..<row.bytes.count)
            // Between the values stands a byte, so that halves of a character in two values do not make a whole one.
            row.bytes.append(delimiter)
            index = skipBlanks(bytes, from: close, to: end)
            // A blank may have four bytes.
            if end - index < 4, !isFinal { return nil }
            guard index == end || isBoundary(bytes[index]) else {
                throw fault(
                    row, row.ranges.count - 1,
                    "has text behind the closing quotation mark; double a quotation mark inside a value (\"\")")
            }
        } else {
            while index < end {
                let byte = bytes[index]
                // Letters first: no line end is above ';'.
                if byte > UInt8(ascii: ";") ? byte != delimiter : !isBoundary(byte) { index += 1 } else { break }
            }
            guard index - start <= InputLimit.field else { throw tooLong(row, row.ranges.count) }
            if index == end, !isFinal { return nil }
            row.bytes.append(contentsOf: UnsafeBufferPointer(start: bytes + start, count: index - start))
            row.ranges.append(outStart..<row.bytes.count)
            row.bytes.append(delimiter)
        }
        return index
    }

    /// Copies a value in quotation marks; returns what follows its closing mark, or nil if the buffer ends before that is certain.
    private func quoted(
        _ bytes: UnsafeMutablePointer<UInt8>, from start: Int, to end: Int, _ isFinal: Bool, _ row: inout InputRow,
        _ lines: inout Int
    ) throws(RowFault) -> Int? {
        let outStart = row.bytes.count
        var segment = start + 1
        while true {
            guard let found = memchr(bytes + segment, Int32(Self.quote), end - segment) else {
                if end - start > InputLimit.field { throw tooLong(row, row.ranges.count, isQuoted: true) }
                guard isFinal else { return nil }
                throw fault(
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

    private func skipBlanks(_ bytes: UnsafeMutablePointer<UInt8>, from start: Int, to end: Int) -> Int {
        var index = start
        while index < end, bytes[index] != delimiter {
            if bytes[index] == UInt8(ascii: " ") || bytes[index] == UInt8(ascii: "\t") {
                index += 1
            } else if bytes[index] > 0x7f,
                case let length = UnsafeBufferPointer(start: bytes, count: end).invisible(at: index, before: end),
                length > 0
            {
                index += length
            } else {
                break
            }
        }
        return index
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
}
