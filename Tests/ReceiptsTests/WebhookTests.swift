import Model
import Testing
import Text

@testable import Receipts

@Suite struct WebhookTests {
    private func webhook(_ scheme: ProviderScheme, _ body: String, headers: [String: String] = [:], url: String = "") throws -> Webhook {
        try Webhook(WebhookRequest(headers: headers, body: Array(body.utf8), url: url), by: scheme)
    }

    private func isTaken(_ webhook: Webhook, _ secret: String, at now: Int64) -> Bool {
        do {
            try webhook.verify(secret: Secret(secret), now: now)
            return true
        } catch { return false }
    }

    // SendGrid's own example: sendgrid-python, test_eventwebhook.py
    private let sendGridKey =
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEDr2LjtURuePQzplybdC+u4CwrqDqBaWjcMMsTbhdbcwHBcepxo7yAQGhHPTnlvFYPAZFceEu/1FwCM/QmGUhA=="
    private let sendGridBody = #"{"category":"example_payload","event":"test_event","message_id":"message_id"}"#
    private let sendGridHeaders = [
        "X-Twilio-Email-Event-Webhook-Signature":
            "MEUCIQCtIHJeH93Y+qpYeWrySphQgpNGNr/U+UyUlBkU6n7RAwIgJTz2C+8a8xonZGi6BpSzoQsbVRamr2nlxFDWYNH2j/0=",
        "X-Twilio-Email-Event-Webhook-Timestamp": "1588788367",
    ]

    @Test func sendGridsExampleIsTakenAndNothingElse() throws {
        let good = try webhook(.sendGrid, sendGridBody, headers: sendGridHeaders)
        #expect(isTaken(good, sendGridKey, at: 1_588_788_400))
        #expect(throws: WebhookFault.old(1000)) { try good.verify(secret: Secret(sendGridKey), now: 1_588_789_367) }
        #expect(throws: WebhookFault.old(-1000)) { try good.verify(secret: Secret(sendGridKey), now: 1_588_787_367) }
        #expect(!isTaken(try webhook(.sendGrid, sendGridBody + " ", headers: sendGridHeaders), sendGridKey, at: 1_588_788_400))
        var later = sendGridHeaders
        later["X-Twilio-Email-Event-Webhook-Timestamp"] = "1588788368"
        #expect(!isTaken(try webhook(.sendGrid, sendGridBody, headers: later), sendGridKey, at: 1_588_788_400))
        #expect(!isTaken(try webhook(.sendGrid, sendGridBody), sendGridKey, at: 1_588_788_400))
        for key in ["", "no key", "AAAA", String(sendGridKey.dropLast(10))] { #expect(!isTaken(good, key, at: 1_588_788_400)) }
    }

    /// Twilio's own example: twilio.com/docs/usage/security.
    @Test func twiliosExampleIsTakenAndNothingElse() throws {
        let body = "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212"
        let url = "https://mycompany.com/myapp.php?foo=1&bar=2"
        let headers = ["X-Twilio-Signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="]
        #expect(isTaken(try webhook(.twilio, body, headers: headers, url: url), "12345", at: 0))
        #expect(!isTaken(try webhook(.twilio, body, headers: headers, url: url + "3"), "12345", at: 0))
        #expect(!isTaken(try webhook(.twilio, body + "&a=b", headers: headers, url: url), "12345", at: 0))
        #expect(!isTaken(try webhook(.twilio, body, headers: headers, url: url), "12346", at: 0))
        #expect(!isTaken(try webhook(.twilio, body, url: url), "12345", at: 0))
    }

    /// Signed by PyPI's twilio 9.13.0 (sha256 a73eb7139f47ed0ad934e9cf0a26cd0add6b86e6ca4aec5964624a9ea588c11c).
    @Test(arguments: [
        ("https://t.example.com/h/sms", "28SI1BcOijGL78ot8rXwoquMAVw="),
        ("https://t.example.com/h/sms?mailing=1", "sThPG4SgH1/z/LF6KPqVbguTG+k="),
    ]) func twiliosOwnLibrarySignsWhatIsTaken(url: String, signature: String) throws {
        let body =
            "SmsSid=SM1f0e8ae6ade43cb3c0ce4525424e404f&SmsStatus=undelivered&MessageStatus=undelivered&To=%2B15005550006"
            + "&MessageSid=SM1f0e8ae6ade43cb3c0ce4525424e404f&AccountSid=AC4a2b&From=%2B15005550001&ApiVersion=2010-04-01&ErrorCode=30003"
        let headers = ["X-Twilio-Signature": signature]
        #expect(isTaken(try webhook(.twilio, body, headers: headers, url: url), "12345", at: 0))
        #expect(
            !isTaken(try webhook(.twilio, body.replacing("undelivered", with: "delivered"), headers: headers, url: url), "12345", at: 0))
        #expect(!isTaken(try webhook(.twilio, body, headers: headers, url: url + "x"), "12345", at: 0))
        #expect(!isTaken(try webhook(.twilio, body, headers: headers, url: url), "", at: 0))
    }

