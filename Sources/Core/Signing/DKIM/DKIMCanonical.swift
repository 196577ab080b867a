/// The canonical forms "relaxed" of header fields and bodies (RFC 6376 sections 3.4.2 and 3.4.4).
enum DKIMCanonical {
    /// Appends a field, which ends in CRLF or with the text: its name in lower case, unfolded, each run of blanks as one space.
    static func append(field: Slice<UnsafeBufferPointer<UInt8>>, to out: inout [UInt8]) {
        guard let colon = field.firstIndex(of: UInt8(ascii: ":")) else { return }
        for byte in field[..<colon] where !isBlank(byte) { out.append(byte.asciiLowercased) }
        out.append(UInt8(ascii: ":"))
        var blank = false
        let start = out.count
        for byte in field[field.index(after: colon)...] {
            if isBlank(byte) || byte == 0x0d || byte == 0x0a {
                blank = true
                continue
            }
            if blank, out.count > start { out.append(0x20) }
            blank = false
            out.append(byte)
        }
    }

    /// Appends a body as it stands behind DATA, with the dots of RFC 5321 section 4.5.2 taken off: each run of blanks as one space, none at
    /// the ends of lines, no empty lines at the end.
    static func append(body: Slice<UnsafeBufferPointer<UInt8>>, to out: inout [UInt8]) {
        out.reserveCapacity(out.count + body.count + 2)
        var emptyLines = 0
        var index = body.startIndex
        let bytes = body.base
        while index < body.endIndex {
            var end = index
            while end < body.endIndex, bytes[end] != 0x0a { end += 1 }
            let next = min(end + 1, body.endIndex)
            if end > index, bytes[end - 1] == 0x0d { end -= 1 }
            if index < end, bytes[index] == UInt8(ascii: ".") { index += 1 }
            while end > index, isBlank(bytes[end - 1]) { end -= 1 }
            if index == end {
                emptyLines += 1
            } else {
                for _ in 0..<emptyLines { out.appendLineEnd() }
                emptyLines = 0
                appendLine(bytes, index..<end, to: &out)
                out.appendLineEnd()
            }
            index = next
        }
    }

    private static func appendLine(_ bytes: UnsafeBufferPointer<UInt8>, _ line: Range<Int>, to out: inout [UInt8]) {
        var index = line.lowerBound
        while index < line.upperBound {
            var end = index
            while end < line.upperBound, !isBlank(bytes[end]) { end += 1 }
            out.append(contentsOf: bytes[index..<end])
            guard end < line.upperBound else { return }
            out.append(0x20)
            index = end
            while index < line.upperBound, isBlank(bytes[index]) { index += 1 }
        }
    }

    @inline(__always)
    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
}

extension [UInt8] {
    fileprivate mutating func appendLineEnd() {
        append(0x0d)
        append(0x0a)
    }
}

extension UInt8 {
    fileprivate var asciiLowercased: UInt8 { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= self ? self | 0x20 : self }
}
