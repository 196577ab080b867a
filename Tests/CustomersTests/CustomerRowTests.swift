import Customers
import Model
import Policy
import Testing

@Suite struct CustomerRowTests {
    private let attributes = [
        Attribute(name: "age", type: .number, number: 1), Attribute(name: "colours", type: .list, number: 7),
    ]

    private func read(
        _ header: [String], _ values: [String], mapping: [String: String] = [:], subscribed: Subscription.State? = nil,
        country: String = "DE"
    ) throws -> CustomerChange {
        let columns = try CustomerColumns(header, mapping: mapping, attributes: attributes)
        let row = CustomerRow(columns: columns, country: PhoneCountry(country), subscribed: subscribed)
        return try row.read { $0 < values.count ? values[$0] : "" }
    }

    @Test func aRowSaysWhatItHasAndNothingElse() throws {
        let change = try read(
            ["id", "Email", "sms", "language", "age", "tags", "colours"], [" 7 ", "Ann@EXAMPLE.com", "", "de", "41", "vip|new"])
        var expected = CustomerChange(id: "7")
        expected.addresses[.email] = [CustomerAddress(address: "Ann@example.com", key: "ann@example.com", isValid: true)]
        expected.language = "de"
        expected.attributes[1] = .number(41_000_000)
        expected.tags = ["new", "vip"]
        #expect(change == expected)
    }

    @Test func columnsAreMappedAndIgnored() throws {
        let change = try read(["Kunden-Nr", "Alter", "Junk"], ["a", "5", "x"], mapping: ["Kunden-Nr": "id", "Alter": "age", "Junk": "-"])
        #expect(change.id == "a" && change.attributes == [1: .number(5_000_000)])
    }

    @Test(arguments: [
        ["email"], ["id", "agee"], ["id", "ID"], ["id", "subscribed_fax"], ["id", "subscribed_email:Bad Name"],
    ])
    func columnsThatMeanNothingAreRefused(header: [String]) {
        #expect(throws: CustomerColumns.Fault.self) { try CustomerColumns(header, mapping: [:], attributes: attributes) }
    }

    @Test func aMistypedColumnIsSuggested() {
        let fault = #expect(throws: CustomerColumns.Fault.self) {
            try CustomerColumns(["id", "emial"], mapping: [:], attributes: attributes)
        }
        #expect(fault?.description.contains("did you mean 'email'?") == true)
    }

    @Test func consentIsForTheChannelsThatHaveAnAddress() throws {
        let change = try read(["id", "email", "sms", "subscribed", "subscribed_sms:news"], ["1", "a@x.com", "", "yes", "no"])
        #expect(change.subscriptions == [SubscriptionKey(.email): .subscribed, SubscriptionKey(.sms, category: "news"): .unsubscribed])
        // What a column says of a channel counts for more than what one says of all.
        let own = try read(["id", "email", "subscribed", "subscribed_email"], ["1", "a@x.com", "yes", "no"])
        #expect(own.subscriptions == [SubscriptionKey(.email): .unsubscribed])
        let usual = try read(["id", "email"], ["1", "a@x.com"], subscribed: .unconfirmed)
        #expect(usual.subscriptions == [SubscriptionKey(.email): .unconfirmed])
        #expect(try read(["id", "email"], ["1", "a@x.com"]).subscriptions.isEmpty)
    }

    @Test func theMainAddressStaysTheFirst() throws {
        for text in ["zoe@x.com|anna@x.com", "[\"zoe@x.com\",\"anna@x.com\"]"] {
            #expect(try read(["id", "email"], ["1", text]).addresses[.email]?.map(\.key) == ["zoe@x.com", "anna@x.com"])
        }
    }

    @Test func whatIsNoAddressIsKeptAsNotValid() throws {
        let change = try read(["id", "email", "sms"], ["1", "no address", "0151 12345678|0151-12345678|+4915112345679"])
        #expect(change.addresses[.email] == [CustomerAddress(address: "no address", key: "no address", isValid: false)])
        #expect(change.addresses[.sms]?.map(\.key) == ["+4915112345678", "+4915112345679"])
    }

    @Test(arguments: [
        ("", "id"), ("status", "gone"), ("language", "deutsch-"), ("time_zone", "Mars/Base"), ("main_channel", "fax"),
        ("subscribed", "perhaps"), ("age", "old"), ("tags", "[1]"),
    ])
    func faultsNameTheColumn(column: String, value: String) {
        let fault = #expect(throws: CustomerRow.Fault.self) {
            _ = column.isEmpty ? try read(["id", "email"], [" ", "a@x.com"]) : try read(["id", column], ["1", value])
        }
        #expect(fault?.column == (column.isEmpty ? 0 : 1))
    }
}