    /// RFC 2104 by Python's `hmac`: a program of one's own.
    @Test func aProgramOfOnesOwnTellsWithAnHMAC() throws {
        let body = #"{"event":"bounced","message_id":"0123456789abc.4.7","time":"2026-11-30T10:00:00Z","detail":"550 5.1.1 unknown"}"#
        let headers = [
            "X-Flotilla-Timestamp": "1796032800",
            "X-Flotilla-Signature": "bee5a1fa05baf0c753726878a5293c10299f242371bfdb29abe6ed904fa6a2e4",
        ]
        let good = try webhook(.generic, body, headers: headers)
        #expect(isTaken(good, "a secret", at: 1_796_032_900) && !isTaken(good, "a secret", at: 1_796_033_900))
        #expect(!isTaken(try webhook(.generic, body + " ", headers: headers), "a secret", at: 1_796_032_900))
        let receipt = try #require(try good.receipts().first)
        #expect(receipt.kind == .bounced && receipt.time == 1_796_032_800_000 && receipt.place?.index == 7)
        #expect(receipt.place?.batch == MailingID("0123456789abc").map { BatchID(mailing: $0, number: 4) })
    }

    @Test func onlyOurOwnIdsNameAPlace() {
        for text in [
            "", "a.b.c", "0123456789abc.1", "0123456789abc.1.2.3@x", "0123456789abc.-1.2@x", "0123456789abc.1.99999999999@x", "..@",
        ] {
            var receipt = ProviderReceipt(.delivered, word: "x")
            receipt.messageID = text
            #expect(receipt.place == nil, "\(text)")
        }
    }

    @Test func twilioTellsOfAMessage() throws {
        let event = try webhook(
            .twilio, "MessageSid=SM1f0e8ae6ade43cb3c0ce4525424e404f&MessageStatus=undelivered&To=%2B15005550006&ErrorCode=30003"
        ).receipts().first
        #expect(event?.kind == .undelivered && event?.providerID == "SM1f0e8ae6ade43cb3c0ce4525424e404f")
        #expect(event?.recipient == "+15005550006" && event?.detail == "30003" && event?.time == nil)
    }

    /// The example of documentation.mailgun.com, signed by Python's `hmac` with the key of that page.
    @Test func mailgunsExampleIsTakenAndTells() throws {
        let body = """
            {"signature": {"timestamp": "1529006854", "token": "a8ce0edb2dd8301dee6c2405235584e45aa91d1e9f979f3de0", \
            "signature": "b63c0701c4f4b614f272106a1b367c5c3369bcdca664ae73ebd52787e45eef07"}, \
            "event-data": {"event": "failed", "timestamp": 1529006854.329574, "id": "DACSsAdVSeGpLid7TN03WA", "severity": "permanent", \
            "recipient": "alice@example.com", "delivery-status": {"code": 605, "message": "", "description": "Not delivering to \
            previously bounced address"}, "message": {"headers": {"message-id": "20130503192659.13651.20287@mg.example.com"}}}}
            """
        let good = try webhook(.mailgun, body)
        let key = "key-3ax6xnjp29jd6fds4gc373sgvjxteol0"
        #expect(isTaken(good, key, at: 1_529_006_900) && !isTaken(good, key + "1", at: 1_529_006_900))
        // The last try is eight hours and five minutes later.
        #expect(isTaken(good, key, at: 1_529_035_954) && !isTaken(good, key, at: 1_529_040_000))
        #expect(!isTaken(try webhook(.mailgun, body.replacing("\"1529006854\"", with: "\"1529006855\"")), key, at: 1_529_006_900))
        let event = try #require(try good.receipts().first)
        #expect(event.kind == .bounced && event.recipient == "alice@example.com" && event.time == 1_529_006_854_330)
        #expect(event.messageID == "20130503192659.13651.20287@mg.example.com")
        #expect(event.detail == "Not delivering to previously bounced address" && !event.isMachine)
        let later = try webhook(.mailgun, body.replacing("permanent", with: "temporary")).receipts().first
        #expect(later?.kind == .deferred)
        let bot = #"{"event-data":{"event":"opened","client-info":{"bot":"apple"}}}"#
        #expect(try webhook(.mailgun, bot).receipts().first?.isMachine == true)
        let complaint = bot.replacing("opened", with: "complained")
        #expect(try webhook(.mailgun, complaint).receipts().first?.isMachine == false)
    }

