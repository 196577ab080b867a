import Testing

@testable import Text

@Suite struct IPNetworkTests {
    private func number(_ text: String) -> UInt128? { IPAddress.number(Array(text.utf8)) }

    @Test func addressesAreNumbersWhateverTheSocket() {
        #expect(number("192.0.2.1") == 0xffff_c000_0201)
        #expect(number("::ffff:192.0.2.1") == number("192.0.2.1"))
        #expect(number("2001:db8::1") == 0x2001_0db8_0000_0000_0000_0000_0000_0001)
        #expect(number("0.0.0.0") == 0xffff_0000_0000 && number("255.255.255.255") == 0xffff_ffff_ffff)
    }

    @Test(arguments: ["", "1.2.3", "1.2.3.4.5", "1.2.3.", ".1.2.3", "01.2.3.4", "1.2.3.256", "1..2.3", "1.2.3.4 ", "fe80::1%eth0", ":::"])
    func otherTextsAreNone(text: String) { #expect(number(text) == nil) }

    @Test func networksHaveTheirEnds() throws {
        let four = try #require(IPNetwork("10.1.2.3/8"))
        #expect(four.first == number("10.0.0.0") && four.last == number("10.255.255.255"))
        let six = try #require(IPNetwork("2001:db8::/32"))
        #expect(six.first == number("2001:db8::") && six.last == number("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"))
        let one = try #require(IPNetwork("192.0.2.1"))
        #expect(one.first == one.last)
        let all = try #require(IPNetwork("::/0"))
        #expect(all.first == 0 && all.last == .max)
        let everyFour = try #require(IPNetwork("0.0.0.0/0"))
        #expect(everyFour.first == number("0.0.0.0") && everyFour.last == number("255.255.255.255"))
        #expect(everyFour.contains(number("192.0.2.1") ?? 0) && !everyFour.contains(number("2001:db8::1") ?? 0))
    }

    @Test(arguments: ["10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8/8", "::/129", "::/0000", "example.com", "/8", ""])
    func otherTextsAreNoNetworks(text: String) { #expect(IPNetwork(text) == nil) }
}
