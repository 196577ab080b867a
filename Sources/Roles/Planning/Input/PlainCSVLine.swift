#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A line of a CSV file without a quotation mark, as nearly all are: a row by itself, which is copied as a whole. What it is not certain of
/// at once is left to `CSVScanner`.
struct PlainCSVLine {
    /// Bytes in which its end is looked for, so that a file without line feeds is not read again and again.
    private static let most = 4_096

    private let text: UnsafeBufferPointer<UInt8>
    /// Bytes of the line with its end.
    let length: Int

    /// - Parameter rest: what follows in the file, as far as it was read.
    /// - Returns: nil where no line feed is near, and for a line with a quotation mark, or with a carriage return inside, which ends a row.
    @inline(__always)
    init?(_ rest: UnsafeBufferPointer<UInt8>) {
        guard let start = rest.baseAddress,
            let count = Self.place(of: UInt8(ascii: "\n"), start, min(rest.count, Self.most)),
            Self.place(of: UInt8(ascii: "\""), start, count) == nil
        else { return nil }
        length = count + 1
        let end = Self.place(of: UInt8(ascii: "\r"), start, count) ?? count
        guard end >= count - 1 else { return nil }
        text = UnsafeBufferPointer(start: start, count: end)
    }

    @inline(__always)
    private static func place(of byte: UInt8, _ start: UnsafePointer<UInt8>, _ count: Int) -> Int? {
        memchr(start, Int32(byte), count).map { UnsafeRawPointer($0) - UnsafeRawPointer(start) }
    }

    /// Puts the line's values into a row that has none. Behind each value stands the delimiter, as in all rows.
    @inline(__always)
    func cut(into row: inout InputRow, at delimiter: UInt8) {
        row.bytes.append(contentsOf: text)
        row.bytes.append(delimiter)
        let raw = UnsafeRawBufferPointer(text)
        let lows: UInt64 = 0x7f7f_7f7f_7f7f_7f7f
        let pattern = 0x0101_0101_0101_0101 &* UInt64(delimiter)
        var (start, index) = (0, 0)
        while index + 8 <= raw.count {
            let word = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)) ^ pattern
            // The top bit of each byte that is zero, and of no other.
            var marks = ~((word & lows) &+ lows | word | lows)
            while marks != 0 {
                let place = index + marks.trailingZeroBitCount >> 3
                row.ranges.append(start..<place)
                start = place + 1
                marks &= marks &- 1
            }
            index += 8
        }
        while index < raw.count {
            if raw[index] == delimiter {
                row.ranges.append(start..<index)
                start = index + 1
            }
            index += 1
        }
        row.ranges.append(start..<raw.count)
    }
}
