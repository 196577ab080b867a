import Testing
import Text

@Suite struct IPAddressTests {
    @Test(arguments: [
        "::", "::1", "1::", "2001:db8::1", "1:2:3:4:5:6:7:8", "::ffff:192.0.2.1", "1::192.0.2.1", "1:2:3:4:5:6:1.2.3.4",
    ])
    func knowsIPv6(_ text: String) { #expect(IPAddress.isVersion6(Array(text.utf8))) }

    @Test(
        arguments: [
            "", ":", ":::", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", ":1::2", "1:2:", "12345::", "g::",
            "::1.2.3", "1.2.3.4",
            ":1.2.3.4", "1:2:3:4:5:6:7:1.2.3.4",
        ])
    func knowsWhatIsNotIPv6(_ text: String) { #expect(!IPAddress.isVersion6(Array(text.utf8))) }

    /// Examples of RFC 5952 section 4 and 5.
    @Test(arguments: [
        ("2001:0db8::0001", "2001:db8::1"), ("2001:db8:0:0:0:0:2:1", "2001:db8::2:1"), ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"), ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("2001:DB8::A", "2001:db8::a"),
        ("::ffff:c000:0201", "::ffff:192.0.2.1"), ("0:0:0:0:0:0:0:1", "::1"), ("::", "::"), ("1:0:0:0:0:0:0:0", "1::"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::1.2.3.4", "::102:304"),
    ])
    func writesTheCanonicalForm(_ text: String, _ canonical: String) {
        #expect(IPAddress.canonicalVersion6(Array(text.utf8)) == canonical)
        #expect(IPAddress.canonicalVersion6(Array(canonical.utf8)) == canonical)
    }
}