    @Test func sendGridTellsOfManyMessages() throws {
        let body = """
            [{"email":"example@test.com","timestamp":1513299569,"smtp-id":"<14c5d75ce93.dfd.64b469@ismtpd-555>","event":"delivered",\
            "sg_event_id":"sg_event_id","sg_message_id":"14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0","response":"250 OK"},
            {"email":"a@b.c","timestamp":1513299570,"event":"bounce","type":"blocked","reason":"550\\r\\nlate"},
            {"email":"a@b.c","timestamp":1513299570,"event":"bounce","type":"bounce"},
            {"email":"a@b.c","timestamp":"1513299570","event":"open","sg_machine_open":true},
            {"email":"a@b.c","event":"open","sg_machine_open":false}, {"event":"news"}, 7, {"event":{"a":1}}]
            """
        let events = try webhook(.sendGrid, body).receipts()
        #expect(events.map(\.kind) == [.delivered, .undelivered, .bounced, .opened, .opened, .unknown, .unknown, .unknown])
        #expect(events[0].providerID == "14c5d75ce93" && events[0].messageID == "14c5d75ce93.dfd.64b469@ismtpd-555")
        #expect(events[0].time == 1_513_299_569_000 && events[3].time == 1_513_299_570_000 && events[4].time == nil)
        #expect(events[1].detail == "550  late" && events[3].isMachine && !events[4].isMachine)
        #expect(events[5].word == "news")
    }

