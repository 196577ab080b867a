import Foundation
import Testing
import Text

@Suite struct Base64URLTests {
    @Test func itIsFoundationsBase64WithOtherDigitsAndNoPadding() {
        var generator = SystemRandomNumberGenerator()
        for count in 0..<200 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let expected = Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
            var out: [UInt8] = []
            Base64URL.append(bytes, to: &out)
            #expect(String(decoding: out, as: UTF8.self) == expected)
            #expect(out.count == Base64URL.length(of: count))
            #expect(Base64URL.decode(out) == bytes)
        }
    }

    @Test(arguments: ["A", "AB=", "AA==", "A+B/", "AB", "AAB", "\u{e9}AA", "A A", "AAAAA"])
    func otherSpellingsAreRefused(_ text: String) { #expect(Base64URL.decode(text.utf8) == nil) }
}
