import Model
import Policy
import Testing

@Suite struct SenderHeadersTests {
    private func headers(_ change: (inout Mailing) -> Void = { _ in }) -> [String: String] {
        var mailing = Mailing(name: "sale", channel: .email, provider: "main")
        change(&mailing)
        var defaults = SenderHeaders()
        (defaults.list, defaults.sender) = ("news.example.com", "examplecom")
        let added = defaults.added(to: mailing, id: MailingID("a4brbqeb84xz7") ?? MailingID(firstOf: 0))
        return Dictionary(uniqueKeysWithValues: (added.headers ?? []).map { ($0.name, $0.value.source) })
    }

    @Test func aMailingGetsTheListAndTheSenderOfTheSettings() {
        #expect(headers() == ["List-Id": "<news.example.com>", "Feedback-ID": "a4brbqeb84xz7:examplecom"])
        let offers = headers { $0.category = "offers" }
        #expect(offers == ["List-Id": "<offers.news.example.com>", "Feedback-ID": "a4brbqeb84xz7:offers:examplecom"])
    }

    /// Mail programs sort by the List-Id, and offer to leave that list alone.
    @Test func noTwoCategoriesShareAList() {
        let categories = ["a_b", "a-b", "a.b", "0"]
        let lists = categories.map { category in headers { $0.category = category }["List-Id"] ?? "" }
        #expect(lists == categories.map { "<\($0).news.example.com>" })
        for category in [".a", "a.", "a..b", "A", "_", String(repeating: "a", count: 64), "{{id}}"] {
            #expect(headers { $0.category = category }["List-Id"] == "<news.example.com>")
        }
    }

    @Test func itsOwnHeadersAndOtherChannelsStayAsTheyAre() {
        let own = headers { $0.headers = [Mailing.Header(name: "list-id", value: Mailing.Template(source: "<x.example.com>"))] }
        #expect(own == ["list-id": "<x.example.com>", "Feedback-ID": "a4brbqeb84xz7:examplecom"])
        #expect(headers { $0.channel = .sms }.isEmpty)
    }

    /// Mailbox providers ignore a Feedback-ID with a part twice.
    @Test func noPartIsThereTwiceOrCannotBeWritten() {
        #expect(headers { $0.category = "examplecom" }["Feedback-ID"] == "a4brbqeb84xz7:examplecom")
        let odd = headers { $0.category = "a:b" }
        #expect(odd == ["List-Id": "<news.example.com>", "Feedback-ID": "a4brbqeb84xz7:examplecom"])
        #expect(["four", "sixteen-letters-", "a b cd", "a:b:c", "{{id}}", "<abcd>"].allSatisfy { !SenderHeaders.isSender($0) })
        #expect(SenderHeaders.isSender("fifteen-letters"))
    }
}
