import Model
import Planning
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
        let counts = make(.init(count: 100_000, seed: 1, invalid: 0.02, duplicates: 0.03, missing: 0.01)).counts
        #expect(counts.all == 100_000)
        #expect((1_800...2_200).contains(counts.invalid))
        #expect((2_700...3_300).contains(counts.duplicates))
        #expect((850...1_150).contains(counts.missing))
        #expect(make(.init(count: 500, invalid: 0, duplicates: 0, missing: 0)).counts.valid == 500)
        #expect(make(.init(count: 500, invalid: 1, duplicates: 0, missing: 0)).counts.invalid == 500)
    }

    @Test func namesReservedDomainsOnlyAndManyScripts() {
        let text = String(decoding: make(.init(count: 5_000, invalid: 0)).text, as: UTF8.self)
        for line in text.split(separator: "\n") where line.contains("@") {
            guard let domain = line.split(separator: "@").last?.split(whereSeparator: { $0 == "," || $0 == " " }).first
            else { continue }
            let last = domain.lowercased()
            #expect(
                [".example", ".test", "example.com", "example.org", "example.net"].contains { last.hasSuffix($0) },
                "\(line)")
        }
        for word in ["Müller", "Шевченко", "Ελένη", "فاطمة", "כהן", "प्रिया", "北京", "さくら", "서울", "\"\"Föhr\"\"", "set:\n4"]
        {
            #expect(text.contains(word), "\(word)")
        }
    }
}
