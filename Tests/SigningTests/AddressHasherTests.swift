import Signing
import Testing

@Suite struct AddressHasherTests {
    @Test func aHashIsOfOneAddressAndOneLedger() throws {
        let hasher = try AddressHasher(ledger: "0123456789abcdef")
        let text = hasher.text(of: "ann@example.com")
        #expect(text.hasPrefix(AddressHasher.prefix) && text.utf8.count == 28 && !text.contains("ann"))
        #expect(text == hasher.text(of: "ann@example.com") && text != hasher.text(of: "bob@example.com"))
        #expect(try text != AddressHasher(ledger: "other").text(of: "ann@example.com"))
        // What is one already stays.
        #expect(hasher.text(of: text) == text)
        #expect(AddressHasher.value(of: text) == hasher.hash("ann@example.com"))
        #expect(AddressHasher.prefix < text && text < AddressHasher.end)
    }

    @Test(arguments: ["", "hmac-sha256:", "hmac-sha256:0123", "hmac-sha256:0123456789abcdeg", "hmac-sha256:0123456789ABCDEF", "a@b.c"])
    func otherTextsAreNone(_ text: String) { #expect(!AddressHasher.isHash(text)) }

    @Test func smallNumbersHaveAllTheirDigits() {
        #expect(AddressHasher.text(of: 0xab) == "hmac-sha256:00000000000000ab")
        #expect(AddressHasher.value(of: "hmac-sha256:00000000000000ab") == 0xab)
    }
}
