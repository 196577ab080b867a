import Text

/// Finds where a row with a fault ends, byte by byte and without keeping its text, so that lines inside of a value become no rows.  Only a
/// quotation mark in front of a delimiter or a line end closes a value for certain. A mark with text behind it is judged by the next one:
/// where that closes the value, the first was text; where it opens another value, the first closed the value, and its line ends the row.
struct CSVRowEnd {
    /// The bytes and the line ends of a row.
    struct Extent: Equatable {
        var bytes = 0
        var lines = 0
    }

    private enum State {
        case valueStart, plain
        case quoted(CSVQuotedValue)
        /// Behind a mark with text behind it.
        case doubtful(CSVQuotedValue)
        /// A carriage return ended the row; a line feed would still be its own.
        case returned
        case ended
    }

    /// Lines in which the next mark is looked for, so that many such rows take no long time.
    private static let doubtfulLines = 64

    private let delimiter: UInt8
    private var state = State.valueStart
    private var read = Extent()
    private var isBehindReturn = false
    /// Where the row ends if the doubtful mark closed its value.
    private var lineEnd: Extent?
    /// The doubtful mark stands where a value could begin.
    private var mayOpen = false
    /// The first mark of the row has no partner.
    private var isUnclosed = false

    init(delimiter: UInt8) { self.delimiter = delimiter }

    /// Reads on; false where no more text is needed.
    mutating func take(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        for byte in text {
            step(byte)
            if isUnclosed { return false }
            if case .ended = state { return false }
        }
        return true
    }

    /// The row's extent; nil where its end is not certain.
    /// - Parameter isWhole: the file was read to its end.
    func found(isWhole: Bool) -> Extent? {
        switch state {
        case _ where isUnclosed: nil
        case .ended, .returned: read
        case .quoted(let value): isWhole && value.mayEnd ? read : nil
        case .doubtful(let value): isWhole && value.mayEnd ? mayOpen ? nil : read : lineEnd ?? (isWhole ? read : nil)
        case .valueStart, .plain: isWhole ? read : nil
        }
    }

    private mutating func step(_ byte: UInt8) {
        if case .returned = state {
            if byte == UInt8(ascii: "\n") { read.bytes += 1 }
            return state = .ended
        }
        read.bytes += 1
        let isReturn = byte == UInt8(ascii: "\r")
        let isLineEnd = isReturn || byte == UInt8(ascii: "\n")
        let isPair = byte == UInt8(ascii: "\n") && isBehindReturn
        isBehindReturn = isReturn
        if isLineEnd, !isPair { read.lines += 1 }
        switch state {
        case .quoted(var value):
            switch value.take(byte, delimiter) {
            case .inside: state = .quoted(value)
            case .closed: endValue(byte)
            case .text: doubt(mayOpen: value.startsAnother)
            }
        case .doubtful(var value):
            let outcome = value.take(byte, delimiter)
            if outcome == .inside { return noteLineEnd(value, isLineEnd: isLineEnd, isPair: isPair) }
            resolve(outcome, value, byte)
        case .valueStart where byte == CSVQuotedValue.mark: state = .quoted(CSVQuotedValue())
        case _ where isLineEnd || byte == delimiter: endValue(byte)
        case .valueStart where !byte.isBlank: state = .plain
        default: break
        }
    }

    private mutating func doubt(mayOpen: Bool) {
        state = .doubtful(CSVQuotedValue())
        self.mayOpen = mayOpen
        lineEnd = nil
    }

    private mutating func noteLineEnd(_ value: CSVQuotedValue, isLineEnd: Bool, isPair: Bool) {
        state = .doubtful(value)
        if isLineEnd, lineEnd == nil || isPair && lineEnd?.lines == read.lines { lineEnd = read }
        if let lineEnd, read.lines > lineEnd.lines + Self.doubtfulLines { end(at: lineEnd) }
    }

    /// Decides about the doubtful mark by the next one.
    private mutating func resolve(_ outcome: CSVQuotedValue.Outcome, _ value: CSVQuotedValue, _ byte: UInt8) {
        if outcome == .closed {
            // It opened a value of another row.
            if mayOpen { isUnclosed = true } else { endValue(byte) }
        } else if !value.startsAnother || value.isBehindBlank {
            doubt(mayOpen: false)
        } else if let lineEnd {
            end(at: lineEnd)
        } else {
            state = .quoted(CSVQuotedValue())
        }
    }

    private mutating func end(at extent: Extent) {
        read = extent
        state = .ended
    }

    private mutating func endValue(_ byte: UInt8) {
        state = byte == delimiter ? .valueStart : byte == UInt8(ascii: "\r") ? .returned : .ended
    }
}

/// A value behind its opening quotation mark, which is judged byte by byte.
struct CSVQuotedValue {
    enum Outcome {
        case inside
        /// The byte is the delimiter or line end behind the closing mark.
        case closed
        /// Text follows a mark.
        case text
    }

    static let mark = UInt8(ascii: "\"")

    private enum State {
        case inside
        /// Behind a mark, which closes the value or is the first of two.
        case mark
        /// Blanks behind a mark.
        case blank
    }

    private var state = State.inside
    private var isBehindDelimiter = false
    /// The last mark stands where another value could begin: behind a delimiter or a line end.
    private(set) var startsAnother = false

    /// The text may end here.
    var mayEnd: Bool { state != .inside }
    /// Blanks stand behind the last mark.
    var isBehindBlank: Bool { state == .blank }

    mutating func take(_ byte: UInt8, _ delimiter: UInt8) -> Outcome {
        let isBoundary = byte == delimiter || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
        switch state {
        case .inside where byte == Self.mark:
            startsAnother = isBehindDelimiter
            state = .mark
        case .inside:
            if isBoundary { isBehindDelimiter = true } else if !byte.isBlank { isBehindDelimiter = false }
        case .mark where byte == Self.mark:
            isBehindDelimiter = false
            state = .inside
        case .mark, .blank:
            if isBoundary { return .closed }
            guard byte.isBlank else { return .text }
            state = .blank
        }
        return .inside
    }
}

extension UInt8 {
    fileprivate var isBlank: Bool { self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") }
}
