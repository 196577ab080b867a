import Ledger
import Model
import Testing

@testable import Collecting

/// Where short links lead, from the ledger's side.
@Suite struct LinkAnswerTests {
    private let asked: AskedMailing
    private let batch: BatchID

    init() throws {
        var mailing = Mailing(name: "m", channel: .sms, provider: "gateway", fields: ["id", "address", "code"])
        mailing.text = Mailing.Template(source: "https://a.example/{{code}} https://b.example")
        mailing.tracking = MailingTracking(campaign: ["source": "sms"])
        mailing.tracking?.targets = ["https://a.example/{{code}}", "https://b.example"]
        asked = try AskedMailing(mailing, tracking: nil)
        batch = BatchID(mailing: try #require(MailingID("0123456789abc")), number: 1)
    }

    private func answer(_ link: UInt32, _ values: [String]?) -> Answer {
        let recipient = AskedRecipient(
            batch: batch, index: 2,
            values: values.map { values in
                var row = Recipients(width: values.count)
                row.append(row: values)
                return row
            })
        return LinkAnswer.answer(Question(.link, mailing: 7, batch: 1, index: 2, link: link), recipient, asked)
    }

    private func target(_ text: String) -> Answer { .target(Array(text.utf8)) }

    @Test func aTargetHasTheRecipientsValuesAndTheCampaign() {
        #expect(answer(0, ["1", "+1", "Z9"]) == target("https://a.example/Z9?utm_source=sms"))
        #expect(answer(1, ["1", "+1", "Z9"]) == target("https://b.example?utm_source=sms"))
    }

    @Test func onlyALinkThatIsTheSameForAllOutlivesItsRecipient() {
        #expect(answer(0, nil) == .gone && answer(1, nil) == target("https://b.example?utm_source=sms"))
        #expect(LinkAnswer.answer(Question(.link, mailing: 7, batch: 1, index: 2, link: 0), asked) == nil)
        #expect(LinkAnswer.answer(Question(.link, mailing: 7, batch: 9, index: 9, link: 1), asked) == answer(1, nil))
    }

    @Test func whatNoMessageHasLeadsNowhere() {
        #expect(answer(2, ["1", "+1", "Z9"]) == .gone && answer(63, nil) == .gone)
        // A value that makes no address, values of another width, and an erased person.
        #expect(answer(0, ["1", "+1", "a b"]) == .gone && answer(0, ["1", "+1"]) == .gone && answer(0, ["1", "", ""]) == .gone)
        #expect(answer(0, ["1", "+1", String(repeating: "x", count: 4096)]) == .gone)
    }
}
