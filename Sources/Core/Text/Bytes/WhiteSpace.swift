extension UnsafeBufferPointer<UInt8> {
    /// The text without the white space around it: ASCII's, and what spreadsheets and web pages leave behind unseen: no-break
    /// space (U+00A0), zero-width space (U+200B), byte order mark (U+FEFF).
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

    /// The length of the invisible character at a position; 0 where there is none.
    private func invisible(at index: Int, before end: Int) -> Int {
        if index + 2 <= end, self[index] == 0xc2, self[index + 1] == 0xa0 { return 2 }
        guard index + 3 <= end else { return 0 }
        switch (self[index], self[index + 1], self[index + 2]) {
        case (0xe2, 0x80, 0x8b), (0xef, 0xbb, 0xbf): return 3
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
