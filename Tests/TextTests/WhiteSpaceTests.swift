import Testing

@testable import Text

@Suite struct WhiteSpaceTests {
    /// The table of what is not seen has all that this machine's Unicode knows.
    @Test func allWhiteSpaceAndAllIgnorableCharactersAreUnseen() {
        for value in UInt32(0x80)...0x10_ffff {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let properties = scalar.properties
            guard properties.isWhitespace || properties.isDefaultIgnorableCodePoint else { continue }
            #expect(Unicode.isUnseen(value), "U+\(String(value, radix: 16))")
        }
    }

    @Test(arguments: [
        "\u{2800}", "\u{115f}", "\u{1160}", "\u{3164}", "\u{ffa0}", "\u{34f}", "\u{17b4}", "\u{180b}", "\u{180e}", "\u{fffb}", "\u{e0020}",
        "\u{1d159}", "\u{13441}", "\u{a0}\u{2800} \u{feff}\t",
    ])
    func isTakenFromBothEnds(_ unseen: String) {
        for text in ["ann@example.com", "é", "字", "😀", ""] {
            let trimmed = Array((unseen + text + unseen).utf8).withUnsafeBufferPointer { String(decoding: $0.trimmed, as: UTF8.self) }
            #expect(trimmed == text)
        }
    }

    @Test func whatIsNoUTF8Stays() {
        for bytes in [[0xa0], [0xe2, 0xa0], [0xf3, 0xa0, 0x80], [0x80, 0x80, 0x80, 0x80, 0x80], [0xff, 0xc2]] as [[UInt8]] {
            bytes.withUnsafeBufferPointer { #expect(Array($0.trimmed) == bytes) }
        }
    }
}
