import Foundation
import Model
import Signing
import Testing

@testable import Templates

/// Attachments, pictures and invitations, as others read them.
@Suite struct MailFileTests {
    private static func bytes(_ count: Int, seed: UInt64) -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }

    private static let picture = MailFile(bytes(57 * 3, seed: 1), name: "logo.png", type: "image/png")
    private static let invitation = """
        BEGIN:VCALENDAR
        VERSION:2.0
        METHOD:request
        BEGIN:VEVENT
        SUMMARY:\(String(repeating: "Größe ", count: 40))
        END:VEVENT
        END:VCALENDAR

        """

    private func message(
        html: String = "<p>Dear {{name}}</p><img src=\"cid:logo.png\" alt=\"\">", text: String = "", name: String = "Änn",
        eightBit: Bool = true, _ change: (inout MailFiles) -> Void
    ) throws -> [UInt8] {
        var mailing = EmailComposerTests.mailing(html: html, text: text)
        var files = MailFiles()
        change(&files)
        mailing.files = files
        let composer = try EmailComposerTests.composer(mailing)
        let message = try EmailComposerTests.compose(composer, ["1", "ann@example.org", name], eightBit: eightBit)
        #expect(wireProblems(message, eightBit: eightBit) == [])
        return message
    }

    private static let mixed = ["multipart/mixed", "multipart/related", "multipart/alternative"]

    @Test(arguments: [true, false], ["Ann", "Änn"]) func allPartsStandInOneAnother(_ eightBit: Bool, _ name: String) throws {
        let names = [
            "terms.pdf", "Übersicht 2026.pdf", "a \"b\" ; c.pdf", String(repeating: "日本語", count: 20) + ".pdf",
            String(repeating: "long ", count: 30) + ".pdf", "it's 100%.pdf",
        ]
        let contents = names.indices.map { Self.bytes([1, 2, 57, 58, 1000, 200_000][$0], seed: UInt64($0)) }
        let calendar = try CalendarText(Array(Self.invitation.utf8))
        let message = try message(name: name, eightBit: eightBit) { files in
            files.attachments = zip(names, contents).map { MailFile($1, name: $0, type: "application/pdf") }
            files.inline = [Self.picture]
            files.calendar = MailFile(calendar.bytes, name: "i.ics", type: "text/calendar; method=\(calendar.method); charset=utf-8")
        }
        let parts = try FileReader.read(message).parts
        let types = ["text/plain", "text/html", "text/calendar"].map { Self.mixed + [$0] }
        #expect(
            parts.map(\.path) == types + [Self.mixed.dropLast() + ["image/png"]]
                + names.map { _ in ["multipart/mixed", "application/pdf"] })
        #expect(String(decoding: parts[0].content, as: UTF8.self).hasPrefix("Dear \(name)"))
        #expect(Array(parts[2].content) == calendar.bytes && parts[2].method == "REQUEST")
        #expect(parts[3].id == "<logo.png>" && parts[3].disposition == "inline" && parts[3].longest == 76)
        #expect(parts[4...].map(\.name) == names && parts[4...].map { Array($0.content) } == contents)
        #expect(parts[4...].allSatisfy { $0.disposition == "attachment" && $0.longest <= 76 })
        let head = String(decoding: message.prefix(2000), as: UTF8.self).split(separator: "\r\n").filter { $0.utf8.count > 78 }
        #expect(head.allSatisfy { $0.hasPrefix("Content-Type: multipart/alternative") }, "\(head)")
    }

    @Test func onlyWhatIsThereHasAPart() throws {
        let attached = try FileReader.read(
            try message(html: "", text: "Hi {{name}}") { $0.attachments = [MailFile([0], name: "a.bin", type: "a/b")] })
        #expect(attached.parts.map(\.path) == [["multipart/mixed", "text/plain"], ["multipart/mixed", "a/b"]])
        let shown = try FileReader.read(try message(html: "<img src=cid:logo.png>") { $0.inline = [Self.picture] })
        #expect(shown.parts.map(\.path) == [["multipart/related", "text/html"], ["multipart/related", "image/png"]])
        let invited = try FileReader.read(
            try message(html: "", text: "Come") { $0.calendar = MailFile([65], name: "i.ics", type: "text/calendar; method=ADD") })
        #expect(invited.parts.map(\.path) == [["multipart/alternative", "text/plain"], ["multipart/alternative", "text/calendar"]])
    }

    @Test func signaturesOfMessagesWithFilesAreGood() throws {
        let keys = try DKIMKey.Algorithm.allCases.map {
            try DKIMKey(domain: "example.com", selector: "s-\($0.keyType)", pem: try DKIMKey.generate($0))
        }
        var message = try message(text: ".\n..dots\n.", eightBit: false) { files in
            files.attachments = [MailFile(Self.bytes(300_000, seed: 9), name: "ä.pdf", type: "application/pdf")]
            files.inline = [Self.picture]
        }
        DKIMSigner(keys).sign(&message, from: 0, time: 1_764_000_000)
        let read = try FileReader.read(message, keys)
        #expect(read.signatures == 2 && Array(read.parts[3].content) == Self.bytes(300_000, seed: 9))
    }

    @Test func aMessageWithoutFilesIsAsItWas() throws {
        let plain = EmailComposerTests.mailing(html: "<p>{{name}}</p>")
        var none = plain
        none.files = MailFiles()
        let values = ["1", "ann@example.org", "Ann"]
        let messages = try [plain, none].map { try EmailComposerTests.compose(try EmailComposerTests.composer($0), values) }
        #expect(messages[0] == messages[1])
    }

    @Test func whatWasChangedInRedisIsNotSent() throws {
        let changes: [(inout MailFile) -> Void] = [
            { $0.content = "AAAA" }, { $0.content += "\r\n" }, { $0.name = "a\r\nb" }, { $0.type = "a/b\r\nBcc: x" }, { $0.size = 1 },
            { $0.digest = "" }, { $0.content = "" },
        ]
        for change in changes {
            var file = Self.picture
            change(&file)
            #expect(throws: TemplateError.self) { try message { $0.attachments = [file] } }
        }
    }

    @Test func findsThePicturesThatHTMLNames() {
        let html = """
            <p>cid:no.png</p><img src="cid:a.png"><td background='CID:b.png' style="background:url(cid:c.png)">
            <img src=cid:d.png><img src="cid:a.png"><img src="cid:{{x}}.png"> acid:e.png <a href="https://x.example/cid:f.png">
            """
        let found = ContentIDs.find(in: Mailing.Template(source: html, file: "m.html", line: 3))
        #expect(found.map(\.name) == ["a.png", "b.png", "c.png", "d.png", "{{x}}.png"])
        #expect(
            found.map(\.line) == [3, 3, 3, 4, 4] && found[0].column == 28 && found.map(\.hasField) == [false, false, false, false, true])
    }

    @Test func anInvitationHasShortLinesThatEndInCRLF() throws {
        let calendar = try CalendarText(Array("\u{feff}\(Self.invitation)".utf8))
        let text = String(decoding: calendar.bytes, as: UTF8.self)
        #expect(calendar.method == "REQUEST" && text.hasSuffix("END:VEVENT\r\nEND:VCALENDAR\r\n"))
        #expect(text.split(separator: "\r\n").allSatisfy { $0.utf8.count <= 75 })
        #expect(text.replacing("\r\n ", with: "").replacing("\r\n", with: "\n") == Self.invitation)
        #expect(try CalendarText(calendar.bytes) == calendar)
    }

    @Test(arguments: [
        ("", "has no END:VCALENDAR"), ("Hello\n", "line 1: is no line of a calendar"), ("METHOD:REQUEST\n", "line 1: stands outside"),
        ("BEGIN:VCALENDAR\nMETHOD:REQUEST\n", "has no END"), ("BEGIN:VCALENDAR\nMETHOD:REQUEST\nEND:VCALENDAR\n", "has no event"),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nMETHOD:REQUEST\nEND:VEVENT\nEND:VCALENDAR\n", "needs one METHOD"),
        ("BEGIN:VCALENDAR\nMETHOD:A B\nBEGIN:VEVENT\nEND:VEVENT\nEND:VCALENDAR\n", "needs one METHOD"),
        ("BEGIN:VCALENDAR\nEND:VEVENT\n", "line 2: ends what has not begun"),
        ("BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nX:\u{0}\nEND:VEVENT\nEND:VCALENDAR\n", "line 4: has a control character"),
    ]) func refusesWhatIsNoInvitation(_ text: String, _ why: String) {
        let error = #expect(throws: CalendarText.Fault.self) { try CalendarText(Array(text.utf8)) }
        #expect(error?.description.hasPrefix(why) == true, "\(error?.description ?? "")")
    }
}
