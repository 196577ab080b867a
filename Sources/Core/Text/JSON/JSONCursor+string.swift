extension JSONCursor {
    /// Passes a string, and appends what it stands for to `out`.
    @inlinable
    public mutating func string(into out: inout [UInt8]) throws(JSONSyntaxError) {
        guard take(UInt8(ascii: "\"")) else { throw error(.noString) }
        while true {
            let start = index
            skipPlain()
            out.append(contentsOf: text(start..<index))
            guard index < bytes.count else { throw error(.unfinishedString) }
            switch bytes[index] {
            case UInt8(ascii: "\""):
                index += 1
                return
            case UInt8(ascii: "\\"):
                let scalar = try escape()
                if scalar.value < 0x80 {
                    out.append(UInt8(truncatingIfNeeded: scalar.value))
                } else {
                    out.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
                }
            default:
                try control()
                out.append(bytes[index - 1])
            }
        }
    }

    /// Passes a string, and checks it like `string(into:)`.
    @inlinable
    public mutating func skipString() throws(JSONSyntaxError) {
        guard take(UInt8(ascii: "\"")) else { throw error(.noString) }
        while true {
            skipPlain()
            guard index < bytes.count else { throw error(.unfinishedString) }
            switch bytes[index] {
            case UInt8(ascii: "\""):
                index += 1
                return
            case UInt8(ascii: "\\"): _ = try escape()
            default: try control()
            }
        }
    }

    /// Passes all strings that follow in an array, each behind a comma, and checks them like `string(into:)`.
    @inlinable
    public mutating func skipStrings() throws(JSONSyntaxError) {
        while true {
            // Our own texts have no white space, and few of them have escapes.
            var place = index
            while place + 2 <= bytes.count, bytes[place] == UInt8(ascii: ","), bytes[place + 1] == UInt8(ascii: "\"") {
                index = place + 2
                skipPlain()
                guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else { break }
                place = index + 1
            }
            index = place
            guard take(UInt8(ascii: ",")) else { return }
            try skipString()
        }
    }

    /// Passes a string, and gives what it stands for as text; bytes that are no UTF-8 become U+FFFD.
    @inlinable
    public mutating func string() throws(JSONSyntaxError) -> String {
        var value: [UInt8] = []
        try string(into: &value)
        return String(decoding: value, as: UTF8.self)
    }

    /// Passes the bytes of a string that stand for themselves, eight at a time.
    @inlinable @inline(__always)
    mutating func skipPlain() {
        let raw = UnsafeRawBufferPointer(bytes)
        while index + 8 <= raw.count {
            let word = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            let marks = ByteKinds.escaped(word)
            guard marks == 0 else {
                index += marks.trailingZeroBitCount >> 3
                return
            }
            index += 8
        }
        while index < bytes.count, case let byte = bytes[index], byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
            index += 1
        }
    }

    @usableFromInline
    mutating func control() throws(JSONSyntaxError) {
        guard tolerance == .lenient else { throw error(.controlCharacter) }
        index += 1
    }

    /// Passes an escape.
    @usableFromInline
    mutating func escape() throws(JSONSyntaxError) -> Unicode.Scalar {
        guard index + 1 < bytes.count else {
            index = bytes.count
            throw error(.unfinishedString)
        }
        let byte = bytes[index + 1]
        index += 2
        switch byte {
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "u"): return try codePoint()
        default:
            guard tolerance == .lenient, byte < 0x80 else { throw error(.unknownEscape) }
            return Unicode.Scalar(byte)
        }
    }

    /// Reads the digits behind `\u`, and a second escape where the first one is half of a surrogate pair.
    private mutating func codePoint() throws(JSONSyntaxError) -> Unicode.Scalar {
        let high = try hexadecimal()
        if high == 0, tolerance == .withoutNUL { throw error(.nul) }
        if let scalar = Unicode.Scalar(high) { return scalar }
        if high < 0xdc00, index + 1 < bytes.count, bytes[index] == UInt8(ascii: "\\"), bytes[index + 1] == UInt8(ascii: "u") {
            let start = index
            index += 2
            let low = try hexadecimal()
            if 0xdc00..<0xe000 ~= low, let scalar = Unicode.Scalar(0x10000 + (high - 0xd800) << 10 + (low - 0xdc00)) { return scalar }
            // The second escape stands for itself.
            index = start
        }
        guard tolerance == .lenient else { throw error(.halfSurrogate) }
        return "\u{fffd}"
    }

    private mutating func hexadecimal() throws(JSONSyntaxError) -> UInt32 {
        guard index + 4 <= bytes.count else { throw error(.badHexadecimal) }
        var value: UInt32 = 0
        for offset in 0..<4 {
            guard let digit = bytes[index + offset].hexadecimalValue else { throw error(.badHexadecimal) }
            value = value << 4 | UInt32(digit)
        }
        index += 4
        return value
    }
}
