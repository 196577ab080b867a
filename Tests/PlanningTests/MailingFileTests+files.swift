import Foundation
import Model
import Planning
import TestServers
import Testing

extension MailingFileTests {
    private func mail(_ more: String, html: String = "<p>Hi") -> String {
        short.replacing("text: Hello", with: "html: '\(html)'") + more + "\n"
    }

    @Test func takesFilesAsTheyAreNow() throws {
        try folder.write([0, 255, 10], to: "terms.pdf")
        try folder.write("a;b\n", to: "plan.csv")
        try folder.write([1], to: "logo.png")
        try folder.write([2], to: "other.bin")
        let calendar = "BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nEND:VEVENT\nEND:VCALENDAR\n"
        try folder.write(calendar, to: "i.ics")
        let yaml = mail(
            """
            attachments: [terms.pdf, {file: plan.csv, name: "Plan für alle.csv"}, {file: other.bin, type: application/x-other}]
            inline: [{file: other.bin, name: banner.png, type: image/png}]
            calendar: i.ics
            """, html: "<img src=\"cid:logo.png\"><img src=\"cid:banner.png\">")
        let files = try #require(try load(yaml).mailing.files)
        #expect(files.attachments.map(\.name) == ["terms.pdf", "Plan für alle.csv", "other.bin"])
        #expect(files.attachments.map(\.type) == ["application/pdf", "text/csv; charset=utf-8", "application/x-other"])
        #expect(files.attachments[0].content == "AP8K" && files.attachments[0].size == 3 && files.attachments[0].digest.count == 64)
        #expect(files.inline.map(\.name) == ["banner.png", "logo.png"] && files.inline.map(\.type) == ["image/png", "image/png"])
        #expect(files.calendar?.type == "text/calendar; method=REQUEST; charset=utf-8")
        // What becomes of a file later is a change of the mailing, as one of a template is.
        try folder.write([0, 255, 11], to: "terms.pdf")
        #expect(try load(yaml).mailing.files?.attachments[0].digest != files.attachments[0].digest)
        #expect(try load(mail("attachments: terms.pdf")).mailing.files?.attachments.count == 1)
        #expect(try load(short).mailing.files == nil)
    }

    @Test(arguments: [
        ("attachments: none.pdf", "8:14: attachments: the file none.pdf does not exist"),
        ("attachments: [a.pdf, sub]", "8:22: attachments[2]: the file sub is a directory"),
        ("attachments: [empty.pdf]", "the file empty.pdf is empty"), ("attachments: [large.pdf]", "the file large.pdf is too large"),
        ("attachments: [half.pdf, half2.pdf]", "attachments[2]: the file half2.pdf is too large"),
        ("attachments: [../a.pdf]", "'../a.pdf' has a folder in it"), ("attachments: [/etc/passwd]", "has a folder in it"),
        ("attachments: [\"a\\r\\nb.pdf\"]", "has a line break or another control character"),
        ("attachments: [{file: a.pdf, name: \"x\\r\\nBcc: y\"}]", "has a line break or another control character"),
        ("attachments: [{file: a.pdf, name: \"fdp\\u202egpj.exe\"}]", "control character"),
        ("attachments: [{file: a.pdf, type: \"a/b\\r\\nX: y\"}]", "is no media type"),
        ("attachments: [{file: a.pdf, type: message/rfc822}]", "is of a message's parts"),
        ("attachments: [{fiel: a.pdf}]", "attachments[1].fiel: is no key of a file"),
        ("attachments: [a.pdf, a.pdf]", "has the name 'a.pdf' twice"),
        ("attachments: []", "is empty"), ("attachments: [pipe]", "is no regular file"), ("attachments: [[a.pdf]]", "must be a text"),
        ("inline: [a.png, a.png]", "inline[2]: has the name 'a.png' twice"), ("inline: [ä.png]", "'ä.png' has other characters"),
        ("calendar: a.pdf", "calendar: the file a.pdf line 1: is no line of a calendar"),
        ("calendar: {file: i.ics}", "calendar: must be a text"),
    ]) func refusesAFile(_ yaml: String, _ part: String) throws {
        for name in ["a.pdf", "a.png", "ä.png"] { try folder.write([65], to: name) }
        try folder.write([], to: "empty.pdf")
        try folder.write([UInt8](repeating: 65, count: 1 << 20 + 1), to: "large.pdf")
        for name in ["half.pdf", "half2.pdf"] { try folder.write([UInt8](repeating: 65, count: 600_000), to: name) }
        try FileManager.default.createDirectory(atPath: folder.path("sub"), withIntermediateDirectories: true)
        #expect(mkfifo(folder.path("pipe"), 0o600) == 0)
        let found = problems(mail(yaml))
        #expect(found.count == 1 && found[0].contains(part), "\(found)")
    }

    /// The recipients' list lies beside the mailing file, too.
    @Test(arguments: ["r.csv", "mailing.yaml", "a.pdf", "noending"]) func sendsNoOtherFileThatTheHTMLNames(_ name: String) throws {
        for file in ["r.csv", "a.pdf", "noending"] { try folder.write([65], to: file) }
        try folder.write("<p>Hi</p><img alt=\"\" src=\"cid:\(name)\">", to: "message.html")
        let found = problems(short.replacing("text: Hello", with: "html: message.html"))
        #expect(found.contains { $0.contains("cid:\(name) is no picture by its name") }, "\(found)")
    }

    @Test func refusesAPictureThatIsNotThere() throws {
        try folder.write("<p>\n<img src=\"cid:none.png\">\n<img src=\"cid:{{x}}.png\"><img src=\"cid:../a.png\">", to: "message.html")
        let found = problems(short.replacing("text: Hello", with: "html: message.html"))
        #expect(found.count == 3)
        #expect(
            found.contains {
                $0.hasPrefix("message.html:2:11: html: cid:none.png names a picture beside the mailing file that does not exist")
            })
        #expect(found.contains { $0.hasPrefix("message.html:3:11: html: cid:{{x}}.png has a merge field") })
        #expect(found.contains { $0.contains("cid:../a.png has other characters") }, "\(found)")
        #expect(problems(short + "inline: [mailing.yaml]\n").contains { $0.contains("is shown in the HTML, and the mailing has none") })
    }
}
