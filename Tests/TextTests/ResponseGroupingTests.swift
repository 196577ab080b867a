import Model
import Testing

@testable import Text

@Suite struct ResponseGroupingTests {
    @Test(arguments: [
        ("5.1.1 <ann@example.com>: user 4711 unknown", "5.1.1 <address>: user # unknown"),
        ("4.7.1 greylisted, see https://example.com/g/ab12cd34", "4.7.1 greylisted, see https://example.com/g/#"),
        ("queue id 3F2A9C1B00 at 192.0.2.7:25.", "queue id # at #."),
        ("the server does not offer SMTPUTF8, id 9abcdef or q12wxyz", "the server does not offer SMTPUTF8, id # or #"),
        ("TLS1 is   too\told", "TLS1 is too old"),
        ("", ""), ("\r\n\u{7}", ""), ("5.x.1 no", "5.x.1 no"),
    ]) func replacesWhatDiffersBetweenRecipients(text: String, expected: String) {
        #expect(ResponseGrouping.normalise(text) == expected)
    }

    @Test func cutsAtACharacter() {
        for length in 150..<170 {
            let text = ResponseGrouping.normalise(String(repeating: "a", count: length) + String(repeating: "é😀", count: 200))
            #expect(text.utf8.count <= 160 && !text.unicodeScalars.contains("\u{fffd}"))
        }
    }
}
