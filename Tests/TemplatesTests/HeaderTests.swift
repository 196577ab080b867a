import Model
import Testing
import Text

@testable import Templates

@Suite struct HeaderTests {
    @Test(arguments: [
        ("news@example.com", "", "news@example.com"), (" Shop <a.b+c@x-y.example> ", "Shop", "a.b+c@x-y.example"),
        ("\"Shop, \\\"the\\\" one\" <a@b.example>", "Shop, \"the\" one", "a@b.example"),
        ("Käse & Co. <a@b.example>", "Käse & Co.", "a@b.example"),
        ("<a@b.example>", "", "a@b.example"), ("\"a b\"@x.example", "", "\"a b\"@x.example"),
        ("a@[192.0.2.1]", "", "a@[192.0.2.1]"),
    ]) func isAMailbox(_ text: String, _ name: String, _ address: String) throws {
        let mailbox = try Mailbox(text)
        #expect(mailbox.displayName == name)
        #expect(mailbox.address.description == address)
        #expect(EmailComposer.senderAddress(of: text) == address)
    }

    @Test(arguments: [
        "", "x", "@", "a@", "@b.example", "a b@c.example", "a@b..example", "a@-b.example", ".a@b.example",
        "a.@b.example", "ä@b.example", "a@-bücher.example",
        "Shop <a@b.example", "Shop a@b.example", "a@b.example, c@d.example", "A, B <a@b.example>", "\"A <a@b.example>",
        "x\r\nBcc: y <a@b.example>",
        "<<a@b.example>>", "a@b.example>", "A\u{2028}B <a@b.example>", "a@b.example\u{0}",
    ]) func isNoMailbox(_ text: String) {
        #expect(EmailComposer.senderAddress(of: text) == nil)
    }

    @Test(arguments: [
        ("Tue, 01 Jul 2025 10:00:00 +0000", 1_751_364_000_000), ("Thu, 01 Jan 1970 00:00:00 +0000", 0),
        ("Wed, 31 Dec 1969 23:59:59 +0000", -1),
        ("Thu, 29 Feb 2024 23:59:59 +0000", 1_709_251_199_999), ("Sun, 31 Dec 2000 12:30:05 +0000", 978_265_805_000),
        ("Fri, 31 Dec 9999 23:59:59 +0000", Int64.max), ("Mon, 01 Jan 0001 00:00:00 +0000", Int64.min),
    ]) func writesDates(_ expected: String, _ milliseconds: Int64) {
        var out: [UInt8] = []
        out.appendMailDate(milliseconds)
        #expect(String(decoding: out, as: UTF8.self) == expected)
    }

    @Test func sendersSubjectsAndRecipientsReadBack() throws {
        let senders = [
            "Example Shop <a@b.example>", "\"Shop, Inc.\" <a@b.example>", "Käse <a@b.example>",
            "株式会社サンプルのお店からのお知らせをお届けします <a@b.example>",
            "\(String(repeating: "Long name ", count: 20))<a@b.example>", "=?utf-8?Q?x?= <a@b.example>", "a@b.example",
            "A \(String(repeating: "x", count: 55)) <a@a-rather-long-domain-name.example>",
        ]
        let subjects = [
            "short", "", String(repeating: "many words ", count: 40) + "end", String(repeating: "x", count: 1200),
            "Grüße aus Köln",
            String(repeating: "日本語の件名 ", count: 20) + "。", "=?utf-8?Q?fake?=", String(repeating: "👩‍👩‍👧", count: 30),
            "tab\tand  two spaces",
            String(repeating: "a", count: 66) + " b", String(repeating: "a", count: 67) + " b",
        ]
        var messages: [[UInt8]] = []
        for sender in senders {
            for subject in subjects {
                let composer = try EmailComposerTests.composer(
                    EmailComposerTests.mailing(from: sender, replyTo: sender, subject: "{{name}}", text: "x"))
                let message = try EmailComposerTests.compose(composer, ["1", "a@example.org", subject])
                #expect(wireProblems(message) == [])
                let head = String(decoding: message, as: UTF8.self).split(
                    separator: "\r\n", omittingEmptySubsequences: false
                ).prefix { !$0.isEmpty }
                #expect(head.allSatisfy { $0.utf8.count <= 78 }, "\(head)")
                messages.append(message)
            }
        }
        for (index, mail) in try MailReader.read(messages).enumerated() {
            let sender = try Mailbox(senders[index / subjects.count])
            let subject = subjects[index % subjects.count].replacing("\t", with: " ")
            #expect(mail.defects == [])
            #expect(mail["Subject"] == subject)
            for name in ["From", "Reply-To"] {
                let read = try Mailbox(try #require(mail[name]))
                #expect(read == sender)
            }
        }
    }

    @Test(arguments: [
        ("ann@example.org", false, "ann@example.org"), ("änn@example.org", true, "änn@example.org"),
        ("ann@bücher.example", false, "ann@xn--bcher-kva.example"), ("ann@bücher.example", true, "ann@xn--bcher-kva.example"),
        ("\"a b\"@example.org", true, "\"a b\"@example.org"), ("\"a, b;<c>\"@example.org", false, "\"a, b;<c>\"@example.org"),
        ("\"ä b\"@example.org", true, "\"ä b\"@example.org"), ("\"a b\"@bücher.example", false, "\"a b\"@xn--bcher-kva.example"),
        ("änn@example.org", false, "=?utf-8?Q?=C3=A4nn=40example=2Eorg?= :;"), ("", true, "undisclosed-recipients:;"),
        ("a@b\r\nBcc: c@d", true, "=?utf-8?B?YUBiIEJjYzogY0Bk?= :;"), ("a@b\u{2028}c", true, "=?utf-8?Q?a=40b_c?= :;"),
        ("a@b\u{85}c", true, "=?utf-8?Q?a=40b_c?= :;"),
    ]) func namesTheRecipient(_ address: String, _ smtpUTF8: Bool, _ expected: String) throws {
        let composer = try EmailComposerTests.composer(EmailComposerTests.mailing(text: "x"))
        let message = try EmailComposerTests.compose(composer, ["1", address, "Ann"], smtpUTF8: smtpUTF8)
        #expect(wireProblems(message, utf8Headers: smtpUTF8) == [])
        #expect(String(decoding: message, as: UTF8.self).contains("\r\nTo: \(expected)\r\nSubject: "))
    }
}
