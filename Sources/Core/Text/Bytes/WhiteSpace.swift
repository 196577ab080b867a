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
            } else if self[end - 1] >= 0x80, case let length = invisible(from: start, behind: end), length > 0 {
                end -= length
            } else {
                break
            }
        }
        return UnsafeBufferPointer(rebasing: self[start..<end])
    }

    /// The length of the white space beyond ASCII, or of the unseen character, at a position; 0 where there is none. At most 4.
    package func invisible(at index: Int, before end: Int) -> Int {
        let lead = self[index]
        let length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0
        guard length > 0, index + length <= end else { return 0 }
        var value = UInt32(lead) & (0x7f >> UInt32(length))
        for byte in self[index + 1..<index + length] {
            guard byte & 0xc0 == 0x80 else { return 0 }
            value = value << 6 | UInt32(byte & 0x3f)
        }
        return Unicode.isUnseen(value) ? length : 0
    }

    /// The same of the character that ends at a position.
    private func invisible(from start: Int, behind end: Int) -> Int {
        var first = end - 1
        while first > start, end - first < 4, self[first] & 0xc0 == 0x80 { first -= 1 }
        return first + invisible(at: first, before: end) == end ? end - first : 0
    }
}

extension Unicode {
    /// Whether people see nothing of a character beyond ASCII: White_Space (Unicode 16, PropList.txt), Default_Ignorable_Code_Point
    /// (DerivedCoreProperties.txt), and what the charts show as a blank or as nothing.
    static func isUnseen(_ value: UInt32) -> Bool {
        switch value {
        // White_Space.
        case 0x85, 0xa0, 0x1680, 0x2000...0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000: true
        // Default_Ignorable_Code_Point: soft hyphen, joiners and marks of direction, fillers of Hangul, vowels of Khmer, selectors of
        // Mongolian and of variants, the byte order mark, controls of shorthand and of music, tags.
        case 0xad, 0x34f, 0x61c, 0x115f, 0x1160, 0x17b4, 0x17b5, 0x180b...0x180f, 0x200b...0x200f, 0x202a...0x202e, 0x2060...0x206f, 0x3164,
            0xfe00...0xfe0f, 0xfeff, 0xffa0, 0xfff0...0xfff8, 0x1bca0...0x1bca3, 0x1d173...0x1d17a, 0xe0000...0xe0fff:
            true
        // Braille blank, marks of annotations, filler of Khitan, blanks of Egyptian hieroglyphs, null notehead.
        case 0x2800, 0xfff9...0xfffb, 0x16fe4, 0x13441, 0x13442, 0x1d159: true
        default: false
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
