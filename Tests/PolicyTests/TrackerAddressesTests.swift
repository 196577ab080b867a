import Policy
import Testing

@Suite struct TrackerAddressesTests {
    private let addresses = TrackerAddresses(
        url: "https://t.example.org",
        domains: [
            "example.com": "https://t.example.com", "*.shop.example": "https://t.shop.example", "*.de.shop.example": "https://t.de.example",
            "shop.example": "https://shop.example", "xn--mller-kva.example": "https://t.mueller.example",
        ])

    @Test(arguments: [
        ("news@example.com", "https://t.example.com"), ("\"Shop, News\" <news@EXAMPLE.com>", "https://t.example.com"),
        ("news@sub.example.com", "https://t.example.org"), ("a@shop.example", "https://shop.example"),
        ("a@x.shop.example", "https://t.shop.example"), ("a@x.y.shop.example", "https://t.shop.example"),
        ("a@x.de.shop.example", "https://t.de.example"), ("a@notshop.example", "https://t.example.org"),
        ("a@müller.example", "https://t.mueller.example"),
        // The sender of an SMS, and what is none at all.
        ("Shop", "https://t.example.org"), ("+491701234567", "https://t.example.org"), ("", "https://t.example.org"),
        ("example.com", "https://t.example.org"), ("a@example.com@evil.example", "https://t.example.org"),
    ]) func theSendersDomainChooses(_ from: String, _ expected: String) { #expect(addresses.url(ofSender: from) == expected) }

    @Test func allAreNamedOnce() {
        #expect(addresses.all.count == 6 && addresses.all.contains("https://t.example.org"))
        #expect(TrackerAddresses(url: "https://t.example").all == ["https://t.example"])
        #expect(TrackerAddresses(url: "https://t.example").url(ofSender: "a@example.com") == "https://t.example")
    }
}
