import Foundation
import Model
import Policy
import Signing
import Testing
import Text
import Transport

@testable import BounceIntake

@Suite struct MailMatcherTests {
    private let keys: SigningKeys
    private let matcher: MailMatcher
    private static let id = "0123456789abc.4.7"

    init() throws {
        keys = try SigningKeys([1: Secret(String(repeating: "k", count: 32))])
        matcher = MailMatcher(keys: keys)
    }

    private func signed(index: Int = 7) throws -> String {
        var out: [UInt8] = []
        let path = try #require(ReturnPath("bounces.example.com"))
        #expect(path.append(mailing: "0123456789abc", batch: 4, index: index, keys: keys, to: &out))
        return String(decoding: out, as: UTF8.self)
    }

    static func report(
        action: String = "failed", status: String = "5.1.1",
        said: String = "550 5.1.1 <a@example.com>: Recipient address rejected: User unknown",
        messageID: String = "<\(id)@example.com>", original: String = "Original-Recipient: rfc822;a@example.com\n"
    ) -> String {
        """
        From: MAILER-DAEMON@mx.example.net
        Subject: Undelivered Mail Returned to Sender
        Auto-Submitted: auto-replied
        Content-Type: multipart/report; report-type=delivery-status; boundary="b"

        --b
        Content-Type: text/plain

        It came back.

        --b
        Content-Type: message/delivery-status

        Reporting-MTA: dns; mx.example.net

        Final-Recipient: rfc822; A@EXAMPLE.com
        \(original)Action: \(action)
        Status: \(status)
        Diagnostic-Code: smtp; \(said)

        --b
        Content-Type: message/rfc822

        Return-Path: <news@example.com>
        From: news@example.com
        Message-ID: \(messageID)

        Hello
        --b--

        """.replacing("\n", with: "\r\n")
    }

    private func match(_ text: String, to address: String = "bounces@example.com", sender: String = "") -> MailMatcher.Match {
        matcher.match(
            IncomingMail(sender: sender, recipients: [address], head: Array(text.utf8), size: text.utf8.count, isWhole: true), at: 5)
    }

    @Test func aBounceToASignedAddressIsOfItsMessageWhateverItNames() throws {
        let found = match(Self.report(messageID: "<other@example.net>", original: ""), to: try signed())
        let receipt = try #require(found.receipt)
        #expect(found.outcome == .bounced && receipt.kind == .bounced && receipt.reason == .unknownUser)
        #expect(receipt.messageID == Self.id && receipt.webhook == ProviderReceipt.returnedMail && !receipt.needsRecipient)
    }

    @Test func aBounceToAnotherAddressNeedsOurIDAndARecipient() throws {
        let found = try #require(match(Self.report()).receipt)
        #expect(found.needsRecipient && found.recipient == "a@example.com" && found.place?.index == 7)
        #expect(match(Self.report(messageID: "<x@example.net>")).outcome == .foreign)
        #expect(match(Self.report(messageID: "<x@example.net>")).receipt == nil)
    }

    @Test func whatWasNotSignedByUsOrContradictsItselfIsIgnored() throws {
        let forged = try signed().replacing("4", with: "5")
        #expect(match(Self.report(), to: forged) == .init(outcome: .forged))
        #expect(match(Self.report(), to: try signed(index: 8)) == .init(outcome: .conflicting))
    }

    @Test(arguments: [
        ("failed", "5.7.1", "550 5.7.1 blocked by policy", ProviderReceipt.Kind.bounced, false),
        ("failed", "4.2.2", "452 4.2.2 mailbox full", .bounced, false),
        ("failed", "5.1.1", "550 5.1.1 user unknown", .bounced, true),
        ("failed", "4.4.7", "450 4.4.7 message expired", .bounced, false),
        ("delayed", "4.4.1", "connection timed out", .deferred, false),
        ("delivered", "2.0.0", "250 ok", .delivered, false),
    ]) func whatAReportSaysIsTold(_ action: String, _ status: String, _ said: String, _ kind: ProviderReceipt.Kind, _ isAddress: Bool)
        throws
    {
        let receipt = try #require(match(Self.report(action: action, status: status, said: said), to: try signed()).receipt)
        #expect(receipt.kind == kind)
        #expect(receipt.reason.consequence.suppresses == isAddress)
    }

