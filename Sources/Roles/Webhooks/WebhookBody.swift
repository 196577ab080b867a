package import Ledger
import Model
import Policy
import Signing
import Telemetry
import Text

/// A message as it goes to a receiver, but for its signature: the same at each attempt.
package struct WebhookBody: Sendable, Equatable {
    /// `webhook-id`: the same at each attempt, and where the event is told again.
    package var id: String
    package var bytes: [UInt8]

    /// - Parameter ledger: the ledger's own name: events of two ledgers have different ids.
    package init(_ message: WebhookMessage, ledger: String) {
        let event = message.event
        var subject = message.mailing.description
        if !event.type.isOfMailing { subject += ".\(event.batch).\(event.index)" }
        let digest = UploadDigest()
        digest.add(Array("\(ledger)\n\(subject)\n\(event.type.name)\n\(event.at)\n\(event.attempt)\n\(event.link)".utf8))
        id = "msg_" + digest.finish().prefix(32)
        var out = JSONWriter(capacity: 512)
        out.beginObject()
        out.member("type", event.type.name)
        out.member("timestamp", Timestamp.text(event.at))
        out.key("data")
        out.beginObject()
        Self.write(message, subject, to: &out)
        out.endObject()
        out.endObject()
        bytes = out.bytes
    }

    /// The message of `flotilla webhooks test`.
    package init(testOf subscription: WebhookSubscription, now: Int64) {
        id = "msg_test_" + String(UInt64.random(in: 0 ... .max), radix: 16)
        var out = JSONWriter(capacity: 128)
        out.beginObject()
        out.member("type", "webhook.test")
        out.member("timestamp", Timestamp.text(now))
        out.key("data")
        out.beginObject()
        out.member("subscription", subscription.id)
        out.endObject()
        out.endObject()
        bytes = out.bytes
    }

    private static func write(_ message: WebhookMessage, _ subject: String, to out: inout JSONWriter) {
        let event = message.event
        out.key("mailing")
        out.beginObject()
        out.member("id", message.mailing.description)
        out.member("name", message.name)
        if let number = message.number { out.member("number", number) }
        out.endObject()
        out.memberIfAny("channel", message.channel)
        out.memberIfAny("state", event.type.state ?? "")
        guard !event.type.isOfMailing else { return }
        out.member("message", subject)
        out.member("recipient", message.recipient)
        out.memberIfAny("address", message.address)
        if event.attempt > 0 { out.member("attempt", event.attempt) }
        out.memberIfAny("provider", event.provider)
        out.memberIfAny("provider_message_id", event.messageID)
        out.memberIfAny(event.type == .preferences ? "changes" : "reason", event.reason)
        if event.code > 0 { out.member("code", event.code) }
        if event.link > 0 { out.member("link", event.link) }
        if let visitor = event.visitor { out.member("class", visitor.name) }
    }

    /// The header lines of an attempt.
    /// - Parameters:
    ///   - secrets: sign it, each by itself.
    ///   - now: milliseconds since 1970.
    func headers(_ secrets: [WebhookSecret], now: Int64) -> [String] {
        let timestamp = now / 1000
        let signatures = secrets.map { $0.sign(id: id, timestamp: timestamp, bytes) }
        return ["webhook-id: \(id)", "webhook-timestamp: \(timestamp)", "webhook-signature: \(signatures.joined(separator: " "))"]
    }
}

extension JSONWriter {
    fileprivate mutating func member(_ name: String, _ value: String) {
        key(name)
        string(value.utf8)
    }

    fileprivate mutating func member(_ name: String, _ value: Int) {
        key(name)
        int(Int64(value))
    }

    fileprivate mutating func memberIfAny(_ name: String, _ value: String) {
        if !value.isEmpty { member(name, value) }
    }
}
