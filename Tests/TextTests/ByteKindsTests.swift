import Testing

@testable import Text

@Suite struct ByteKindsTests {
    private func kinds(_ bytes: [UInt8]) -> ByteKinds { bytes.withUnsafeBufferPointer { ByteKinds($0) } }

    /// Each byte at each place of texts of all lengths up to three words.
    @Test(arguments: UInt8.min...UInt8.max)
    func aByteIsFoundWhereverItStands(byte: UInt8) {
        for length in 1...24 {
            for place in 0..<length {
                var text = [UInt8](repeating: place % 2 == 0 ? 0x7e : 0x20, count: length)
                text[place] = byte
                let found = kinds(text)
                let isEscaped = byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
                #expect(found.hasHigh == (byte >= 0x80) && found.hasEscaped == isEscaped, "\(length), \(place)")
            }
        }
    }

    @Test(arguments: UInt8.min...UInt8.max)
    func aCapitalLetterIsFoundWhereverItStands(byte: UInt8) {
        for length in 1...24 {
            for place in 0..<length {
                var text = Array(String(repeating: "a@z[`{0~", count: 3).utf8.prefix(length))
                text[place] = byte
                let isLower = byte < 0x80 && !(UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                #expect(text.withUnsafeBufferPointer { ByteKinds.isLowerASCII($0) } == isLower, "\(length), \(place)")
            }
        }
    }

    @Test func whatIsFoundTogetherIsTold() {
        #expect(!kinds([]).hasHigh && !kinds([]).hasEscaped)
        let both = kinds(Array("ööööööö \"".utf8))
        #expect(both.hasHigh && both.hasEscaped)
        #expect(!kinds(Array("\u{7f}äöü€".utf8)).hasEscaped)
    }

    /// A string in JSON is read eight bytes at a time.
    @Test(arguments: 0...20)
    func aStringEndsAtItsQuotationMark(length: Int) throws {
        let text = String(String(repeating: "a\u{e9}", count: 20).prefix(length)) + "\\n" + String(repeating: "b", count: length)
        for json in ["\"\(text)\"", "\"\(text)\",\"next\"", "\"\(text)\"" + String(repeating: "\"", count: 9)] {
            let (read, rest) = try Array(json.utf8).withUnsafeBufferPointer { bytes throws(JSONSyntaxError) in
                var cursor = JSONCursor(bytes)
                let text = try cursor.string()
                return (text, bytes.count - cursor.position)
            }
            #expect(read == text.replacing("\\n", with: "\n") && rest == json.utf8.count - text.utf8.count - 2)
        }
        for broken in ["\"\(text)", "\"\(text)\u{1}\"", "\"\(text)\n"] {
            #expect(throws: JSONSyntaxError.self) {
                try Array(broken.utf8).withUnsafeBufferPointer { bytes throws(JSONSyntaxError) in
                    var cursor = JSONCursor(bytes)
                    try cursor.skipString()
                }
            }
        }
    }
}
