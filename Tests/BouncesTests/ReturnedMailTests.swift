import Bounces
import Model
import Testing

@Suite struct ReturnedMailTests {
    private func read(_ text: String, isNull: Bool = true) -> ReturnedMail {
        ReturnedMail(MailParts(Array(text.utf8)), isNull: isNull)
    }

    /// A delivery report as Postfix writes it (RFC 3464).
    private func report(action: String = "failed", status: String, said: String, note: String = "") -> String {
        """
        From: MAILER-DAEMON@mx.example.net (Mail Delivery System)
        Subject: Undelivered Mail Returned to Sender
        Content-Type: multipart/report; report-type=delivery-status;
        \tboundary="b1"

        --b1
        Content-Type: text/plain

        <ann@example.net>: \(note)

        --b1
        Content-Type: message/delivery-status

        Reporting-MTA: dns; mx.example.net

        Final-Recipient: rfc822; ann@example.net
        Original-Recipient: rfc822;Ann@example.net
        Action: \(action)
        Status: \(status)
        Diagnostic-Code: smtp; \(said)

        --b1
        Content-Type: message/rfc822

        Message-ID: <m1.2.3@shop.example>
        To: ann@example.net

        Hello
        --b1--
        """
    }

    @Test(
        arguments: [
            ("5.1.1", "550 5.1.1 <ann@example.net>: User unknown", ResponseReason.unknownUser, true),
            ("5.2.2", "552 5.2.2 Mailbox full", .full, false),
            ("4.7.0", "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred", .reputation, false),
            ("5.7.26", "550-5.7.26 Unauthenticated email from shop.example is not accepted", .authentication, false),
            ("5.1.8", "553 5.1.8 Domain of sender address news@shop.example does not exist", .policy, false),
            ("5.7.1", "550 5.7.1 Your host name does not exist in DNS", .reputation, false),
            ("5.0.0", "550 shop.example does not exist", .policy, false),
            ("5.0.0", "550 example.net does not exist", .unknownHost, true),
        ])
    func aReportIsReadByItsWordsFirst(status: String, said: String, reason: ResponseReason, suppresses: Bool) throws {
        let mail = read(report(status: status, said: said))
        let recipient = try #require(mail.recipients.first)
        #expect(mail.kind == .bounced && recipient.address == "ann@example.net" && recipient.original == "Ann@example.net")
        #expect(recipient.reason == reason, "\(recipient)")
        #expect(recipient.suppresses == suppresses, "\(recipient)")
        #expect(mail.messageIDs == ["m1.2.3@shop.example"])
        #expect(mail.isAutomatic)
    }

    @Test func whomAServerRefusesBehindTheTextIsNotSuppressed() throws {
        let said = "550 Unknown user ann@example.net"
        let filter = read(report(status: "5.0.0", said: said, note: "host mx said: \(said) (in reply to end of DATA command)"))
        #expect(try #require(filter.recipients.first).reason == .policy)
        let unknown = read(report(status: "5.0.0", said: said, note: "host mx said: \(said) (in reply to RCPT TO command)"))
        #expect(try #require(unknown.recipients.first).suppresses)
        let silent = try #require(read(report(status: "5.0.0", said: said)).recipients.first)
        #expect(silent.reason == .unknownUser && silent.isHard && !silent.suppresses)
    }

    @Test func delaysAndDeliveriesAreToldApart() {
        #expect(read(report(action: "delayed", status: "4.4.1", said: "connection timed out")).kind == .delayed)
        #expect(read(report(action: "delivered", status: "2.0.0", said: "250 ok")).kind == .delivered)
    }

    @Test func aBounceOfQmailHasNoReport() throws {
        let mail = read(
            """
            From: MAILER-DAEMON@mx.example.net
            Subject: failure notice

            Hi. This is the qmail-send program at mx.example.net.

            <ann@example.net>:
            192.0.2.9 does not like recipient.
            Remote host said: 550 5.1.1 <ann@example.net>... User unknown
            Giving up on 192.0.2.9.

            --- Below this line is a copy of the message.

            Message-ID: <m1.2.3@shop.example>
            """)
        let recipient = try #require(mail.recipients.first)
        #expect(mail.kind == .bounced && recipient.reason == .unknownUser && recipient.suppresses && recipient.address == "ann@example.net")
    }

    @Test func complaintsAreThoseOfPeople() {
        func feedback(_ type: String) -> ReturnedMail {
            read(
                """
                From: <fbl@example.net>
                Content-Type: multipart/report; report-type=feedback-report; boundary=f

                --f
                Content-Type: message/feedback-report

                Feedback-Type: \(type)
                Original-Rcpt-To: <ann@example.net>

                --f
                Content-Type: message/rfc822

                Message-ID: <m1.2.3@shop.example>

                --f--
                """, isNull: false)
        }
        #expect(feedback("abuse").kind == .complained && feedback("abuse").recipients.first?.address == "ann@example.net")
        #expect(feedback("not-spam").kind == .reply && feedback("auth-failure").kind == .reply)
    }

    @Test func whoeverIsAwayOrAnswersIsNoBounce() {
        let away = read(
            "From: ann@example.net\nAuto-Submitted: auto-replied\nSubject: Out of office\n\nI am back on Monday.\n", isNull: false)
        #expect(away.kind == .reply && away.isAutomatic && away.recipients.first?.reason == .autoReply)
        let person = read("From: ann@example.net\nSubject: Re: Sale\n\nThanks!\n", isNull: false)
        #expect(person.kind == .reply && !person.isAutomatic)
    }

    /// Depth, length and number are bounded by going through the lines once.
    @Test func nonsenseTakesNoTime() {
        var deep = "Content-Type: multipart/mixed; boundary=b\n\n"
        for level in 0..<1000 { deep += "--b\nContent-Type: multipart/mixed; boundary=b\(level)\n\n" }
        #expect(read(deep).kind == .reply || read(deep).kind == .bounced)
        let long = "Subject: " + String(repeating: "a", count: 200_000) + "\n\n" + String(repeating: "<x@example.net>: 550 ", count: 5_000)
        #expect(read(long).recipients.count <= 100)
        #expect(read("").recipients.count == 1)
        let codes = "Subject: failure notice\n\n" + String(repeating: "250 550 <a@b.example> ", count: 10_000)
        #expect(read(codes).kind == .bounced)
        let encoded = "Subject: failure notice\nContent-Transfer-Encoding: base64\n\n%%%=\u{0}\n"
        #expect(read(encoded).kind == .bounced)
    }
}
