import Model
import Testing

@testable import Ledger

@Suite struct ResponseGroupingTests {
    @Test(arguments: [
        ("5.1.1 <ann@example.com>: user 4711 unknown", "5.1.1 <address>: user # unknown"),
        ("4.7.1 greylisted, see https://example.com/g/ab12cd34", "4.7.1 greylisted, see https://example.com/g/#"),
        ("queue id 3F2A9C1B00 at 192.0.2.7:25.", "queue id # at #."),
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

    @Test func fingerprintsIgnoreOnlyTheCaseOfLetters() {
        #expect(AddressHash.of("Ann@Example.com".utf8) == AddressHash.of("ann@example.com".utf8))
        #expect(AddressHash.of("ann@example.com".utf8) != AddressHash.of("anm@example.com".utf8))
        // Test vectors of draft-eastlake-fnv, 32-bit FNV-1a.
        #expect(AddressHash.of("".utf8) == 0x811c_9dc5)
        #expect(AddressHash.of("a".utf8) == 0xe40c_292c)
        #expect(AddressHash.of("foobar".utf8) == 0xbf9c_f968)
    }
}
