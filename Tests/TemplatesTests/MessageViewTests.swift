import Model
import Signing
import Testing
import Text

@testable import Templates

/// Messages as pages of a browser.
@Suite struct MessageViewTests {
    private let tracking: MessageTracking
    private let batch: BatchID

    init() throws {
        tracking = MessageTracking(
            base: "https://t.example", keys: try SigningKeys([1: Secret(String(repeating: "k", count: 32))]), mailing: 7)
        var generator = SystemRandomNumberGenerator()
        batch = BatchID(mailing: MailingID(milliseconds: 1, using: &generator), number: 2)
    }

    private func mailing(html: String = "", text: String = "", _ channel: Channel = .email) -> Mailing {
        var mailing = Mailing(name: "m", channel: channel, provider: "p", fields: ["id", "email", "name"])
        mailing.from = "news@example.com"
        mailing.subject = .init(source: "For {{name}}")
        (mailing.html, mailing.text) = (.init(source: html), .init(source: text))
        mailing.tracking = MailingTracking()
        return mailing
    }

    private func page(_ mailing: Mailing) throws -> String {
        var recipients = Recipients(width: 3)
        recipients.append(row: ["1", "a@example.com", "<Zoë>"])
        let view = try #require(try MessageView(mailing: mailing, tracking: tracking))
        return String(decoding: view.page(recipients, row: 0, of: batch, index: 5), as: UTF8.self)
    }

    /// The HTML part as the worker sends it.
    private func sent(_ mailing: Mailing) throws -> String {
        var recipients = Recipients(width: 3)
        for row in 0..<6 { recipients.append(row: ["\(row)", "a@example.com", "<Zoë>"]) }
        let composer = try EmailComposer(mailing: mailing, tracking: tracking)
        var out: [UInt8] = []
        composer.compose(recipients, row: 5, of: batch, date: 0, for: .init(eightBitMIME: true, smtpUTF8: true), into: &out)
        let text = String(decoding: out, as: UTF8.self).replacing("\r\n", with: "\n")
        let html = text.split(separator: "Content-Type: text/html").last ?? ""
        let body = html.drop { $0 != "\n" }.dropFirst().drop { $0 != "\n" }.dropFirst(2)
        return String(body).split(separator: "\n--").first.map(String.init) ?? ""
    }

    @Test func anEmailIsShownAsItWasSentWithoutThePixel() throws {
        let html = """
            <html><body><p>Hello {{name}}</p> <a href="https://a.example/?n={{name}}">A</a> <a href="{{view_url}}">here</a>
            <a href="{{unsubscribe_url}}">No more</a></body></html>
            """
        for text in ["", "See https://a.example/ {{name}}"] {
            let mailing = mailing(html: html, text: text)
            let page = try page(mailing)
            let pixel = /<img src="https:\/\/t\.example\/o\/[^>]*>/
            let sent = try sent(mailing)
            #expect(sent.contains(pixel) && !page.contains(pixel))
            #expect(page == sent.replacing(pixel, with: ""))
            #expect(page.contains("https://t.example/c/") && page.contains("https://t.example/v/") && page.contains("&lt;Zoë&gt;"))
        }
    }

    @Test func aTextIsAPageWithItsLinks() throws {
        let page = try page(mailing(text: "Hello {{name}} & all\nhttps://a.example/x. <b>"))
        #expect(page.contains("<title>For &lt;Zoë&gt;</title>") && page.contains("Hello &lt;Zoë&gt; &amp; all\n"))
        #expect(page.contains(/<a href="https:\/\/t\.example\/c\/[^"]*">https:\/\/t\.example\/c\/[^<]*<\/a>/) && page.contains("&lt;b&gt;"))
        let short = try self.page(mailing(text: "Go http://a.example/?a=\"b\" h http://", .sms))
        #expect(short.contains("<title>For &lt;Zoë&gt;</title>") && short.contains("<pre dir=\"auto\">"))
        var plain = mailing(text: "Hi", .sms)
        plain.subject = .init(source: "")
        #expect(try self.page(plain).contains("<title>news@example.com</title>"))
        #expect(short.contains(#"<a href="http://a.example/?a=">http://a.example/?a=</a>&quot;b&quot; h http://"#))
    }

    @Test func whatIsNoTextForPeopleIsNotShown() throws {
        #expect(try MessageView(mailing: mailing(.webhook), tracking: tracking) == nil)
        #expect(try MessageView(mailing: mailing(), tracking: tracking) == nil)
        #expect(throws: TemplateError.self) { try MessageView(mailing: mailing(html: "{{nobody}}"), tracking: tracking) }
    }
}
