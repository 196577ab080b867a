import Model
import Policy
import Testing

@Suite struct SuppressionRowTests {
    private func row(_ values: [SuppressionRow.Field: String]) -> SuppressionRow {
        var row = SuppressionRow()
        row.values = [.channel: "email", .address: "a@example.com"].merging(values) { $1 }
        return row
    }

    private func read(_ values: [SuppressionRow.Field: String], now: Int64 = 1_798_761_600_000) throws -> Suppression {
        try row(values).read(country: PhoneCountry("DE"), reason: .imported, now: now)
    }

    @Test func emptyValuesHaveDefaults() throws {
        #expect(try read([:]) == Suppression(Suppression.Key(.email, "a@example.com"), reason: .imported, at: 1_798_761_600_000))
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

    @Test func namesAreReadWhateverTheirCase() throws {
        let found = try read([.channel: "EMAIL", .category: "News", .reason: "Hard_Bounce"])
        #expect(found.key == Suppression.Key(.email, "a@example.com", category: "news") && found.reason == .hardBounce)
        #expect(try read([.category: "ALL"]).key.category.isEmpty)
    }

    @Test func datesFitTogether() throws {
        let day: Int64 = 86_400_000
        let now: Int64 = 1_796_083_200_000
        // Where the sun has risen already.
        #expect(try read([.date: "2026-12-02"], now: now).at == now + day)
        for values in [
            [SuppressionRow.Field.date: "2026-12-03"], [.date: "2026-11-02", .expiry: "2026-11-02"],
            [.date: "2026-11-02", .expiry: "2026-11-01"],
        ] {
            do {
                _ = try row(values).read(country: nil, reason: .manual, now: now)
                Issue.record("\(values) is taken")
            } catch { #expect(error.field == (values[.expiry] == nil ? .date : .expiry)) }
        }
        // One that has expired is older than its end, so that a table that was exported is read again.
        let expired = try read([.expiry: "2026-11-02"], now: now)
        #expect(expired.at == expired.expires && !expired.isInForce(at: now))
    }

    /// Whoever corrects a table corrects a row once.
    @Test func aBadRowTellsAllThatIsWrongWithIt() {
        let bad = row([.address: "nobody", .category: "A B", .reason: "because", .date: "soon", .expiry: "never", .source: "x"])
        guard case .failure(let faults) = bad.judge(country: nil, reason: .manual, now: 1_798_761_600_000) else {
            Issue.record("it is taken")
            return
        }
        #expect(faults.all.map(\.field) == [.address, .category, .date, .expiry, .reason, .source])
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
        (SuppressionRow.Field.channel, ""), (.channel, "fax"), (.address, " "), (.address, "nobody"), (.category, "Spring News"),
        (.address, String(repeating: "a", count: 2000)), (.reason, "because"), (.date, "yesterday"), (.date, "2026-02-30"),
        (.expiry, "2026-12-01T00:00:00"), (.expiry, "0000-01-01"), (.source, "x.1.2"), (.source, "0000000000001.1"),
    ])
    func refusesWhatIsNone(_ field: SuppressionRow.Field, _ value: String) {
        #expect(throws: SuppressionRow.Fault.self) { try read([field: value]) }
        do { _ = try row([field: value]).read(country: nil, reason: .manual, now: 1_798_761_600_000) } catch {
            #expect(error.field == field)
        }
    }
}
