import Foundation
import Model
import Testing

/// The form of a mailing in the ledger and in Redis.
@Suite struct MailingDefinitionTests {
    private func mailing() -> Mailing {
        var mailing = Mailing(name: "m", channel: .email, provider: "relay", fields: ["id", "address", "name"])
        mailing.from = "a@example.com"
        mailing.subject = .init(source: "s")
        mailing.text = .init(source: "t")
        mailing.tracking = MailingTracking()
        mailing.speed = "5/s"
        return mailing
    }

    private func sms() -> MailingContent {
        var content = MailingContent(provider: "gateway")
        content.from = "Shop"
        content.text = .init(source: "short", file: "t.txt", line: 3)
        return content
    }

    private func read(_ text: some StringProtocol) throws -> MailingDefinition {
        try JSONDecoder().decode(MailingDefinition.self, from: Data(text.utf8))
    }

    private func text(_ definition: MailingDefinition) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(definition), as: UTF8.self)
    }

    @Test func eachChannelHasItsContent() throws {
        let known = try read(text(MailingDefinition(mailing(), contents: [.sms: sms()])))
        #expect(known.mailing == mailing() && known.contents == [.sms: sms()])
        #expect(known.mailing(by: .email) == mailing() && known.mailing(by: .webhook) == nil)
        let short = try #require(known.mailing(by: .sms))
        #expect(short.channel == .sms && short.provider == "gateway" && short.from == "Shop" && short.text.source == "short")
        #expect(short.subject.isEmpty && short.fields == ["id", "address"] && short.tracking == nil)
        // What holds for all channels.
        #expect(short.name == "m" && short.speed == "5/s" && short.batchSize == mailing().batchSize)
    }

    /// A release that knows one content alone would send it to everybody.
    @Test func oneContentIsOfTheFirstVersionAndSeveralAreOfTheSecond() throws {
        let one = try text(MailingDefinition(mailing()))
        #expect(one.contains("\"version\":1") && !one.contains("contents"))
        #expect(try text(MailingDefinition(mailing(), contents: [.sms: sms()])).contains("\"version\":2"))
        #expect(throws: WireError("its version 2 is newer than 1, the newest this release reads", isNewer: true)) {
            try WireVersion.check("2")
        }
    }

    /// A release that knows no such parts would leave them away.
    @Test func partsOfAMailAreOfTheThirdVersion() throws {
        var (preheader, replies, content) = (mailing(), mailing(), MailingContent(provider: "relay"))
        preheader.preheader = .init(source: "p", file: "m.yaml", line: 4)
        replies.replyTo = "{{name}}@example.com"
        content.preheader = .init(source: "p")
        var first = sms()
        first.replyTo = "no@example.com"
        var attached = mailing()
        var files = MailFiles()
        files.attachments = [MailFile(name: "a.pdf", type: "application/pdf", content: "AA==", size: 1, digest: "")]
        attached.files = files
        let all = [
            MailingDefinition(attached), MailingDefinition(preheader),
            MailingDefinition(replies), MailingDefinition(mailing(), contents: [.sms: content]),
        ]
        for definition in all {
            let text = try text(definition)
            let known = try read(text)
            #expect(text.contains("\"version\":3") && known.mailing == definition.mailing && known.contents == definition.contents)
        }
        #expect(try text(MailingDefinition(mailing(), contents: [.sms: first])).contains("\"version\":2"))
        #expect(try read(text(MailingDefinition(mailing(), contents: [.email: content]))).contents[.email]?.preheader?.source == "p")
    }

    @Test func whatThisReleaseCannotSendIsLeftToANewerOne() throws {
        let both = try text(MailingDefinition(mailing(), contents: [.sms: sms()]))
        for newer in [both.replacing("\"version\":2", with: "\"version\":4"), both.replacing("\"sms\":", with: "\"fax\":")] {
            let error = #expect(throws: WireError.self) { try read(newer) }
            #expect(error?.isNewer == true)
        }
        let narrow = both.replacing("\"fields\":[\"id\",\"address\"]", with: "\"fields\":[]")
        #expect(throws: WireError("its definition has no fields for id and address")) { try read(narrow) }
    }
}
