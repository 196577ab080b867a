/// Finds what no text from outside may hold.
enum UTF8Check {
    enum Fault: Equatable {
        case nul
        case notUTF8
    }

    /// The first NUL or byte that is no UTF-8 (RFC 3629: no surrogates, no overlong forms); nil for good text.
    /// Eight bytes at a time where all is ASCII.
    static func firstFault(_ bytes: UnsafeBufferPointer<UInt8>) -> (offset: Int, fault: Fault)? {
        guard let base = bytes.baseAddress else { return nil }
        let raw = UnsafeRawPointer(base)
        let count = bytes.count
        var index = 0
        while index < count {
            while index + 8 <= count {
                let word = raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                // The top bit of a byte is set where the byte is 0 (exactly, as far as the first one) or above 0x7f.
                let zeros = (word &- 0x0101_0101_0101_0101) & ~word
                guard (zeros | word) & 0x8080_8080_8080_8080 == 0 else { break }
                index += 8
            }
            guard index < count else { return nil }
            let byte = bytes[index]
            if byte == 0 { return (index, .nul) }
            if byte < 0x80 {
                index += 1
                continue
            }
            let length = sequenceLength(bytes, at: index)
            guard length > 0 else { return (index, .notUTF8) }
            index += length
        }
        return nil
    }

    /// The length of a well-formed sequence of several bytes (The Unicode Standard, table 3-7); 0 where there is none.
    private static func sequenceLength(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int) -> Int {
        let lead = bytes[index]
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xbf
        switch lead {
        case 0xc2...0xdf: length = 2
        case 0xe0:
            length = 3
            second = 0xa0...0xbf
        case 0xed:
            length = 3
            second = 0x80...0x9f
        case 0xe1...0xef: length = 3
        case 0xf0:
            length = 4
            second = 0x90...0xbf
        case 0xf1...0xf3: length = 4
        case 0xf4:
            length = 4
            second = 0x80...0x8f
        default: return 0
        }
        guard index + length <= bytes.count, second.contains(bytes[index + 1]) else { return 0 }
        for further in (index + 2)..<max(index + 2, index + length) where bytes[further] & 0xc0 != 0x80 { return 0 }
        return length
    }
}
