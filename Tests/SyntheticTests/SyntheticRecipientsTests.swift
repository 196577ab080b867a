import Model
import Planning
import Policy
import Synthetic
import Testing

@Suite struct SyntheticRecipientsTests {
    private func make(_ options: SyntheticRecipients.Options) -> (text: [UInt8], counts: SyntheticRecipients.Counts) {
        var rows = SyntheticRecipients(options)
        var text: [UInt8] = []
        rows.appendHeader(to: &text)
        while rows.appendRow(to: &text) {}
        return (text, rows.counts)
    }

    @Test func theSameSeedGivesTheSameFile() {
        #expect(make(.init(count: 2_000, seed: 3)).text == make(.init(count: 2_000, seed: 3)).text)
        #expect(make(.init(count: 2_000, seed: 3)).text != make(.init(count: 2_000, seed: 4)).text)
    }

    @Test func keepsToTheSharesAskedFor() {
        let counts = make(.init(count: 100_000, seed: 1, excluded: .init(invalid: 0.02, duplicates: 0.03, missing: 0.01))).counts
        #expect(counts.all == 100_000)
        #expect((1_800...2_200).contains(counts.invalid))
        #expect((2_700...3_300).contains(counts.duplicates))
        #expect((850...1_150).contains(counts.missing))
        #expect(make(.init(count: 500, excluded: .none)).counts.valid == 500)
        #expect(make(.init(count: 500, excluded: .init(invalid: 1, duplicates: 0, missing: 0))).counts.invalid == 500)
    }

    @Test func domainsHaveTheSharesThatAreAskedForInEachStretchOfRows() throws {
        let shares = [try SyntheticDomainShare("gmail.example", "40%"), try SyntheticDomainShare("outlook.example", "0.25")]
        for seed: UInt64 in [1, 2, 77] {
            let (text, _) = make(.init(count: 3_000, seed: seed, excluded: .none, domains: shares))
            let rows = String(decoding: text, as: UTF8.self).split(separator: "\n").filter { $0.contains("@") }
            #expect(rows.count == 3_000)
            for start in stride(from: 0, to: 3_000, by: 500) {
                let part = rows[start..<start + 500]
                #expect((198...202).contains(part.count { $0.contains("@gmail.example,") }), "seed \(seed), from \(start)")
                #expect((123...127).contains(part.count { $0.contains("@outlook.example,") }), "seed \(seed), from \(start)")
            }
            #expect(
                Set(rows.compactMap { $0.split(separator: "@").last?.split(separator: ",").first }).count == 2
                    + SyntheticRecipients.usualDomains.count)
        }
        let all = make(.init(count: 300, excluded: .none, domains: [try SyntheticDomainShare("gmail.example", "1")]))
        #expect(String(decoding: all.text, as: UTF8.self).split(separator: "@gmail.example,").count == 301)
        // What else is in a row stays as it is without them.
        let plain = String(decoding: make(.init(count: 50)).text, as: UTF8.self)
        let other = String(decoding: make(.init(count: 50, domains: [try SyntheticDomainShare("gmail.example", "0")])).text, as: UTF8.self)
        #expect(plain == other)
    }

    @Test func namesReservedDomainsOnlyAndManyScripts() {
        let text = String(decoding: make(.init(count: 5_000, excluded: .init(invalid: 0))).text, as: UTF8.self)
        for line in text.split(separator: "\n") where line.contains("@") {
            guard let domain = line.split(separator: "@").last?.split(whereSeparator: { $0 == "," || $0 == " " }).first
            else { continue }
            let last = domain.lowercased()
            #expect(
                [".example", ".test", "example.com", "example.org", "example.net"].contains { last.hasSuffix($0) },
                "\(line)")
        }
        for word in ["Müller", "Шевченко", "Ελένη", "فاطمة", "כהן", "प्रिया", "北京", "さくら", "서울", "\"\"Föhr\"\"", "set:\n4"] {
            #expect(text.contains(word), "\(word)")
        }
    }
}
