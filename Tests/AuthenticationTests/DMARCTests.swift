import Testing

@testable import Authentication

@Suite struct DMARCTests {
    private static func walk(_ domain: String, _ records: [String: String], silent: Set<String> = []) async -> DMARCTree {
        let texts = records.map { ("_dmarc.\($0.key) TXT", $0.value.split(separator: "|").map(String.init)) }
        return await DMARCTree.walk(domain, FixedNames(records: Dictionary(uniqueKeysWithValues: texts), silent: silent))
    }

    @Test("A domain is judged by its own record, and else by its organization's")
    func policy() async {
        let records = ["example.com": "v=DMARC1; p=reject; sp=quarantine", "news.example.com": "v=DMARC1; p=none"]
        let own = await Self.walk("news.example.com", records)
        #expect(own.policy?.record.policy == DMARCRecord.Policy.none)
        #expect(own.organization == "example.com")
        let below = await Self.walk("a.b.example.com", records)
        #expect(below.policy?.domain == "example.com")
        #expect(below.policy?.record.subdomainPolicy == .quarantine)
    }

    @Test("psd says where an organization ends")
    func suffixes() async {
        #expect(await Self.walk("a.shop.example", ["example": "v=DMARC1; p=none; psd=y"]).organization == "shop.example")
        let inner = await Self.walk("a.b.example.com", ["b.example.com": "v=DMARC1; p=none; psd=n", "example.com": "v=DMARC1; p=reject"])
        #expect(inner.organization == "b.example.com")
    }

    @Test("A long name costs eight questions at most")
    func longNames() {
        let names = DMARCTree.names("a.b.c.d.e.f.g.h.i.j.mail.example.com")
        #expect(names.count == 8)
        #expect(names[1] == "g.h.i.j.mail.example.com")
        #expect(names.last == "com")
        #expect(DMARCTree.names("example.com") == ["example.com", "com"])
        #expect(DMARCTree.names("com") == ["com"])
    }

    @Test(
        "Several records, and those without a policy, count as none",
        arguments: ["v=DMARC1; p=none|v=DMARC1; p=reject", "v=DMARC1", "v=DMARC1; p=sometimes"])
    func unusable(text: String) async {
        let tree = await Self.walk("example.com", ["example.com": text])
        #expect(tree.policy == nil)
        #expect(tree.unusable == ["example.com"])
    }

    @Test("Silence of DNS is told, and is no missing record")
    func silence() async { #expect(await Self.walk("example.com", [:], silent: ["_dmarc.example.com"]).failure != nil) }

    @Test("Relaxed alignment is by organization, strict alignment by domain")
    func alignment() async {
        let records = ["example.com": "v=DMARC1; p=reject"]
        let (from, bounce) = (await Self.walk("news.example.com", records), await Self.walk("bounce.example.com", records))
        #expect(from.isAligned("news.example.com", with: bounce, proven: "bounce.example.com", isStrict: false))
        #expect(!from.isAligned("news.example.com", with: bounce, proven: "bounce.example.com", isStrict: true))
        let other = await Self.walk("example.net", records)
        #expect(!from.isAligned("news.example.com", with: other, proven: "example.net", isStrict: false))
    }
}