    @Test func postmarkTellsWithAUserAndAPassword() throws {
        let body = """
            {"RecordType":"Bounce","Type":"HardBounce","TypeCode":1,"MessageID":"883953f4-6105-42a2-a16a-77a8eac79483",\
            "Details":"smtp;550 5.1.1 unknown","Email":"john@example.com","BouncedAt":"2026-11-05T16:33:54.9070259Z"}
            """
        // RFC 7617 section 2: Aladdin and "open sesame".
        let good = try webhook(.postmark, body, headers: ["Authorization": "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="])
        #expect(isTaken(good, "Aladdin:open sesame", at: 0) && !isTaken(good, "Aladdin:open", at: 0))
        #expect(!isTaken(try webhook(.postmark, body), "Aladdin:open sesame", at: 0))
        let event = try #require(try good.receipts().first)
        #expect(event.kind == .bounced && event.recipient == "john@example.com" && event.time == 1_793_896_434_907)
        #expect(event.providerID == "883953f4-6105-42a2-a16a-77a8eac79483" && event.detail == "smtp;550 5.1.1 unknown")
        func kind(_ body: String) throws -> ProviderReceipt.Kind? { try webhook(.postmark, body).receipts().first?.kind }
        func change(_ reason: String, _ isSuppressed: Bool = true) throws -> ProviderReceipt.Kind? {
            try kind(#"{"RecordType":"SubscriptionChange","SuppressSending":\#(isSuppressed),"SuppressionReason":\#(reason)}"#)
        }
        #expect(try change(#""ManualSuppression""#) == .unsubscribed)
        #expect(try change(#""HardBounce""#) == .accepted)
        #expect(try change("null", false) == .accepted)
        let bounces: [(String, ProviderReceipt.Kind)] = [
            ("SoftBounce", .undelivered), ("Unsubscribe", .unsubscribed), ("SpamComplaint", .complained), ("Transient", .deferred),
            ("AutoResponder", .accepted), ("Subscribe", .accepted), ("AddressChange", .accepted), ("ChallengeVerification", .accepted),
            ("Blocked", .rejected), ("DnsError", .undelivered),
        ]
        for (type, expected) in bounces {
            let told = try kind(#"{"RecordType":"Bounce","Type":"\#(type)"}"#)
            #expect(told == expected, "\(type)")
        }
        #expect(try kind(#"{"RecordType":"Inbound"}"#) == .unknown)
    }

    @Test(arguments: [SignedMessages.version1, SignedMessages.version2]) func amazonsMessagesAreTakenByTheirCertificate(body: String) throws
    {
        let good = try webhook(.amazonSES, body)
        let now: Int64 = 1_796_032_830
        #expect(isTaken(good, SignedMessages.certificate, at: now))
        #expect(try NotificationService.certificate(of: good).hasPrefix("https://sns.us-west-2.amazonaws.com/"))
        #expect(!isTaken(good, SignedMessages.certificate, at: now + 86_400))
        #expect(!isTaken(good, "", at: now) && !isTaken(good, sendGridKey, at: now))
        #expect(!isTaken(try webhook(.amazonSES, body.replacing("Permanent", with: "Transient")), SignedMessages.certificate, at: now))
        let event = try #require(try good.receipts().first)
        #expect(event.kind == .bounced && event.recipient == "recipient@example.com" && event.detail == "smtp; 550 5.1.1 user unknown")
        #expect(event.messageID == "m1.2.3@news.example.com" && event.time == 1_796_032_800_123)
        #expect(event.providerID == "EXAMPLE7c191be45-e9aedb9a-02f9-4d12-a87d-dd0099a07f8a-000000")
        #expect(good.confirmation == nil)
    }

    @Test(arguments: [
        ("https://sns.us-east-1.amazonaws.com/a.pem", true), ("https://sns.cn-north-1.amazonaws.com.cn/a.pem", true),
        ("http://sns.us-east-1.amazonaws.com/a.pem", false), ("https://sns.us-east-1.amazonaws.com.evil.example/a.pem", false),
        ("https://evil.example/sns.us-east-1.amazonaws.com/a.pem", false),
        ("https://sns.us-east-1.amazonaws.com@evil.example/a.pem", false),
        ("https://sns.s3.amazonaws.com/a.pem", false), ("https://sns.s3-us-west-2.amazonaws.com/a.pem", false),
        ("https://sns.us.amazonaws.com/a.pem", false), ("https://sns.us_east.amazonaws.com/a.pem", false),
        ("https://s3.us-east-1.amazonaws.com/a.pem", false), ("https://sns.us-east-1.amazonaws.com:8443/a.pem", false),
        ("https://a:b@sns.us-east-1.amazonaws.com/a.pem", false), ("https://sns.us-east-1.amazonaws.com/a.txt", false),
        ("https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&a=.pem", false), ("", false),
    ]) func certificatesLieWithAmazon(url: String, isOwn: Bool) throws {
        let webhook = try webhook(.amazonSES, #"{"Type":"Notification","SigningCertURL":"\#(url)"}"#)
        #expect((try? NotificationService.certificate(of: webhook)) == (isOwn ? url : nil))
        let confirmation = try self.webhook(.amazonSES, #"{"Type":"SubscriptionConfirmation","SubscribeURL":"\#(url)"}"#).confirmation
        #expect(confirmation == (isOwn || url.hasSuffix("com/a.txt") || url.contains("com/?Action") ? url : nil))
    }

    @Test func whateverIsSentNothingTraps() throws {
        var random = SeededGenerator(seed: 11)
        let bodies = [
            sendGridBody, SignedMessages.version2, "a=b&c=%2B1", #"[{"event":"open","timestamp":1e300},[[[[]]]],{"event":null}]"#,
        ]
        for _ in 0..<2000 {
            var body = Array(bodies[Int.random(in: bodies.indices, using: &random)].utf8)
            for _ in 0..<Int.random(in: 0...4, using: &random) {
                body[Int.random(in: body.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if Bool.random(using: &random) { body = Array(body.prefix(Int.random(in: 0...body.count, using: &random))) }
            for scheme in ProviderScheme.known {
                guard let webhook = try? Webhook(WebhookRequest(headers: sendGridHeaders, body: body), by: scheme) else { continue }
                _ = try? webhook.verify(secret: Secret("x:y"), now: 0)
                _ = try? webhook.receipts()
                _ = webhook.confirmation
            }
        }
        let deep = String(repeating: "[", count: 200_000)
        #expect(throws: WebhookFault.malformed("no JSON")) { try webhook(.sendGrid, deep) }
        #expect(throws: WebhookFault.self) { try webhook(.sendGrid, "[" + String(repeating: " ", count: 3 << 20) + "]") }
        let many = "[" + String(repeating: "0,", count: 20_000) + "0]"
        #expect(throws: WebhookFault.malformed("20001 receipts")) { try webhook(.sendGrid, many).receipts() }
    }
}
