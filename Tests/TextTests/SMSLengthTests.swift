import Testing
import Text

@Suite struct SMSLengthTests {
    @Test(arguments: [
        ("", true, 0, 0), ("Hello", true, 5, 1), ("Grüße für 5 €", true, 14, 1), ("日本", false, 2, 1), ("😀", false, 2, 1),
        ("a`b", false, 3, 1),
        ("a\tb", false, 3, 1), ("[x]{y}^~|\\", true, 18, 1), ("a\u{301}", false, 2, 1), ("ç", false, 1, 1), ("Ç@$_\n", true, 5, 1),
    ]) func charactersCountAsNetworksCountThem(_ text: String, _ isGSM: Bool, _ units: Int, _ segments: Int) {
        let length = SMSLength(text)
        #expect((length.isGSM, length.units, length.segments) == (isGSM, units, segments))
    }

    @Test(arguments: [
        ("a", 160, 1), ("a", 161, 2), ("a", 306, 2), ("a", 307, 3), ("é", 160, 1), ("€", 80, 1), ("€", 81, 2), ("я", 70, 1), ("я", 71, 2),
        ("я", 134, 2), ("я", 135, 3), ("😀", 35, 1), ("😀", 36, 2),
        // Of 153 septets 76 such characters use 152: none is divided.
        ("€", 152, 2), ("€", 153, 3), ("😀", 66, 2), ("😀", 67, 3),
    ]) func longTextsTakeSeveralMessages(_ character: String, _ count: Int, _ segments: Int) {
        #expect(SMSLength(String(repeating: character, count: count)).segments == segments)
    }
}