    @Test func aComplaintIsOfTheMessageThatItHasEvenWithoutARecipient() throws {
        let text = """
            From: fbl@provider.example
            Content-Type: multipart/report; report-type=feedback-report; boundary=b

            --b
            Content-Type: message/feedback-report

            Feedback-Type: abuse
            User-Agent: x/1
            Version: 1
            Original-Mail-From: <\(try signed())>

            --b
            Content-Type: message/rfc822

            From: news@example.com
            Message-ID: <\(Self.id)@example.com>

            x
            --b--
            """
        let found = match(text, to: "fbl@example.com", sender: "fbl@provider.example")
        #expect(found.outcome == .complained && found.receipt?.kind == .complained && found.receipt?.needsRecipient == false)
        #expect(match(text.replacing("abuse", with: "not-spam"), to: "fbl@example.com").receipt == nil)
    }

    @Test func repliesAreCountedAndNothingElse() throws {
        let text = "From: a@example.com\nAuto-Submitted: auto-replied\nSubject: Out of office\n\nBack on 550 Monday.\n"
        #expect(match(text, to: try signed(), sender: "a@example.com") == .init(outcome: .reply))
        #expect(match(text, sender: "a@example.com") == .init(outcome: .foreign))
    }

    @Test func aMailToAnUnsubscribeAddressUnsubscribesUnlessItIsABounce() throws {
        var token: [UInt8] = []
        keys.appendToken(.unsubscribe, try #require(TokenSubject(mailing: 9, batch: 4, index: 7)), to: &token)
        let address = "unsubscribe+\(String(decoding: token, as: UTF8.self))@example.com"
        let found = match("Subject: unsubscribe\n\n", to: address, sender: "a@example.com")
        #expect(found.outcome == .unsubscribed && found.event?.action == .unsubscribe && found.event?.mailing == 9)
        #expect(match(Self.report(), to: address).event == nil)
        #expect(match("Subject: x\n\n", to: address.replacing("unsubscribe+", with: "unsubscribe+x"), sender: "a@b.c").event == nil)
    }

    /// Where no envelope is known, the last server's fields tell it.
    @Test func aMailOfAMaildirTellsItsAddressItself() throws {
        let text = "Return-Path: <>\r\nDelivered-To: \(try signed())\r\n" + Self.report(messageID: "<x@y.z>")
        let mail = IncomingMail(recipients: [], head: Array(text.utf8), size: text.utf8.count, isWhole: true)
        #expect(matcher.match(mail, at: 5).receipt?.messageID == Self.id)
    }

    @Test func nothingInAMailTraps() {
        var generator = SeededGenerator(seed: 11)
        let text = Array(Self.report().utf8)
        let nested = String(repeating: "Content-Type: message/rfc822\n\n--b\n", count: 5000)
        for head in [[], [0], Array(nested.utf8), Array(repeating: UInt8(ascii: "-"), count: 100_000)] {
            _ = matcher.match(IncomingMail(recipients: [], head: head, size: head.count, isWhole: true), at: 5)
        }
        for _ in 0..<100 {
            var changed = text
            for _ in 0..<Int.random(in: 1...20, using: &generator) {
                let place = Int.random(in: 0..<changed.count, using: &generator)
                if Bool.random(using: &generator) {
                    changed.remove(at: place)
                } else {
                    changed[place] = .random(in: 0...255, using: &generator)
                }
            }
            _ = matcher.match(IncomingMail(recipients: ["a@b"], head: changed, size: changed.count, isWhole: true), at: 5)
        }
    }
}
