import Foundation
import Settings
import Signing
import TestServers
import Testing
import Text

/// Links to the tracker, in messages as a server that we did not write took them.
@Suite(.timeLimit(.minutes(5))) struct TrackedMessageTests {
    private static let html = """
        <html><body><p>Hello {{first_name}}</p>
        <a href="https://shop.example/?c={{code}}&amp;x=1#top">Shop</a> <a href="mailto:a@example.com">Write</a>
        <a href="{{unsubscribe_url}}">No more</a> <a href="{{preferences_url}}">Choose</a>
        </body></html>

        """

    /// The messages of a mailing to some people, as one text.
    private func send(
        _ mailing: MailingFolder, _ port: Int, _ dump: String, _ arguments: [String] = [], environment: [String: String] = [:]
    ) async throws -> String {
        let user = getuid() == 0 ? ["-u", "nobody"] : []
        let sink = try ServerProcess("smtp-sink", user + ["-D", dump, "127.0.0.1:\(port)", "100"], package: "postfix")
        try await eventually("smtp-sink listens") { canConnect(port) }
        let outcome = try await mailing.send(arguments, environment: environment)
        #expect(outcome.status == 0, "\(outcome.errors)")
        sink.stop(SIGTERM)
        return try String(contentsOfFile: dump, encoding: .utf8).replacing("\r\n", with: "\n")
    }

    @Test func messagesHaveSignedLinksThePixelAndTheHeaders() async throws {
        let folder = try TemporaryFolder()
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder.url.path)
        let port = try freePort()
        let mailing = try MailingFolder(
            provider: "smtp://127.0.0.1:\(port)", recipients: MailingFolder.recipients(5), extra: "utm: {source: news}\nbatch_size: 2\n",
            html: Self.html)
        let all = try await send(
            mailing, port, folder.path("dump"), environment: ["FLOTILLA_TRACKER_URL": "https://t.example/x/"])
        let keys = try TrackerKeyFile(reading: mailing.ledger + ".keys").keys()
        let number = try #require(UInt32(try mailing.query("SELECT number FROM mailing").first ?? ""))
        let messages = all.split(separator: "Message-ID: <").dropFirst()
        #expect(messages.count == 5)
        for message in messages {
            let place = message.prefix { $0 != "@" }.split(separator: ".").compactMap { Int($0) }
            let (batch, index) = (try #require(place.dropLast().last), try #require(place.last))
            let subject = TokenSubject(mailing: number, batch: batch, index: index)
            for (purpose, prefix) in [(TokenPurpose.open, "o"), (.unsubscribe, "u"), (.preferences, "p")] {
                let pattern = try Regex("https://t\\.example/x/\(prefix)/([A-Za-z0-9_-]{27})[\">]", as: (Substring, Substring).self)
                let found = message.matches(of: pattern)
                #expect(found.count == (prefix == "u" ? 2 : 1), "\(message)")
                for match in found { #expect(try keys.verify(Array(match.1.utf8), for: purpose) == subject) }
            }
            #expect(message.contains("\nList-Unsubscribe: <https://t.example/x/u/"))
            #expect(message.contains("\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\n"))
            #expect(message.contains(/<img src="https:\/\/t\.example\/x\/o\/[^>]*>\n?<\/body>/))
            // The HTML's link, and the same in the text that is made from the HTML.
            let links = message.matches(of: /https:\/\/t\.example\/x\/c\/([A-Za-z0-9_\/-]+)/)
            #expect(links.count == 2)
            for match in links {
                let (whose, link) = try TrackedLink.read(Array(match.1.utf8), keys: keys)
                #expect(whose == subject)
                #expect(String(decoding: link.target, as: UTF8.self).contains(/^https:\/\/shop\.example\/\?c=C\d&x=1&utm_source=news#top$/))
            }
            #expect(message.contains("mailto:a@example.com"))
        }
        let targets = try mailing.query("SELECT value FROM mailing, json_each(definition, '$.tracking.targets')")
        #expect(targets == Array(repeating: "https://shop.example/?c={{code}}&x=1#top", count: 2))
    }

    @Test func linksLeadToTheAddressOfTheSendersDomain() async throws {
        let folder = try TemporaryFolder()
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder.url.path)
        let port = try freePort()
        let mailing = try MailingFolder(
            provider: "smtp://127.0.0.1:\(port)", recipients: MailingFolder.recipients(3), html: Self.html)
        let config = try folder.write(
            """
            tracker:
              url: https://t.example.org
              domains: {example.com: https://t.example.com, "*.example.com": https://x.example.com}
            """, to: "flotilla.yaml")
        let all = try await send(mailing, port, folder.path("dump"), ["--config", config])
        #expect(all.matches(of: /https:\/\/t\.example\.com\/[cou]\//).count >= 9 && !all.contains("t.example.org"))
    }

    @Test func withoutATrackerItsFieldsAndKeysAreRefused() async throws {
        for (html, extra, words) in [
            (Self.html, "", "set tracker.url in flotilla.yaml"),
            ("<p>x", "utm: {source: news}\n", "mailing.yaml:9:6: links are counted by a tracker"),
            ("<p>x", "tracking: true\n", "set tracker.url in flotilla.yaml"),
        ] {
            let mailing = try MailingFolder(
                provider: "smtp://127.0.0.1:1", recipients: MailingFolder.recipients(1), extra: extra, html: html)
            let outcome = try await mailing.send()
            #expect(outcome.status == 1 && outcome.errors.contains(words), "\(outcome.errors)")
        }
    }

    @Test func keysThatOthersCanReadAreRefused() async throws {
        let mailing = try MailingFolder(
            provider: "smtp://127.0.0.1:1", recipients: MailingFolder.recipients(1), html: #"<a href="//evil.example">x</a>"#)
        let added = try await Program.run(["tracker", "key", "add", "--ledger", mailing.ledger])
        #expect(added.output == "key 1 is in \(mailing.ledger).keys\n", "\(added.errors)")
        #expect(try await Program.run(["tracker", "key", "add", "--ledger", mailing.ledger]).output.hasPrefix("key 2 "))
        let listed = try await Program.run(["tracker", "key", "--ledger", mailing.ledger])
        #expect(listed.output == "1  verifies\n2  signs and verifies\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: mailing.ledger + ".keys")
        let outcome = try await mailing.send(environment: ["FLOTILLA_TRACKER_URL": "https://t.example"])
        #expect(outcome.status == 1 && outcome.errors.contains("chmod 600 \(mailing.ledger).keys"), "\(outcome.errors)")
        #expect(outcome.errors.contains("message.html:1:10: a link to '//…' names no scheme"), "\(outcome.errors)")
    }
}
