import Authentication
import Signing
import Testing

@Suite struct DomainCheckTests {
    private static func findings(
        _ records: [String: [String]], keys: [DKIMKey] = [], envelope: String = "example.com", ip: [String] = ["192.0.2.1"],
        lists: [String] = [], silent: Set<String> = []
    ) async -> [Finding] {
        await Check.run(
            DomainChecks(
                lookup: FixedNames(records: records, silent: silent), domain: "example.com", envelope: envelope,
                addresses: ip.compactMap { SenderAddress($0) }, helo: "mail.example.com", keys: keys, blockLists: lists
            ).all)
    }

    private static func key(_ algorithm: DKIMKey.Algorithm = .ed25519) throws -> DKIMKey {
        try DKIMKey(domain: "example.com", selector: "s1", pem: try DKIMKey.generate(algorithm))
    }

    private static let sound: [String: [String]] = [
        "example.com TXT": ["v=spf1 ip4:192.0.2.1 -all"], "example.com MX": ["10 mx.example.com"], "mx.example.com A": ["192.0.2.2"],
        "_dmarc.example.com TXT": ["v=DMARC1; p=reject; rua=mailto:d@example.com"], "1.2.0.192.in-addr.arpa PTR": ["mail.example.com"],
        "mail.example.com A": ["192.0.2.1"],
    ]

    @Test("A sound domain has no warning")
    func sound() async throws {
        let key = try Self.key()
        let found = await Self.findings(Self.sound.merging(["s1._domainkey.example.com TXT": [key.record]]) { $1 }, keys: [key])
        #expect(found.filter { $0.severity != .ok } == [])
        #expect(Set(found.map(\.check)) == ["SPF", "DKIM", "DMARC", "MX", "PTR", "BIMI"])
    }

    @Test(
        "Each change of a sound domain is found, and the other checks answer as before",
        arguments: [
            ("example.com TXT", [], "SPF", Finding.Severity.fault), ("example.com TXT", ["v=spf1 ip4:192.0.2.9 -all"], "SPF", .fault),
            ("example.com TXT", ["v=spf1 +all"], "SPF", .fault), ("example.com TXT", ["v=spf1 ip4:192.0.2.1"], "SPF", .warning),
            ("example.com MX", ["0 "], "MX", .fault), ("example.com MX", ["10 no.example.com"], "MX", .fault),
            ("example.com MX", [], "MX", .fault), ("_dmarc.example.com TXT", [], "DMARC", .fault),
            ("_dmarc.example.com TXT", ["v=DMARC1; p=none; rua=mailto:a@example.com"], "DMARC", .warning),
            ("_dmarc.example.com TXT", ["v=DMARC1; p=reject; pct=50; rua=mailto:a@example.com"], "DMARC", .warning),
            ("1.2.0.192.in-addr.arpa PTR", [], "PTR", .fault), ("1.2.0.192.in-addr.arpa PTR", ["mx.example.com"], "PTR", .fault),
            ("default._bimi.example.com TXT", ["v=BIMI1; l=http://example.com/a.svg"], "BIMI", .warning),
        ])
    func change(name: String, to texts: [String], check: String, severity: Finding.Severity) async throws {
        let key = try Self.key()
        var records = Self.sound
        records["s1._domainkey.example.com TXT"] = [key.record]
        records[name] = texts.isEmpty ? nil : texts
        let found = await Self.findings(records, keys: [key])
        #expect(found.filter { $0.check == check }.map(\.severity).max() == severity)
        #expect(found.filter { $0.check != check && $0.severity != .ok } == [])
    }

    @Test("A key's record is compared with the key")
    func keys() async throws {
        let (key, other) = (try Self.key(), try Self.key())
        for (record, severity) in [
            (key.record, Finding.Severity.ok), (other.record, .fault), ("v=DKIM1; k=ed25519; p=", .fault), ("hello", .fault),
            (key.record + "; t=y", .warning), (key.record + "; s=chat", .fault), (key.record + "; h=sha1", .fault),
            (key.record.replacing("ed25519", with: "rsa"), .fault),
        ] {
            let found = await Self.findings(["s1._domainkey.example.com TXT": [record]], keys: [key])
            #expect(found.filter { $0.check == "DKIM" }.map(\.severity) == [severity], "\(record)")
        }
        #expect(await Self.findings([:], keys: [key]).first { $0.check == "DKIM" }?.severity == .fault)
    }

    @Test("A return path of another organization is aligned by DKIM alone")
    func returnPath() async throws {
        var records = Self.sound
        records["example.net TXT"] = records["example.com TXT"]
        let without = await Self.findings(records, envelope: "example.net")
        #expect(without.contains { $0.check == "DMARC" && $0.severity == .fault })
        let with = await Self.findings(records, keys: [try Self.key()], envelope: "example.net")
        #expect(!with.contains { $0.check == "DMARC" && $0.severity != .ok })
    }

    @Test("An entry of a block list is told from a list that refuses the question")
    func blockLists() async {
        for (code, severity) in [("127.0.0.2", Finding.Severity.fault), ("127.255.255.254", .warning), ("192.0.2.7", .warning)] {
            let found = await Self.findings(["1.2.0.192.list.example A": [code]], lists: ["list.example"])
            #expect(found.last?.severity == severity)
        }
    }

    @Test("A server that is silent leaves each check with a warning")
    func silent() async {
        let names = ["example.com", "_dmarc.example.com", "1.2.0.192.in-addr.arpa", "default._bimi.example.com"]
        let found = await Self.findings([:], silent: Set(names))
        #expect(found.allSatisfy { $0.severity == .warning })
        #expect(Set(found.map(\.check)) == ["SPF", "DKIM", "DMARC", "MX", "PTR", "BIMI"])
    }
}
