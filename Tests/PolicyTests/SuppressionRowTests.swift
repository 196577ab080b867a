import Model
import Policy
import Testing

@Suite struct SuppressionRowTests {
    private func row(_ values: [SuppressionRow.Field: String]) -> SuppressionRow {
        var row = SuppressionRow()
        row.values = [.channel: "email", .address: "a@example.com"].merging(values) { $1 }
        return row
    }

    private func read(_ values: [SuppressionRow.Field: String]) throws -> Suppression {
        try row(values).read(country: PhoneCountry("DE"), reason: .imported, now: 77)
    }

    @Test func emptyValuesHaveDefaults() throws {
        #expect(try read([:]) == Suppression(Suppression.Key(.email, "a@example.com"), reason: .imported, at: 77))
        #expect(try read([.category: "all"]).key.category.isEmpty)
    }

    @Test func readsEachValue() throws {
        let found = try read([
            .category: " news ", .reason: "hard_bounce", .date: "2026-12-01", .expiry: "2026-12-02T01:00:00+01:00",
            .source: "0000000000001.3.12",
        ])
        let key = Suppression.Key(.email, "a@example.com", category: "news")
        let day: Int64 = 1_796_083_200_000
        #expect(found == Suppression(key, reason: .hardBounce, source: "0000000000001.3.12", at: day, expires: day + 86_400_000))
    }

    @Test(arguments: [
        (Channel.email, " Ann <ANN@Bücher.example> ", "ann@xn--bcher-kva.example"), (.email, "mailto:a@EXAMPLE.com", "a@example.com"),
        (.sms, "0151 12345678", "+4915112345678"), (.sms, "+49 151 12345678", "+4915112345678"), (.messenger, " Chat7 ", "Chat7"),
        (.webhook, "x", "x"),
    ])
    func addressesAreComparedInTheirKeys(_ channel: Channel, _ address: String, _ key: String) throws {
        #expect(try read([.channel: channel.rawValue, .address: address]).key == Suppression.Key(channel, key))
    }

    @Test(arguments: [
        (SuppressionRow.Field.channel, ""), (.channel, "fax"), (.address, " "), (.address, "nobody"), (.category, "News"),
        (.address, String(repeating: "a", count: 2000)), (.reason, "because"), (.date, "yesterday"), (.date, "2026-02-30"),
        (.expiry, "2026-12-01T00:00:00"), (.expiry, "0000-01-01"), (.source, "x.1.2"), (.source, "0000000000001.1"),
    ])
    func refusesWhatIsNone(_ field: SuppressionRow.Field, _ value: String) {
        #expect(throws: SuppressionRow.Fault.self) { try read([field: value]) }
        do { _ = try row([field: value]).read(country: nil, reason: .manual, now: 0) } catch { #expect(error.field == field) }
    }
}
