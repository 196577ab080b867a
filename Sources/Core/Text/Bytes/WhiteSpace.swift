extension UnsafeBufferPointer<UInt8> {
    /// The text without the white space around it, ASCII's and Unicode's, and without what else spreadsheets and web pages leave behind
    /// unseen: marks of writing direction, zero-width characters, soft hyphens, byte order marks.
    package var trimmed: UnsafeBufferPointer<UInt8> {
        var start = 0
        var end = count
        while start < end {
            if self[start].isSpace {
                start += 1
            } else if self[start] >= 0x80, case let length = invisible(at: start, before: end), length > 0 {
                start += length
            } else {
                break
            }
        }
        while end > start {
            if self[end - 1].isSpace {
                end -= 1
            } else if self[end - 1] >= 0x80, end - 2 >= start, invisible(at: end - 2, before: end) == 2 {
                end -= 2
            } else if self[end - 1] >= 0x80, end - 3 >= start, invisible(at: end - 3, before: end) == 3 {
                end -= 3
            } else {
                break
            }
        }
        return UnsafeBufferPointer(rebasing: self[start..<end])
    }

    /// The length of the white space beyond ASCII, or of the unseen character, at a position; 0 where there is none. At most 3.
    package func invisible(at index: Int, before end: Int) -> Int {
        guard index + 2 <= end else { return 0 }
        switch (self[index], self[index + 1]) {
        // U+0085, U+00A0, U+00AD; U+061C.
        case (0xc2, 0x85), (0xc2, 0xa0), (0xc2, 0xad), (0xd8, 0x9c): return 2
        default: break
        }
        guard index + 3 <= end else { return 0 }
        switch (self[index], self[index + 1], self[index + 2]) {
        // U+1680, U+180E; U+2000...200F, U+2028...202F, U+205F...206F; U+3000; U+FEFF.
        case (0xe1, 0x9a, 0x80), (0xe1, 0xa0, 0x8e), (0xe2, 0x80, 0x80...0x8f), (0xe2, 0x80, 0xa8...0xaf), (0xe2, 0x81, 0x9f...0xaf),
            (0xe3, 0x80, 0x80), (0xef, 0xbb, 0xbf):
            return 3
        default: return 0
        }
    }
}

extension StringProtocol {
    /// The text without white space (Unicode's, line ends too) around it.
    package var trimmed: SubSequence {
        var text = self[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
