import Model
import Policy
import Testing

@Suite struct LimitsTests {
    private func limits() throws -> Limits {
        var limits = Limits()
        limits.providers = ["main": try RateLimit("100/s")]
        limits.channels[.sms] = try RateLimit("5/s")
        limits.domains = [
            DomainLimit(name: "example.com", limit: try RateLimit("20/s")),
            DomainLimit(name: "microsoft", names: ["outlook.com", "hotmail.com"]),
        ]
        return limits
    }

    @Test func tellsTheLimitOfAScope() throws {
        let limits = try limits()
        #expect(limits.limit("provider:main") == (try RateLimit("100/s")))
        #expect(limits.limit("channel:sms") == (try RateLimit("5/s")))
        #expect(limits.limit("domain:example.com") == (try RateLimit("20/s")))
        for none in ["provider:other", "channel:email", "domain:microsoft", "domain:hotmail.com", "mailing:1", "main", "provider:", ""] {
            #expect(limits.limit(none) == nil, "\(none)")
        }
    }

    @Test(arguments: Channel.allCases) func channelsHaveTheirCeilingsAtFirst(channel: Channel) {
        #expect(Limits().limit(.channel(channel)) == channel.ceiling)
        #expect(channel.ceiling?.description == (channel == .messenger ? "25/s" : nil))
    }

    @Test func overridesWinAndNoneLifts() throws {
        let (now, problems) = try limits().applying([
            "provider:main": "none", "provider:smtp://127.0.0.1:2525": "7/s", "channel:email": "1019/min",
            "domain:microsoft": " 3/s , burst=2", "domain:example.com": "none",
        ])
        #expect(problems.isEmpty)
        #expect(now.limit("provider:main") == nil)
        #expect(now.limit("provider:smtp://127.0.0.1:2525")?.description == "7/s")
        #expect(now.limit("channel:email")?.description == "1019/min")
        #expect(now.limit("channel:sms")?.description == "5/s")
        #expect(now.limit("domain:microsoft")?.description == "3/s,burst=2")
        #expect(now.limit("domain:example.com") == nil)
        #expect(now.domains.map(\.names) == (try limits().domains.map(\.names)))
    }

    @Test func whatIsNotUnderstoodIsLeftAsItWasAndNamed() throws {
        let before = try limits()
        let (now, problems) = before.applying([
            "provider:main": "fast", "channel:fax": "1/s", "domain:gmail.com": "1/s", "mailing:x": "1/s", "nonsense": "none",
            "domain:microsoft": "",
        ])
        #expect(now == before)
        #expect(problems.count == 6)
        let said = problems.joined(separator: "\n")
        #expect(said.contains("limit of provider:main stays as it was, 100/s: 'fast' is no rate limit"), "\(said)")
        #expect(said.contains("limit of domain:microsoft stays as it was, none: '' is no rate limit"), "\(said)")
        #expect(said.contains("domain:gmail.com is ignored: flotilla.yaml has no 'gmail.com' below domains"), "\(said)")
    }

    @Test(arguments: ["provider:a", "provider:smtp://[::1]:25", "channel:webhook", "mailing:x", "domain:example.com"])
    func aScopeReadsBackAsItIsWritten(text: String) throws {
        #expect(try #require(LimitScope(text)).description == text)
    }

    @Test(arguments: ["", ":", "provider", "provider:", "channel:fax", "channel:", "planet:earth", "Provider:a"])
    func anotherTextIsNoScope(text: String) { #expect(LimitScope(text) == nil) }
}

@Suite struct DomainTableTests {
    private let table = DomainTable([
        DomainLimit(name: "example.com"),
        DomainLimit(name: "microsoft", names: ["outlook.com", "hotmail.com", "*.outlook.com"]),
        DomainLimit(name: "below", names: ["*.example.com", "*.com"]),
        DomainLimit(name: "deep", names: ["*.b.example.com", "x.example.com"]),
        DomainLimit(name: "late", names: ["hotmail.com", "late.org"]),
        DomainLimit(name: "books", names: ["xn--bcher-kva.example", "*.xn--p1ai"]),
    ])

    @Test(arguments: [
        ("a@example.com", "example.com"), ("a@EXAMPLE.Com", "example.com"), ("a@b@hotmail.com", "microsoft"),
        ("\"a@outlook.com\"@example.com", "example.com"), ("a@eu.outlook.com", "microsoft"), ("a@b.example.com", "below"),
        ("a@c.B.example.com", "deep"), ("a@x.example.com", "deep"), ("a@y.x.example.com", "below"), ("a@other.com", "below"),
        ("a@notexample.com", "below"), ("a@late.org", "late"), ("@example.com", "example.com"),
        ("ä@bücher.example", "books"), ("a@xn--bcher-kva.example", "books"), ("a@пример.рф", "books"),
    ])
    func findsTheDomainNamedElseTheLongestSuffix(address: String, name: String) {
        #expect(table.scope(of: address) == .domain(name))
    }

    @Test(arguments: ["", "@", "a", "example.com", "a@com", "a@example.org", "a@.", "a@example.com.", "a@exämple.net", "a@[192.0.2.1]"])
    func findsNothingElsewhere(address: String) { #expect(table.scope(of: address) == nil) }

    @Test func anEmptyTableFindsNothing() { #expect(DomainTable([]).scope(of: "a@example.com") == nil) }

    /// What the page says, without a hash.
    private func reference(_ domains: [DomainLimit], _ address: String) -> LimitScope? {
        guard let at = address.lastIndex(of: "@") else { return nil }
        let domain = address[address.index(after: at)...].lowercased()
        var best: (length: Int, name: String)?
        for entry in domains {
            for name in entry.names {
                let length =
                    name == domain ? Int.max : name.hasPrefix("*.") && domain.hasSuffix(name.dropFirst()) ? name.utf8.count : 0
                if length > best?.length ?? 0 { best = (length, entry.name) }
            }
        }
        return best.map { .domain($0.name) }
    }

    @Test func agreesWithAPlainSearch() {
        var generator = SeededGenerator(seed: 4)
        func domain() -> String {
            (0..<Int.random(in: 1...4, using: &generator)).map { _ in ["a", "b", "Com", "xy"].randomElement(using: &generator) ?? "" }
                .joined(separator: ".")
        }
        var matches = 0
        for _ in 0..<300 {
            let domains = (0..<Int.random(in: 0...8, using: &generator)).map { number in
                DomainLimit(
                    name: "\(number)",
                    names: (0..<Int.random(in: 1...3, using: &generator)).map { _ in
                        (Bool.random(using: &generator) ? "*." : "") + domain().lowercased()
                    })
            }
            let table = DomainTable(domains)
            for _ in 0..<30 {
                let address = "p@\(domain())"
                let expected = reference(domains, address)
                #expect(table.scope(of: address) == expected, "\(address) \(domains)")
                matches += expected == nil ? 0 : 1
            }
        }
        #expect(matches > 1000)
    }
}

extension Limits {
    /// The limit of a scope by its text.
    func limit(_ scope: String) -> RateLimit? { LimitScope(scope).flatMap(limit) }
}
