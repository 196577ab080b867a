import Testing

@testable import Authentication

@Suite struct SPFTests {
    private static let names = FixedNames(
        records: [
            "a.example TXT": ["v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all"],
            "host.example TXT": ["v=spf1 a mx:a.example/30 ~all"],
            "host.example A": ["192.0.2.9"],
            "a.example MX": ["10 mx.a.example", "20 gone.a.example"],
            "mx.a.example A": ["198.51.100.5"],
            "in.example TXT": ["v=spf1 include:a.example ?all"],
            "to.example TXT": ["v=spf1 redirect=a.example"],
            "loop.example TXT": ["v=spf1 include:loop.example -all"],
            "two.example TXT": ["v=spf1 -all", "v=spf1 +all"],
            "other.example TXT": ["hello", "v=spf10 -all"],
            "typo.example TXT": ["v=spf1 ipv4:192.0.2.1 -all"],
            "dangling.example TXT": ["v=spf1 include:none.example -all"],
            "void.example TXT": ["v=spf1 a:v1.example a:v2.example a:v3.example -all"],
            "slow.example TXT": ["v=spf1 include:silent.example -all"],
            "macro.example TXT": ["v=spf1 exists:%{ir}.%{l1r-}.%{d2}._x.example -all"],
            "1.2.0.192.postmaster.macro.example._x.example A": ["127.0.0.2"],
            "ptr.example TXT": ["v=spf1 ptr -all"],
            "1.2.0.192.in-addr.arpa PTR": ["mail.ptr.example"],
            "mail.ptr.example A": ["192.0.2.1"],
            "control.example TXT": ["v=spf1 a:\u{1B}[2J.example -all"],
            "empty.example TXT": ["v=spf1"],
        ].merging((1...11).map { ("n\($0).example TXT", ["v=spf1 include:n\($0 + 1).example -all"]) }) { $1 }, silent: ["silent.example"])

    private static func check(_ domain: String, _ address: String?) async -> (SPFCheck.Result, SPFCheck) {
        var check = SPFCheck(
            names, address: address.flatMap { SenderAddress($0) }, sender: "postmaster@\(domain)", helo: "mail.example.com")
        let result = await check.run(domain)
        return (result, check)
    }

    @Test(
        "The result is that of RFC 7208",
        arguments: [
            ("a.example", "192.0.2.200", SPFCheck.Result.pass), ("a.example", "192.0.3.1", .fail), ("a.example", "2001:db8::5", .pass),
            ("a.example", "2001:db9::5", .fail), ("a.example", "::ffff:192.0.2.1", .pass), ("host.example", "192.0.2.9", .pass),
            ("host.example", "198.51.100.6", .pass), ("host.example", "198.51.100.8", .softFail), ("in.example", "192.0.2.1", .pass),
            ("in.example", "203.0.113.1", .neutral), ("to.example", "192.0.2.1", .pass), ("to.example", "203.0.113.1", .fail),
            ("loop.example", "192.0.2.1", .permanentError), ("two.example", "192.0.2.1", .permanentError),
            ("other.example", "192.0.2.1", SPFCheck.Result.none), ("typo.example", "192.0.2.1", .permanentError),
            ("dangling.example", "192.0.2.1", .permanentError), ("void.example", "192.0.2.1", .permanentError),
            ("slow.example", "192.0.2.1", .temporaryError), ("macro.example", "192.0.2.1", .pass), ("macro.example", "192.0.2.2", .fail),
            ("ptr.example", "192.0.2.1", .pass), ("ptr.example", "192.0.2.2", .fail), ("control.example", "192.0.2.1", .permanentError),
            ("empty.example", "192.0.2.1", .neutral), ("n1.example", "192.0.2.1", .permanentError),
            ("n3.example", "192.0.2.1", .permanentError),
        ])
    func results(domain: String, address: String, expected: SPFCheck.Result) async {
        #expect(await Self.check(domain, address).0 == expected)
    }

    @Test("Without an address every term is followed, and its look-ups count")
    func longestWay() async {
        let (result, check) = await Self.check("host.example", nil)
        #expect(result == .softFail)
        #expect(check.lookups == 2)
        let (loop, looping) = await Self.check("loop.example", nil)
        #expect(loop == .permanentError)
        #expect(looping.lookups == SPFCheck.mostLookups + 1)
    }

    @Test(
        "Terms that receivers cannot read are refused",
        arguments: [
            "a:", "a/33", "a//129", "a/08", "ip4:1.2.3", "ip4:2001:db8::1", "ip6:192.0.2.1", "include", "include:", "exists",
            "all:x.example",
            "a:example", "a:%{x}.example", "a:%{d", "a:%z.example", "redirect=a.example redirect=b.example", "1x=y", "a:b.example/24/64",
            "ip4:192.0.2.0/33", "+", "foo",
        ])
    func malformed(terms: String) {
        #expect(throws: SPFSyntaxError.self) { try SPFRecord("v=spf1 \(terms) -all") }
    }

    @Test(
        "Terms that receivers know are read",
        arguments: [
            "A:Example.COM/24//64", "mx//64", "ptr:a.example", "ip6:2001:db8::/32", "?exists:%{i}.x.example", "future=%{d}", "a:%{d}/24",
            "exp=why.%{d}", "ip4:0.0.0.0/0",
        ])
    func wellFormed(term: String) throws { _ = try SPFRecord("v=spf1 \(term) -all") }

    @Test("Macros are expanded as in the examples of RFC 7208 section 7.4")
    func macros() throws {
        let four = SPFMacro.Values(
            sender: "strong-bad@email.example.com", domain: "email.example.com", helo: "h.example", address: SenderAddress("192.0.2.3"))
        var six = four
        six.address = SenderAddress("2001:db8::cb01")
        for (text, expected) in [
            ("%{s}", "strong-bad@email.example.com"), ("%{o}", "email.example.com"), ("%{d4}", "email.example.com"),
            ("%{d2}", "example.com"), ("%{d1}", "com"), ("%{dr}", "com.example.email"), ("%{d2r}", "example.email"), ("%{l}", "strong-bad"),
            ("%{l-}", "strong.bad"), ("%{lr-}", "bad.strong"), ("%{l1r-}", "strong"),
            ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"), ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
        ] { #expect(SPFMacro.expand(text, four) == expected) }
        #expect(
            SPFMacro.expand("%{ir}.%{v}._spf.%{d2}", six)
                == "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com")
    }
}
