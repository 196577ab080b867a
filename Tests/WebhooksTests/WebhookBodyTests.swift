import Foundation
import Ledger
import Model
import Policy
import Signing
import Testing
import Text

@testable import Webhooks

@Suite struct WebhookBodyTests {
    private func message(_ type: WebhookType = .clicked) throws -> WebhookMessage {
        let id = try #require(MailingID("0123456789abc"))
        var event = WebhookEvent(type, batch: 2, index: 7, at: 1_800_000_000_123)
        (event.attempt, event.provider, event.messageID, event.link, event.visitor) = (2, "main", "m1", 3, .human)
        var message = WebhookMessage(
            place: WebhookPlace(9, 1), event: event, mailing: id, name: "\"Spring\"\n", number: 4, channel: "email")
        (message.recipient, message.address) = ("r1", "ann@example.com")
        return message
    }

    @Test func saysWhatHappenedToWhom() throws {
        let body = WebhookBody(try message(), ledger: "l")
        let json = try #require(try JSONSerialization.jsonObject(with: Data(body.bytes)) as? [String: Any])
        #expect(json["type"] as? String == "recipient.clicked")
        #expect(json["timestamp"] as? String == "2027-01-15T08:00:00.123Z")
        let data = try #require(json["data"] as? [String: Any])
        let mailing = try #require(data["mailing"] as? [String: Any])
        #expect(mailing["name"] as? String == "\"Spring\"\n" && mailing["number"] as? Int == 4)
        #expect(data["message"] as? String == "0123456789abc.2.7" && data["recipient"] as? String == "r1")
        #expect(data["address"] as? String == "ann@example.com" && data["channel"] as? String == "email")
        #expect(data["link"] as? Int == 3 && data["class"] as? String == "human" && data["attempt"] as? Int == 2)
        #expect(data["provider"] as? String == "main" && data["provider_message_id"] as? String == "m1")
        #expect(data["state"] == nil)
    }

    @Test func theIdIsTheEvents() throws {
        var other = try message()
        let id = WebhookBody(other, ledger: "l").id
        other.place = WebhookPlace(77, 3)
        other.address = ""
        #expect(WebhookBody(other, ledger: "l").id == id)
        #expect(WebhookBody(other, ledger: "m").id != id)
        other.event.at += 1
        #expect(WebhookBody(other, ledger: "l").id != id)
        #expect(WebhookBody(try message(.opened), ledger: "l").id != id)
    }

    @Test func aMailingsMessageNamesNoRecipient() throws {
        let text = String(decoding: WebhookBody(try message(.mailingSent), ledger: "l").bytes, as: UTF8.self)
        #expect(text.contains(#""type":"mailing.sent""#) && text.contains(#""state":"sent""#))
        #expect(!text.contains("recipient") && !text.contains("ann@"))
    }

    @Test func bothSecretsSignWhileOneIsRotated() throws {
        let (old, new) = (WebhookSecret.random(), WebhookSecret.random())
        let body = WebhookBody(try message(), ledger: "l")
        let lines = body.headers([new, old], now: 1_800_000_000_999)
        #expect(lines[0] == "webhook-id: \(body.id)" && lines[1] == "webhook-timestamp: 1800000000")
        let signatures = [new, old].map { $0.sign(id: body.id, timestamp: 1_800_000_000, body.bytes) }
        #expect(lines[2] == "webhook-signature: \(signatures.joined(separator: " "))")
    }

    @Test func answersAreJudged() {
        #expect(WebhookAnswer.status(204, retryAfter: nil).outcome == .accepted)
        #expect(WebhookAnswer.status(410, retryAfter: nil).outcome == .gone)
        #expect(WebhookAnswer.status(302, retryAfter: nil).outcome == .failed(words: "it was answered with 302", retryAfter: nil))
        #expect(WebhookAnswer.status(503, retryAfter: 7).outcome == .failed(words: "it was answered with 503", retryAfter: 7))
        #expect(WebhookAnswer.none.outcome == .notSent)
    }
}
