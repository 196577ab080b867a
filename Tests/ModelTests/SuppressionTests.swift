import Model
import Testing

/// Of two suppressions with one key one is kept, whatever the order.
@Suite struct SuppressionTests {
    private func some(_ count: Int) -> [Suppression] {
        var generator = SeededGenerator(seed: 21)
        return (0..<count).map { _ in
            Suppression(
                Suppression.Key(.email, "a@example.com"), reason: Suppression.Reason.allCases.randomElement(using: &generator) ?? .manual,
                source: ["", "0000000000001.0.1"].randomElement(using: &generator) ?? "", at: .random(in: 0...2, using: &generator),
                expires: [nil, 1, 2, 3].randomElement(using: &generator) ?? nil)
        }
    }

    @Test func theOrderOfAdditionsDoesNotMatter() {
        let all = some(60)
        for a in all.prefix(20) {
            #expect(a.merged(with: a) == a)
            for b in all.suffix(40) {
                #expect(a.merged(with: b) == b.merged(with: a))
                for c in all.suffix(5) { #expect(a.merged(with: b).merged(with: c) == a.merged(with: b.merged(with: c))) }
            }
        }
    }

    @Test func whatLastsLongerIsKeptThenWhatIsOlder() {
        let key = Suppression.Key(.email, "a@example.com")
        let brief = Suppression(key, reason: .complaint, at: 1, expires: 10)
        let long = Suppression(key, reason: .manual, at: 2, expires: 20)
        let forever = Suppression(key, reason: .imported, at: 3)
        #expect(brief.merged(with: long) == long && forever.merged(with: long) == forever)
        #expect(forever.merged(with: Suppression(key, reason: .complaint, at: 2)).at == 2)
        #expect(brief.isInForce(at: 9) && !brief.isInForce(at: 10) && forever.isInForce(at: .max))
    }

    @Test(arguments: ["news", "a.b-c_9", String(repeating: "x", count: 64)]) func aCategoryHasAName(_ name: String) {
        #expect(Category.fault(name) == nil)
    }

    @Test(arguments: ["", "News", "a b", "ä", "all", String(repeating: "x", count: 65), "a\n"])
    func othersAreNoCategories(_ name: String) { #expect(Category.fault(name) != nil) }
}
