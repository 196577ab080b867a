import Broker
import Foundation
import Logging
import Model
import Receipts
import ServiceLifecycle
import Synchronization
import Telemetry
import TestServers
import Testing
import Text

@testable import Tracking

/// What a provider's requests to a real tracker become, and what anybody else's do.
@Suite(.timeLimit(.minutes(5))) struct WebhookReceiverTests {
    /// SendGrid's own example: sendgrid-python, test_eventwebhook.py.
    private static let sendGridKey =
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEDr2LjtURuePQzplybdC+u4CwrqDqBaWjcMMsTbhdbcwHBcepxo7yAQGhHPTnlvFYPAZFceEu/1FwCM/QmGUhA=="

    /// RFC 7617 section 2: Aladdin and "open sesame".
    private static let basic = "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    private static let bounce = #"{"RecordType":"Bounce","Type":"HardBounce","MessageID":"883953f4","Email":"john@example.com"}"#

    private struct Setup {
        let test: TestTracker
        /// Addresses that were asked for.
        let fetched = Fetched()

        final class Fetched: Sendable { let all = Mutex<[String]>([]) }

        func serving(_ body: (Int) async throws -> Void) async throws {
            let folder = try SpoolFolder(test.folder.path("spool"))
            let events = EventBuffer(EventStreams(test.broker), folder: folder, limit: 1 << 20, logger: quietLogger)
            let sender = ReceiptSender(ReceiptStreams(test.broker), folder: folder, limit: 1 << 20, logger: quietLogger)
            let hooks = [
                "mail": WebhookReceiver.Hook(.postmark, provider: "main", secret: Secret("Aladdin:open sesame")),
                "grid": WebhookReceiver.Hook(.sendGrid, provider: "grid", secret: Secret(WebhookReceiverTests.sendGridKey)),
                "ses": WebhookReceiver.Hook(.amazonSES, provider: "ses", topic: "arn:aws:sns:us-west-2:123456789012:ses"),
            ]
            let receiver = WebhookReceiver(
                hooks, url: "http://localhost", receipts: sender,
                fetch: { [fetched] url in
                    fetched.all.withLock { $0.append(url) }
                    throw CancellationError()
                }, logger: quietLogger)
            try await TestServers.serving(
                { onListening in
                    let server = TrackerServer(
                        Tracker(.init(url: "http://localhost", keys: test.keys)), at: ListenAddress(host: "127.0.0.1", port: 0),
                        connections: 32, events: events, webhooks: receiver, logger: quietLogger, onListening: { onListening($0.port) })
                    return [events, sender, server]
                }, body)
        }

        /// Receipts that arrived in Redis.
        func arrived(_ count: Int) async throws -> [ProviderReceipt] {
            let streams = ReceiptStreams(test.broker)
            var all: [ProviderReceipt] = []
            try await eventually("\(count) receipts arrive") {
                guard let entries = try? await streams.read(consumer: "c", count: 100, block: nil) else { return false }
                all += entries.compactMap(\.batch).flatMap(\.receipts)
                try await streams.confirm(entries)
                return all.count >= count
            }
            await streams.close()
            return all
        }
    }

    private func post(_ port: Int, _ path: String, _ fields: [String] = [], _ body: String, method: String = "POST") async throws -> Int {
        let client = try RawClient(port)
        let head = ["\(method) \(path) HTTP/1.1", "Host: localhost", "Connection: close", "Content-Length: \(body.utf8.count)"] + fields
        try await client.send(head.joined(separator: "\r\n") + "\r\n\r\n" + body)
        return Int(try await client.receive().text.dropFirst(9).prefix(3)) ?? 0
    }

    @Test func aSignedRequestBecomesReceipts() async throws {
        let setup = Setup(test: try await TestTracker())
        try await setup.serving { port in
            #expect(try await post(port, "/h/mail", [Self.basic], Self.bounce) == 200)
            let receipt = try #require(try await setup.arrived(1).first)
            #expect(receipt.kind == .bounced && receipt.webhook == "mail" && receipt.provider == "main")
            #expect(receipt.providerID == "883953f4" && receipt.recipient == "john@example.com" && receipt.arrived > 0)
        }
    }

    @Test func whatIsNotTheProvidersIsRefused() async throws {
        let setup = Setup(test: try await TestTracker())
        try await setup.serving { port in
            let unsigned = try await post(port, "/h/mail", [], Self.bounce)
            #expect(unsigned == 403)
            #expect(try await post(port, "/h/mail", ["Authorization: Basic QWxhZGRpbjpvcGVu"], Self.bounce) == 403)
            #expect(try await post(port, "/h/none", [Self.basic], Self.bounce) == 404)
            #expect(try await post(port, "/h/mail", [Self.basic], "", method: "GET") == 404)
            // SendGrid's own example, years old by now, and one without a signature.
            let old = [
                "X-Twilio-Email-Event-Webhook-Signature: "
                    + "MEUCIQCtIHJeH93Y+qpYeWrySphQgpNGNr/U+UyUlBkU6n7RAwIgJTz2C+8a8xonZGi6BpSzoQsbVRamr2nlxFDWYNH2j/0=",
                "X-Twilio-Email-Event-Webhook-Timestamp: 1588788367",
            ]
            let body = #"{"category":"example_payload","event":"test_event","message_id":"message_id"}"#
            #expect(try await post(port, "/h/grid", old, body) == 403)
            #expect(try await post(port, "/h/grid", [], body) == 403)
            #expect(try await post(port, "/h/grid", [], "[" + String(repeating: "[", count: 100_000)) == 400)
            // Of what is too long no more than the head is read.
            for (path, length) in [("/h/mail", 10 << 20), ("/u/none", 20 << 10)] {
                let client = try RawClient(port)
                try await client.send("POST \(path) HTTP/1.1\r\nHost: localhost\r\n\(Self.basic)\r\nContent-Length: \(length)\r\n\r\n")
                #expect(try await client.receive { $0.contains("\r\n\r\n") }.text.hasPrefix("HTTP/1.1 413"))
            }
            #expect(try await post(port, "/h/mail", [Self.basic], Self.bounce) == 200)
            #expect(try await setup.arrived(1).count == 1)
        }
    }

    /// RFC 9110 section 10.1.1: who waits to be asked for a body would give up.
    @Test func aLargeBodyIsAskedFor() async throws {
        let setup = Setup(test: try await TestTracker())
        let body = Self.bounce + String(repeating: " ", count: 100_000)
        let head = [
            "POST /h/mail HTTP/1.1", "Host: localhost", "Connection: close", Self.basic, "Expect: 100-continue",
            "Content-Length: \(body.utf8.count)",
        ]
        try await setup.serving { port in
            let client = try RawClient(port)
            try await client.send(head.joined(separator: "\r\n") + "\r\n\r\n")
            #expect(try await client.receive { $0.contains("\r\n\r\n") }.text.hasPrefix("HTTP/1.1 100"))
            try await client.send(body)
            #expect(try await client.receive().text.contains("HTTP/1.1 200"))
        }
    }

    /// Whoever has an account there can have a topic of Amazon's, and a certificate elsewhere.
    @Test func onlyTheTopicOfTheSettingsIsTakenAndNobodyElsesAddressAskedFor() async throws {
        let setup = Setup(test: try await TestTracker())
        func message(_ topic: String, _ certificate: String, type: String = "Notification") -> String {
            #"{"Type":"\#(type)","TopicArn":"\#(topic)","SigningCertURL":"\#(certificate)"}"#
        }
        let (own, amazon) = ("arn:aws:sns:us-west-2:123456789012:ses", "https://sns.us-west-2.amazonaws.com/a.pem")
        let others = [
            message("arn:aws:sns:us-west-2:999999999999:ses", amazon),
            message(own, "https://sns.us-west-2.amazonaws.com.evil.example/a.pem"),
            message(own, "http://127.0.0.1/a.pem", type: "SubscriptionConfirmation"),
        ]
        try await setup.serving { port in
            for other in others {
                let status = try await post(port, "/h/ses", [], other)
                #expect(status == 403, "\(other)")
            }
            #expect(setup.fetched.all.withLock { $0 } == [])
            // Its own certificate cannot be had now: Amazon sends it again.
            let status = try await post(port, "/h/ses", [], message(own, amazon))
            #expect(status == 503)
            #expect(setup.fetched.all.withLock { $0 } == [amazon])
        }
    }

    /// What was answered with 200 outlives the end of the process.
    @Test func receiptsWaitOnDiskWhileRedisIsAway() async throws {
        let setup = Setup(test: try await TestTracker())
        let redis = setup.test.redis
        redis.stop()
        try await setup.serving { port in
            let status = try await post(port, "/h/mail", [Self.basic], Self.bounce)
            #expect(status == 200)
        }
        let spool = try FileManager.default.contentsOfDirectory(atPath: setup.test.folder.path("spool"))
        #expect(spool.contains { $0.hasPrefix("receipts.") })
        try await redis.start()
        try await setup.serving { port in
            let status = try await post(port, "/h/mail", [Self.basic], Self.bounce)
            let arrived = try await setup.arrived(2)
            #expect(status == 200 && arrived.map(\.providerID) == ["883953f4", "883953f4"])
        }
    }
}
